"""Private directories of the user for run files and logs, on every platform."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from .errors import BackendError

RUNTIME_VARIABLE = "MUNET_RUNTIME_DIR"


def runtime_dir() -> Path:
    """Return where run files live; the environment variable MUNET_RUNTIME_DIR overrides the platform's place."""
    override = os.environ.get(RUNTIME_VARIABLE)
    if override:
        return Path(override)
    session = os.environ.get("XDG_RUNTIME_DIR", "")
    if sys.platform.startswith("linux") and session and Path(session).is_dir():
        return Path(session) / "munet"
    return state_dir() / "run"


def log_dir() -> Path:
    """Return where log files live: beside the run files if those were moved, else the platform's place."""
    override = os.environ.get(RUNTIME_VARIABLE)
    return Path(override) / "log" if override else state_dir() / "log"


def state_dir() -> Path:
    """Return the user's folder for what a program remembers."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "munet"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "munet"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "munet"


def make_private_dir(path: Path) -> Path:
    """Create ``path`` readable by the user alone (mode 0700) and return it.

    Raises:
        BackendError: RUNTIME_DIR: it can not be created, is a link or belongs to somebody else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            _make_private(path)
    except OSError as error:
        raise _refused(path, str(error)) from error
    return path


def _make_private(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise _refused(path, "It is not a directory.")
    if status.st_uid != os.getuid():
        raise _refused(path, "It belongs to another user.")
    if stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o700)


def _refused(path: Path, detail: str) -> BackendError:
    hint = f"Set {RUNTIME_VARIABLE} to a folder that only you can read."
    return BackendError("RUNTIME_DIR", f"The folder {path} can not be used for run files.", detail=detail, hint=hint)
