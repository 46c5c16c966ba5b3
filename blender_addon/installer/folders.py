"""The folder the backend is installed in: whose it is, what is in it, how it is removed. No bpy."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ..backend_manager.installation import COMPLETE, OWNERSHIP, environments, is_ours
from ..errors import AddonError
from .variants import GIGABYTE

SUBFOLDER = "munet-backend"
DOWNLOADS = "downloads"
LOG = "install.log"
TRASH = "removed-"
LOCK = "install.lock"
LIBRARIES = "munet-libraries.txt"
"""In an environment: all libraries are there and work."""


def default_folder() -> Path:
    """Return where the backend goes if the user does not choose: the user's folder for programs' data."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "munet" / "backend"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "munet" / "backend"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "munet" / "backend"


def own_folder(chosen: Path) -> Path:
    """Return the folder to install into: the chosen one if it is ours, new or empty, else a folder of ours in it."""
    if is_ours(chosen) or not chosen.exists() or (chosen.is_dir() and not any(chosen.iterdir())):
        return chosen
    return chosen / SUBFOLDER


def claim(folder: Path) -> None:
    """Make ``folder`` ours, so that it can be removed again.

    Raises:
        AddonError: FOLDER: it holds something else, or can not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not is_ours(folder):
            if any(folder.iterdir()):
                raise AddonError(
                    "FOLDER",
                    "The folder is not empty.",
                    detail=f"{folder} was not made by this extension.",
                    hint="Choose another folder.",
                )
            mark = {"application": "munet-backend", "schema": 1}
            (folder / OWNERSHIP).write_text(json.dumps(mark), encoding="utf-8")
    except OSError as error:
        detail = f"{folder}: {error.strerror}."
        raise AddonError(
            "FOLDER", "The folder can not be written.", detail=detail, hint="Choose another folder."
        ) from error


def check_room(folder: Path, needed: int) -> None:
    """Make sure that the disk has room.

    Raises:
        AddonError: DISK_FULL.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise AddonError(
            "DISK_FULL",
            "There is not enough room on the disk.",
            detail=f"Needed are {needed / GIGABYTE:.1f} GB in {folder}, {free / GIGABYTE:.1f} GB are free.",
            hint="Free some space, or choose a folder on another disk.",
        )


def start_environment(folder: Path, name: str) -> Path:
    """Return the folder for a new environment ``name``; what an interrupted installation left there is put aside.

    Removing it can take a while, so that is done when the new one is complete.
    """
    path = folder / name
    if path.exists():
        path.rename(folder / f"{TRASH}{time.time_ns()}")
    return path


def finish_environment(folder: Path, name: str, facts: dict[str, object]) -> None:
    """Declare an environment complete, as the very last step, and remove those it replaces and the downloads."""
    partial = folder / name / (COMPLETE + ".part")
    partial.write_text(json.dumps({**facts, "environment": name}, indent=1), encoding="utf-8")
    partial.replace(folder / name / COMPLETE)
    for other in environments(folder):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)
    shutil.rmtree(folder / DOWNLOADS, ignore_errors=True)
    _empty_trash(folder)


def _empty_trash(folder: Path) -> None:
    for path in folder.glob(f"{TRASH}*"):
        shutil.rmtree(path, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove what was installed in ``folder``, and the folder if nothing else is left in it.

    Raises:
        AddonError: FOLDER: the folder is not ours, or something in it can not be removed.
    """
    if not is_ours(folder):
        raise AddonError(
            "FOLDER",
            "The backend was not removed.",
            detail=f"{folder} was not made by this extension.",
            hint="Remove it yourself if it is not needed.",
        )
    try:
        for path in environments(folder):
            (path / COMPLETE).unlink(missing_ok=True)
            shutil.rmtree(path)
        shutil.rmtree(folder / DOWNLOADS, ignore_errors=True)
        _empty_trash(folder)
        for name in (LOG, LOCK, OWNERSHIP):
            (folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
    except OSError as error:
        hint = "Stop the backend and other Blenders, then try again."
        raise AddonError("FOLDER", "The backend was not removed completely.", detail=str(error), hint=hint) from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system frees however this process ends.

    Raises:
        AddonError: LOCKED: another Blender is installing here.
    """
    with (folder / LOCK).open("a+b") as stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            raise AddonError(
                "LOCKED",
                "Another Blender is installing the backend.",
                detail=str(folder),
                hint="Wait until it has finished.",
            ) from error
        yield


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
