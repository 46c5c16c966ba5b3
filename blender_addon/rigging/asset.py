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
from ..importer.material import pack_image
from ..importer.scene import camera_of
from ..steps import Steps

_log = logging.getLogger(__package__)
_EDGE = 256
_GIVEN, _SMALL = "photo", "small.npy"
TAGS = ("MuNet", "person")


def home_of(rig: bpy.types.Object) -> bpy.types.Collection | None:
    """Return the collection of this file that holds the person of ``rig``, None if that is a scene's own."""
    homes = (home for home in rig.users_collection if home.name in bpy.data.collections)
    return next((home for home in homes if home.library is None and home.override_library is None), None)


def marking_person(rig: bpy.types.Object, program: Sequence[str]) -> Steps[bpy.types.Collection | None]:
    """Mark the collection of the person of ``rig`` as an asset, in steps; returns it, None if there is none.

    Args:
        rig: of the person.
        program: the command that runs a script in another Blender, which makes the small picture of a large photo.
    """
    home, photo = home_of(rig), _photo(rig)
    if home is None:
        return None
    picture = (yield from _small_picture(rig, photo, program)) if photo is not None else None
    home.asset_mark()
    home.asset_data.description = f"From {rig.get('munet_photo', '')}"
    for tag in TAGS:
        home.asset_data.tags.new(tag, skip_if_exists=True)
    if picture is not None:
        _show(home, picture)
    elif not bpy.app.background:
        home.asset_generate_preview()
    return home


def _photo(rig: bpy.types.Object) -> bpy.types.Image | None:
    camera = camera_of(rig)
    backgrounds = camera.data.background_images if camera is not None else ()
    images: list[bpy.types.Image] = [shown.image for shown in backgrounds if shown.image is not None]
    return next((image for image in images if image.packed_file is not None or image.size[0]), None)


def _small_picture(rig: bpy.types.Object, photo: bpy.types.Image, program: Sequence[str]) -> Steps[Array | None]:
    """Return the picture (256, 256, 4) of an asset, bottom row first; None if ``photo`` can not be read."""
    if program and photo.packed_file is not None and math.prod(camera_of(rig)["munet_image_size"]) > LARGE:
        try:
            return (yield from squaring_elsewhere(bytes(photo.packed_file.data), program))
        except AddonError:
            _log.warning("the picture of the asset is made in this Blender", exc_info=True)
    return squared(photo) if photo.size[0] else None


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
