"""scripts/reconstruct.py or batch.py with the fake backend and, if wanted, an exporter that only pretends.

``python tests/backend/run_fake_batch.py SCRIPT MODE MAX_FILE_BYTES [arguments of the script]``
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAKE_EXPORTER = Path(__file__).with_name("fake_exporter.py")


def main() -> int:
    """Run the batch."""
    sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
    import batch
    import reconstruct
    from _backend_session import BackendSession
    from _console import Console
    from _photo_run import run_photos
    from _scene_export import SceneExport
    from _tree_run import run_tree

    script, mode, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    options = (batch if script == "batch" else reconstruct).parse(sys.argv[4:])
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    def export(folder: Path, photo: Path | None) -> SceneExport:
        return SceneExport(Path(sys.executable), folder, photo, options.formats, FAKE_EXPORTER)

    session = BackendSession(
        options.connect, options.device, module="tests.backend.fake_backend", arguments=("--mode", mode)
    )
    exporter = export if options.formats else None
    if script == "batch":
        return run_tree(options, session, Console(), exporter, version="fake")
    return run_photos(options, session, Console(), exporter)


if __name__ == "__main__":
    sys.exit(main())
