"""Small pictures of the photos; Blender reads them in the background when they are first drawn."""

from __future__ import annotations

import bpy.utils.previews

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
