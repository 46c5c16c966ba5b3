"""``blender --command munet reconstruct PHOTO... --out DIR``: photos to scenes without a window."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .backend_manager.batch import Batch, Entry, EntryState
from .errors import AddonError
from .inputs import photos_at, result_folders
from .preferences import backend_place
from .pump import run_to_end
from .session import Session, current

_COMMAND = "munet"
_FAILED, _USAGE, _NO_BACKEND, _CANCELLED = 1, 2, 3, 130
_handles: list[object] = []


@dataclass(frozen=True)
class _Task:
    """One photo and the folder for its scenes."""

    photo: Path
    folder: Path


def _parser() -> argparse.ArgumentParser:
    from .export import FORMATS

    parser = argparse.ArgumentParser(prog="blender --command munet")
    reconstruct = parser.add_subparsers(dest="verb", required=True).add_parser("reconstruct", help="photos to scenes")
    reconstruct.add_argument("photos", nargs="+", type=Path, help="photos, or folders of photos")
    reconstruct.add_argument("--out", type=Path, required=True, help="folder for DIR/<photo>/scene.*")
    reconstruct.add_argument("--formats", type=_formats, default=("blend", "glb"), help=f"of {','.join(FORMATS)}")
    reconstruct.add_argument("--preset", default="standard", choices=("draft", "standard", "high"))
    reconstruct.add_argument("--max-persons", type=int, default=8, metavar="N", help="largest N people of a photo")
    reconstruct.add_argument("--texture-size", type=int, default=0, metavar="PIXELS", help="0 takes the preset's")
    reconstruct.add_argument("--overwrite", action="store_true", help="write into folders of earlier runs")
    return parser


def _formats(text: str) -> tuple[str, ...]:
    from .export import FORMATS

    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or set(names) - set(FORMATS):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(FORMATS)}")
    return names


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def _tasks(options: argparse.Namespace) -> Iterator[_Task]:
    """Yield the photos with folders of their own."""
    photos = [photo for path in options.photos for photo in photos_at(path)]
    for photo, folder in result_folders(photos, options.out, overwrite=options.overwrite):
        yield _Task(photo, folder)


def _reconstruct_one(session: Session, task: _Task, settings: dict[str, Any]) -> Entry:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True, load_ui=False)
    session.batch = Batch.of([task.photo], settings, backend_place(bpy.context))
    run_to_end(bpy.context, session)
    return session.batch.entries[0]


def _write(session: Session, task: _Task, options: argparse.Namespace) -> list[Path]:
    """Return the files of a photo.

    Raises:
        AddonError: it could not be reconstructed or written.
    """
    from .export import save_scene
    from .importer.camera import look_through

    settings = {name: getattr(options, name) for name in ("preset", "max_persons", "texture_size")}
    entry = _reconstruct_one(session, task, settings)
    if entry.state is not EntryState.DONE:
        failure = entry.failure
        if failure is None:
            raise AddonError("CANCELLED", "It was cancelled.")
        raise AddonError(failure.code, failure.title, detail=failure.detail, hint=failure.hint)
    look_through(bpy.context.scene, bpy.context.scene.camera)
    return save_scene(task.folder, list(options.formats))


def _run_tasks(session: Session, tasks: list[_Task], options: argparse.Namespace) -> int:
    failed = 0
    for task in tasks:
        try:
            written = _write(session, task, options)
            _say(f"{task.photo.name}: {', '.join(str(file) for file in written)}")
        except AddonError as error:
            failed += 1
            _say(f"{task.photo.name}: {error}")
            if session.manager.failure is not None and session.manager.failure.code != "BACKEND_GONE":
                return _NO_BACKEND
        except OSError as error:
            failed += 1
            _say(f"{task.photo.name}: {_not_written(error)}")
    return _FAILED if failed else 0


def _not_written(error: OSError) -> str:
    hint = "Choose another folder with --out, or make this one writable."
    return f"The result can not be written: {error.strerror} ({error.filename}). {hint}"


def _run(arguments: list[str]) -> int:
    """Run the command: 0 all, 1 some failed, 2 usage or no photo, 3 no backend, 130 cancelled."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return _USAGE if end.code else 0
    session, tasks = current(), list(_tasks(options))
    if not tasks:
        _say("No photo was found.")
        return _USAGE
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        return _run_tasks(session, tasks, options)
    except OSError as error:
        _say(_not_written(error))
        return _USAGE
    except KeyboardInterrupt:
        _say("Cancelled.")
        return _CANCELLED
    finally:
        session.cancel()
        session.manager.close()


def register() -> None:
    """Make the command known."""
    _handles.append(bpy.utils.register_cli_command(_COMMAND, _run))


def unregister() -> None:
    """Forget the command."""
    while _handles:
        bpy.utils.unregister_cli_command(_handles.pop())
