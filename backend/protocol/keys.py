"""Files with CURVE keys, in the format of ZeroMQ's own tools. Standard library only."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from .errors import BackendError

PUBLIC_SUFFIX = ".key"
SECRET_SUFFIX = ".key_secret"  # noqa: S105 a file name
KEY_LETTERS = 40
MAX_BYTES = 1 << 14
_VALUE = re.compile(r'^\s*(public|secret)-key\s*=\s*"([^"]+)"', re.MULTILINE)


def read_key_file(path: Path) -> tuple[str, str]:
    """Return public and secret key (Z85) of a ``.key_secret`` file.

    Raises:
        BackendError: KEY_FILE: it is missing, holds no pair, or can be read by others.
    """
    keys = _keys(path)
    if set(keys) != {"public", "secret"}:
        raise _unusable(path, "It does not hold a public and a secret key.")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise _unusable(path, "Other users of this computer can read it; change its mode to 600.")
    return keys["public"], keys["secret"]


def read_public_key(path: Path) -> str:
    """Return the public key (Z85) of a ``.key`` or ``.key_secret`` file.

    Raises:
        BackendError: KEY_FILE: it is missing or holds none.
    """
    keys = _keys(path)
    if "public" not in keys:
        raise _unusable(path, "It does not hold a public key.")
    return keys["public"]


def write_public_key(path: Path, public: str) -> Path:
    """Write a ``.key`` file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'metadata\ncurve\n    public-key = "{public}"\n', encoding="ascii")
    return path


def write_key_file(path: Path, public: str, secret: str) -> Path:
    """Write a ``.key_secret`` file that only this user can read; it must not exist yet.

    Raises:
        BackendError: KEY_FILE: there is a key already, or the folder can not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f'metadata\ncurve\n    public-key = "{public}"\n    secret-key = "{secret}"\n')
    except FileExistsError as error:
        raise _unusable(path, "There is a key already; remove it first if it shall be replaced.") from error
    except OSError as error:
        raise _unusable(path, str(error)) from error
    return path


def _keys(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from error
    return {match[1]: match[2] for match in _VALUE.finditer(text) if len(match[2]) == KEY_LETTERS}


def _unusable(path: Path, detail: str) -> BackendError:
    hint = "Make keys with: python -m backend.keys."
    return BackendError("KEY_FILE", f"The key file {path} can not be used.", detail=detail, hint=hint)
