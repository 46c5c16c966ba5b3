"""A person as an asset: its collection, marked for the Asset Browser, with the photo as its picture."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..elsewhere import answer, asking
from ..errors import AddonError
from ..importer.camera import LARGE
from ..importer.character import Array
from ..importer.exif import picture_size
from ..importer.material import pack_image
from ..people import camera_of, home_of
from ..steps import Steps

_log = logging.getLogger(__package__)
_EDGE = 256
_GIVEN, _SMALL = "photo", "small.npy"
TAGS = ("MuNet", "person")


def marking_person(rig: bpy.types.Object, program: Sequence[str]) -> Steps[bpy.types.Collection | None]:
    """Mark the collection of the person of ``rig`` as an asset, in steps; returns it, None if there is none.

    Args:
        rig: of the person.
        program: the command that runs a script in another Blender, which makes the small picture of a large photo.
    """
    home, (photo, data) = home_of(rig), _photo(rig)
    if home is None:
        return None
    picture = (yield from _small_picture(photo, data, program)) if photo is not None else None
    home.asset_mark()
    home.asset_data.description = f"From {rig.get('munet_photo', '')}"
    for tag in TAGS:
        home.asset_data.tags.new(tag, skip_if_exists=True)
    if picture is not None:
        _show(home, picture)
    elif not bpy.app.background:
        home.asset_generate_preview()
    return home


def _photo(rig: bpy.types.Object) -> tuple[bpy.types.Image | None, bytes]:
    """Return the picture behind the person, if it can be read, and its file, empty if it has none."""
    camera = camera_of(rig)
    backgrounds = camera.data.background_images if camera is not None else ()
    images = [(shown.image, _file_of(shown.image)) for shown in backgrounds if shown.image is not None]
    return next(((image, data) for image, data in images if data or image.size[0]), (None, b""))


def _file_of(image: bpy.types.Image) -> bytes:
    if image.source != "FILE" or image.is_dirty:
        return b""
    if image.packed_file is not None:
        return bytes(image.packed_file.data)
    try:
        return Path(bpy.path.abspath(image.filepath, library=image.library)).read_bytes()
    except OSError:
        return b""


def _small_picture(photo: bpy.types.Image, data: bytes, program: Sequence[str]) -> Steps[Array | None]:
    """Return the picture (256, 256, 4) of an asset, bottom row first; None if ``photo`` can not be read."""
    if program and data and _is_large(photo, data):
        try:
            return (yield from squaring_elsewhere(data, program))
        except AddonError:
            _log.warning("the picture of the asset is made in this Blender", exc_info=True)
    return squared(photo) if photo.size[0] else None


def _is_large(photo: bpy.types.Image, data: bytes) -> bool:
    """Return whether ``photo`` may take long: to ask Blender for the size of what it has not read yet takes long, too.

    The artist may have put another picture there than the one that was reconstructed.
    """
    size = tuple(photo.size) if photo.has_data else picture_size(data)
    return size == (0, 0) or math.prod(size) > LARGE


def squaring_elsewhere(data: bytes, program: Sequence[str]) -> Steps[Array]:
    """Return what :func:`squared` makes of the image file ``data``, in another Blender, in steps.

    Raises:
        AddonError: PHOTO: the Blender of the command ``program`` could not do it.
    """

    def prepare(folder: Path) -> dict[str, Any]:
        (folder / _GIVEN).write_bytes(data)
        return {}

    def read(folder: Path) -> Array:
        picture: Array = np.load(folder / _SMALL, allow_pickle=False)
        return picture

    return (yield from asking(program, "rigging.asset", prepare, read, _failed))


def _failed(detail: str) -> AddonError:
    return AddonError("PHOTO", "The photo could not be made smaller.", detail=detail)


def run(path: Path) -> int:
    """Do the job at ``path`` in the Blender that was started for it; returns the exit status."""

    def square(_job: dict[str, Any], folder: Path) -> None:
        np.save(folder / _SMALL, squared(pack_image("photo", (folder / _GIVEN).read_bytes())))

    return answer(path, square, _failed)


def squared(photo: bpy.types.Image) -> Array:
    """Return ``photo`` (256, 256, 4), bottom row first, with transparent margins."""
    small = photo.copy()
    try:
        share = _EDGE / max(photo.size)
        width, height = (max(1, round(share * edge)) for edge in photo.size)
        small.scale(width, height)
        flat = np.empty(width * height * 4, dtype=np.float32)
        small.pixels.foreach_get(flat)
    finally:
        bpy.data.images.remove(small)
    picture = np.zeros((_EDGE, _EDGE, 4), dtype=np.float32)
    top, left = (_EDGE - height) // 2, (_EDGE - width) // 2
    picture[top : top + height, left : left + width] = flat.reshape(height, width, 4)
    return picture


def _show(home: bpy.types.Collection, picture: Array) -> None:
    preview = home.preview_ensure()
    preview.image_size = (_EDGE, _EDGE)
    preview.image_pixels_float.foreach_set(picture.reshape(-1))
