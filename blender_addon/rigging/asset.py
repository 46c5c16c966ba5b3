"""A person as an asset: its collection, marked for the Asset Browser, with the photo as its picture."""

from __future__ import annotations

import bpy
import numpy as np

from ..importer.character import Array

_EDGE = 256
TAGS = ("MuNet", "person")


def home_of(rig: bpy.types.Object) -> bpy.types.Collection | None:
    """Return the collection that holds the person of ``rig``, None if that is a scene's own."""
    return next((home for home in rig.users_collection if home.name in bpy.data.collections), None)


def mark_person(rig: bpy.types.Object) -> bpy.types.Collection | None:
    """Mark the collection of the person of ``rig`` as an asset; returns it, None if there is none."""
    home = home_of(rig)
    if home is None:
        return None
    home.asset_mark()
    home.asset_data.description = f"From {rig.get('munet_photo', '')}"
    for tag in TAGS:
        home.asset_data.tags.new(tag, skip_if_exists=True)
    photo = _photo(rig)
    if photo is not None:
        _show(home, _squared(photo))
    elif not bpy.app.background:
        home.asset_generate_preview()
    return home


def _photo(rig: bpy.types.Object) -> bpy.types.Image | None:
    camera = rig.get("munet_camera")
    backgrounds = camera.data.background_images if camera is not None else ()
    images: list[bpy.types.Image] = [shown.image for shown in backgrounds if shown.image is not None]
    return next((image for image in images if image.size[0]), None)


def _squared(photo: bpy.types.Image) -> Array:
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
