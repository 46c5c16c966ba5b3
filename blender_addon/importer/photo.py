"""The photo a result was made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

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


def turn_of(data: bytes, image: bpy.types.Image, size: tuple[int, int]) -> int:
    """Return the EXIF orientation in which Blender shows ``image`` turned against the photo's ``size``, 1 if in none.

    Blender ignores the EXIF orientation; the backend obeys it.
    """
    orientation = exif_orientation(data)
    return 1 if orientation >= 5 and tuple(image.size) == size else orientation


def stored_pixels(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return the pixels (H, W, 4) of ``image`` as Blender holds them, first row at the bottom, in [0, 1]."""
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)


def upright_png(pixels: NDArray[np.float32], orientation: int) -> bytes:
    """Return stored ``pixels`` of an EXIF ``orientation`` as an upright PNG; touches nothing of Blender's."""
    levels = (pixels[::-1, :, :3] * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return encode_png(upright(levels, orientation))
