"""Small pictures of the photos; Blender reads them in the background when they are first drawn."""

from __future__ import annotations

from typing import Any

import bpy.utils.previews
import numpy as np
from numpy.typing import NDArray

_collections: list[bpy.utils.previews.ImagePreviewCollection] = []


def open_thumbnails() -> None:
    """Make an empty collection; called by register."""
    close_thumbnails()
    _collections.append(bpy.utils.previews.new())


def close_thumbnails() -> None:
    """Free all pictures; called by unregister, safe to call twice."""
    while _collections:
        bpy.utils.previews.remove(_collections.pop())


def thumbnail(path: str) -> int:
    """Return the icon of the photo at ``path``; one that can not be read stays blank."""
    collection = _collections[-1]
    preview = collection.get(path) or collection.load(path, path, "IMAGE")
    return int(preview.icon_id)


def person_key(path: str, index: int) -> str:
    """Return the key of the small picture of a person in the photo at ``path``."""
    return f"{path}#{index}"


def show_person(key: str, picture: NDArray[Any]) -> None:
    """Keep ``picture`` (H, W, 3) uint8 sRGB under ``key``."""
    preview = _collections[-1].get(key) or _collections[-1].new(key)
    rows = np.ones((*picture.shape[:2], 4), dtype=np.float32)
    rows[:, :, :3] = picture[::-1].astype(np.float32) / 255.0
    preview.image_size = (picture.shape[1], picture.shape[0])
    preview.image_pixels_float.foreach_set(rows.reshape(-1))


def person_icon(key: str) -> int:
    """Return the icon of the person kept under ``key``; 0 if there is none."""
    preview = _collections[-1].get(key)
    return int(preview.icon_id) if preview is not None else 0
