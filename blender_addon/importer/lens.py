"""Blender's lens and shift from a pinhole camera matrix. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Lens:
    """A Blender camera with the sensor fitted to the image's width.

    Attributes:
        focal_mm: focal length.
        shift_x, shift_y: shift in image widths.
        pixel_aspect_y: height of a pixel over its width.
    """

    focal_mm: float
    shift_x: float
    shift_y: float
    pixel_aspect_y: float


def lens_from_matrix(matrix: NDArray[Any], size: tuple[int, int], sensor_mm: float) -> Lens:
    """Turn a camera matrix (3, 3) in pixels of an image of ``size`` (width, height) into Blender's terms."""
    width, height = size
    aspect = float(matrix[0, 0] / matrix[1, 1])
    return Lens(
        focal_mm=float(matrix[0, 0]) * sensor_mm / width,
        shift_x=(width / 2 - float(matrix[0, 2])) / width,
        shift_y=(float(matrix[1, 2]) - height / 2) * aspect / width,
        pixel_aspect_y=aspect,
    )
