"""``blender --command munet reconstruct PHOTO... --out DIR``: photos to scenes without a window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy

from .backend_manager.batch import Batch, Entry, EntryState
from .errors import AddonError
from .export import FORMATS, save_scene
from .importer.camera import look_through
from .inputs import photos_at
from .preferences import backend_place
from .pump import run_to_end
from .session import Session, current

_COMMAND = "munet"
_handles: list[object] = []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blender --command munet")
    reconstruct = parser.add_subparsers(dest="verb", required=True).add_parser("reconstruct", help="photos to scenes")
    reconstruct.add_argument("photos", nargs="+", type=Path, help="photos, or folders of photos")
    reconstruct.add_argument("--out", type=Path, required=True, help="folder for DIR/<photo>/scene.*")
    reconstruct.add_argument("--formats", default="blend,glb", help=f"of {','.join(FORMATS)}")
    reconstruct.add_argument("--preset", default="standard", choices=("draft", "standard", "high"))
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _photos(paths: list[Path]) -> list[Path]:
    return [photo.absolute() for path in paths for photo in photos_at(path)]


def _reconstruct_one(session: Session, path: Path, options: argparse.Namespace) -> Entry:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True, load_ui=False)
    session.batch = Batch.of([path], {"preset": options.preset}, backend_place(bpy.context))
    run_to_end(bpy.context, session)
    return session.batch.entries[0]


def _run(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    session, failed = current(), 0
    for path in _photos(options.photos):
        try:
            entry = _reconstruct_one(session, path, options)
            if entry.state is not EntryState.DONE:
                raise AddonError("FAILED", str(entry.failure or "cancelled"))
            look_through(bpy.context.scene, bpy.context.scene.camera)
            written = save_scene(options.out / path.stem, options.formats.split(","))
            _say(f"{path.name}: {', '.join(str(file) for file in written)}")
        except AddonError as error:
            failed += 1
            _say(f"{path.name}: {error}")
    session.manager.close()
    return 1 if failed else 0


def register() -> None:
    """Make the command known."""
    _handles.append(bpy.utils.register_cli_command(_COMMAND, _run))


def unregister() -> None:
    """Forget the command."""
    while _handles:
        bpy.utils.unregister_cli_command(_handles.pop())
