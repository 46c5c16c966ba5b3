"""The square of a photo around one person that the networks see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.errors import InvalidInputError
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera

# The person's share of the crop's edge, about what the networks were trained with.
_MARGIN = 1.12
_INSIDE = 0.5


@dataclass(frozen=True)
class Crop:
    """The square of the photo that the networks see.

    Attributes:
        left: x of its left border in photo pixels; may lie outside the photo.
        top: y of its upper border.
        edge: photo pixels along its edge.
        size: pixels along the edge of the networks' picture and maps.
    """

    left: float
    top: float
    edge: float
    size: int

    def camera(self, camera: Camera) -> Camera:
        """The camera of the crop at the networks' resolution, of the photo's camera."""
        cut = camera.cropped(self.left, self.top, self.size, self.size)
        return cut.scaled(self.size / self.edge, self.size, self.size)

    def to_crop(self, pixels: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Photo pixels (..., 2) as pixels of the networks' maps."""
        moved = (np.asarray(pixels, np.float64) - (self.left, self.top)) * (self.size / self.edge)
        return np.asarray(moved, np.float32)


def crop_of(mask: NDArray[np.floating[Any]], fit: BodyFit, size: int) -> Crop:
    """The square around the visible person: mask and the part of the body that is in the photo.

    Raises:
        InvalidInputError: the mask is empty or has not the photo's size.
    """
    camera = fit.camera
    if mask.shape != (camera.height, camera.width):
        raise InvalidInputError(
            "The mask has not the size of the photo.",
            detail=f"expected {(camera.height, camera.width)}, found {mask.shape}",
        )
    rows, columns = np.nonzero(np.asarray(mask) >= _INSIDE)
    if not len(rows):
        raise InvalidInputError("The mask of the person is empty.", detail="no pixel has a value of 0.5 or more")
    limit = np.array([camera.width, camera.height], np.float64)
    pixels = np.clip(camera.project(fit.vertices_cam).astype(np.float64), 0, limit)
    low = np.minimum([columns.min(), rows.min()], pixels.min(0))
    high = np.maximum([columns.max() + 1, rows.max() + 1], pixels.max(0))
    edge = float((high - low).max() * _MARGIN)
    left, top = _kept_inside(low, high, edge, limit)
    return Crop(left, top, edge, size)


def _kept_inside(
    low: NDArray[np.float64], high: NDArray[np.float64], edge: float, limit: NDArray[np.float64]
) -> tuple[float, float]:
    """Corner of the square: in the middle of the box, but ending at the photo's border where the person does.

    In training whoever is cut off is cut off by the picture's own border.
    """
    corner = (low + high) / 2 - edge / 2
    for axis in range(2):
        starts, ends = low[axis] <= 1, high[axis] >= limit[axis] - 1
        if ends and not starts:
            corner[axis] = limit[axis] - edge
        elif starts and not ends:
            corner[axis] = 0.0
    return float(corner[0]), float(corner[1])


def picture_of(image: NDArray[Any], crop: Crop) -> Tensor:
    """The crop of a picture (H, W) or (H, W, 3) as (1, C, R, R) float32, zero outside it."""
    scale = crop.size / crop.edge
    # Pixels are squares: centres lie at halves on both sides.
    matrix = np.array(
        [[scale, 0, 0.5 * scale - 0.5 - crop.left * scale], [0, scale, 0.5 * scale - 0.5 - crop.top * scale]]
    )
    source: NDArray[Any] = np.asarray(image, np.float32)
    if scale < 1:
        # Bilinear reading of a bigger picture would skip pixels.
        source = cv2.GaussianBlur(source, (0, 0), 0.4 / scale - 0.4)
    cut = cv2.warpAffine(source, matrix, (crop.size, crop.size), flags=cv2.INTER_LINEAR)
    planes = cut[..., None] if cut.ndim == 2 else cut
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1), np.float32))[None]
