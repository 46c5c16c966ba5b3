"""A large photo turned upright by a Blender of its own: handing out its pixels would hold the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ..elsewhere import answer, asking
from ..errors import AddonError
from ..steps import Steps
from .material import pack_image
from .photo import stored_pixels, upright_png

_STORED, _TURNED = "stored", "turned.png"


def turning_elsewhere(data: bytes, orientation: int, program: Sequence[str]) -> Steps[bytes]:
    """Return the image file ``data`` of an EXIF ``orientation`` as an upright PNG, in steps.

    Raises:
        AddonError: PHOTO: the Blender of the command ``program`` could not do it.
    """

    def prepare(folder: Path) -> dict[str, Any]:
        (folder / _STORED).write_bytes(data)
        return {"orientation": orientation}

    def read(folder: Path) -> bytes:
        return (folder / _TURNED).read_bytes()

    return (yield from asking(program, "importer.photo_aside", prepare, read, _failed))


def _failed(detail: str) -> AddonError:
    return AddonError("PHOTO", "The photo could not be turned upright.", detail=detail)


def run(path: Path) -> int:
    """Do the job at ``path`` in the Blender that was started for it; returns the exit status."""
    return answer(path, _turn, _failed)


def _turn(job: dict[str, Any], folder: Path) -> None:
    image = pack_image("photo", (folder / _STORED).read_bytes())
    (folder / _TURNED).write_bytes(upright_png(stored_pixels(image), job["orientation"]))
    bpy.data.images.remove(image)
