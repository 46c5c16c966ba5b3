"""A backend on another computer: its address, its key, and the key it knows this user by. No bpy."""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..backend.protocol import MAJOR, BackendError, RunFile, read_key_file
from ..errors import AddonError
from .discovery import BackendPlace

_ADDRESS = re.compile(r"(?:tcp://)?(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
_Z85 = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_HINT = "Open the preferences of the extension, Backend: Another Computer."


def remote_run(place: BackendPlace) -> RunFile:
    """Return where the backend at ``place.endpoint`` listens, in the form of a run file without a token.

    Raises:
        AddonError: REMOTE: address or key are malformed.
    """
    match = _ADDRESS.fullmatch(place.endpoint.strip())
    if match is None or not 0 < int(match[2]) < 65536:
        raise _malformed("The address of the other computer is malformed.", f"Expected host:port: {place.endpoint!r}.")
    key = place.server_key.strip()
    if not _Z85.fullmatch(key):
        raise _malformed("The key of the other computer is malformed.", "Expected the 40 letters of its public key.")
    return RunFile(match[1].strip("[]"), int(match[2]), 0, MAJOR, "", time.time(), key)


def remote_keys(place: BackendPlace) -> tuple[str, str]:
    """Return the user's own public and secret key.

    Raises:
        AddonError: REMOTE: the file is missing or holds no key pair.
    """
    if not place.key_file:
        raise _malformed("Your own key is missing.", "No key file is chosen.")
    try:
        return read_key_file(Path(place.key_file))
    except BackendError as error:
        raise _malformed(error.title, error.detail) from error


def silent(detail: str) -> AddonError:
    """Return the failure of a backend that can not be reached: wrong address, firewall, or a key it does not know."""
    hint = "Check that it runs there, that its port is open, and that it knows your key and you know its key."
    return AddonError("REMOTE", "The other backend does not answer.", detail=detail, hint=hint)


def _malformed(title: str, detail: str) -> AddonError:
    return AddonError("REMOTE", title, detail=detail, hint=_HINT)
