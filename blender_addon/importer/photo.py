"""The photo a result was made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from .exif import exif_orientation, upright
from .png import encode_png


@dataclass(frozen=True)
class Photo:
    """A photo by its file name and the bytes of its file (empty if the file is gone), and where the file is."""

    name: str
    data: bytes
    path: str = ""

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return Path(self.name).stem

    @property
    def sha256(self) -> str:
        """SHA-256 of the file in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def read_photo(path: Path) -> Photo:
    """Read the photo at ``path``."""
    return Photo(path.name, path.read_bytes(), str(path.absolute()))


def upright_bytes(data: bytes, image: bpy.types.Image, size: tuple[int, int]) -> bytes | None:
    """Return ``image`` as an upright PNG if Blender shows it turned against the photo's ``size``, otherwise None.

    Blender ignores the EXIF orientation; the backend obeys it.
    """
    orientation = exif_orientation(data)
    if orientation == 1:
        return None
    width, height = image.size
    if orientation >= 5 and (width, height) == size:
        return None
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bottom_up = pixels.reshape(height, width, 4)[:, :, :3]
    return encode_png(upright((bottom_up[::-1] * 255 + 0.5).astype(np.uint8), orientation))
