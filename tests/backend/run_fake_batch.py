"""scripts/reconstruct.py with the fake backend and, if wanted, an exporter that only pretends.

``python tests/backend/run_fake_batch.py MODE MAX_FILE_BYTES [arguments of reconstruct.py]``
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAKE_EXPORTER = Path(__file__).with_name("fake_exporter.py")


def main() -> int:
    """Run the batch."""
    sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
    import reconstruct
    from _backend_session import BackendSession
    from _batch import run_photos
    from _console import Console
    from _scene_export import SceneExport

    mode, limit = sys.argv[1], int(sys.argv[2])
    options = reconstruct.parse(sys.argv[3:])
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    def export(folder: Path, photo: Path) -> SceneExport:
        return SceneExport(Path(sys.executable), folder, photo, options.formats, FAKE_EXPORTER)

    session = BackendSession(
        options.connect, options.device, module="tests.backend.fake_backend", arguments=("--mode", mode)
    )
    return run_photos(options, session, Console(), export if options.formats else None)


if __name__ == "__main__":
    sys.exit(main())
