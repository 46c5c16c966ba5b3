"""The bytes of a clip, for a backend that can not read this computer's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..protocol import messages
from ..protocol.errors import BackendError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def read_clip(paths: Sequence[Path]) -> tuple[bytes, list[tuple[str, int]]]:
    """Return all files' bytes, one after the other, and name and size of each.

    Raises:
        BackendError: INVALID_INPUT: a file can not be read, is empty, or all are too large together.
    """
    parts: list[bytes] = []
    for path in paths:
        try:
            parts.append(path.read_bytes())
        except OSError as error:
            raise BackendError("INVALID_INPUT", f"{path.name} can not be read.", detail=str(error.strerror)) from error
        if not parts[-1] or sum(map(len, parts)) > messages.MAX_IMAGE_BYTES:
            title = "The clip is too large to be sent." if parts[-1] else f"{path.name} is empty."
            detail = f"At most {messages.MAX_IMAGE_BYTES >> 20} MB travel to a backend on another computer."
            hint = "Use a smaller video, fewer pictures, or a backend on this computer."
            raise BackendError("INVALID_INPUT", title, detail=detail, hint=hint)
    return b"".join(parts), [(path.name, len(part)) for path, part in zip(paths, parts, strict=True)]
