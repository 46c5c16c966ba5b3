"""The picture that an Image Editor shows, as a file the backend can read."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from .errors import AddonError
from .importer.png import encode_png

_HINT = "Save it as a file, or take another picture."


def shown_picture(context: bpy.types.Context) -> bpy.types.Image | None:
    """Return the picture of the editor at hand, or else of the first Image Editor of the window."""
    areas = context.window.screen.areas if context.window else ()
    spaces = [context.space_data, *(area.spaces.active for area in areas)]
    editors = [space for space in spaces if space is not None and space.type == "IMAGE_EDITOR"]
    images: list[bpy.types.Image | None] = [space.image for space in editors]
    return next((image for image in images if image is not None), None)


def picture_file(image: bpy.types.Image) -> Path:
    """Return the file of ``image``; what is packed, painted or generated is written to Blender's temporary folder.

    Raises:
        AddonError: NO_PICTURE: it has neither a file nor 8-bit pixels.
    """
    if image.source == "FILE" and not image.is_dirty:
        if image.packed_file is not None:
            return _temporary(image, bytes(image.packed_file.data), Path(image.filepath).suffix or ".png")
        path = Path(bpy.path.abspath(image.filepath, library=image.library))
        if path.is_file():
            return path
    if image.source not in {"FILE", "GENERATED"} or image.is_float or not image.size[0]:
        raise AddonError("NO_PICTURE", "This picture has no file.", detail=f"{image.name}.", hint=_HINT)
    return _temporary(image, encode_png(_pixels(image)), ".png")


def _pixels(image: bpy.types.Image) -> np.ndarray:
    width, height = image.size
    values = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(values)
    rows = values.reshape(height, width, image.channels)[::-1]
    if image.channels < 3:
        rows = np.repeat(rows[:, :, :1], 3, axis=2)
    return np.rint(np.clip(rows[:, :, :3], 0.0, 1.0) * 255).astype(np.uint8)


def _temporary(image: bpy.types.Image, data: bytes, ending: str) -> Path:
    path = Path(bpy.app.tempdir) / (bpy.path.clean_name(Path(image.name).stem) + ending)
    path.write_bytes(data)
    return path
