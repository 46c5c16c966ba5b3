"""The pinhole camera of a photo (OpenCV frame: x right, y down, z forward)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion.

    Attributes:
        focal: focal length in pixels, the same for both axes.
        center: principal point (x, y) in pixels.
        width: image width in pixels.
        height: image height in pixels.
    """

    focal: float
    center: tuple[float, float]
    width: int
    height: int

    @property
    def matrix(self) -> NDArray[np.float32]:
        """Intrinsic matrix (3, 3): ``matrix @ point_cam`` is the homogeneous pixel."""
        cx, cy = self.center
        return np.array([[self.focal, 0, cx], [0, self.focal, cy], [0, 0, 1]], np.float32)

    def project(self, points_cam: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Project points (..., 3) in metres, camera frame, to pixels (..., 2)."""
        points = np.asarray(points_cam, np.float64)
        pixels = points[..., :2] / points[..., 2:3] * self.focal + np.asarray(self.center)
        projected: NDArray[np.float32] = pixels.astype(np.float32)
        return projected

    def scaled(self, factor: float, width: int, height: int) -> Camera:
        """Return the same camera for the image resized by ``factor`` to ``width`` x ``height`` pixels."""
        cx, cy = self.center
        return replace(self, focal=self.focal * factor, center=(cx * factor, cy * factor), width=width, height=height)

    def cropped(self, left: float, top: float, width: int, height: int) -> Camera:
        """Return the camera of the image region that starts at (left, top)."""
        cx, cy = self.center
        return replace(self, center=(cx - left, cy - top), width=width, height=height)
