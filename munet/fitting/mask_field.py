"""The person's mask as a smooth signed distance that can be sampled with its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CELLS = 256
"""Cells along the long side of the field: enough to place a body, small enough to make in a millisecond."""


@dataclass(frozen=True)
class MaskField:
    """Signed distance to the outline of the mask, in pixels, positive outside.

    Attributes:
        distance: (h, w) at the centres of the cells.
        slope_x, slope_y: (h, w) derivative by photo pixels.
        origin: (2,) photo pixel of the corner of the field.
        cell: photo pixels per cell.
        image_size: (2,) width and height of the photo; nothing is known beyond it.
    """

    distance: Array
    slope_x: Array
    slope_y: Array
    origin: Array
    cell: float
    image_size: Array


def make_mask_field(mask: NDArray[np.float32], box: NDArray[np.float32], margin: float) -> MaskField | None:
    """Make the field around ``box`` (left, top, right, bottom), wider by ``margin`` pixels; None for an empty mask."""
    height, width = mask.shape
    left, top = np.floor(np.maximum(box[:2] - margin, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:] + margin, [width, height])).astype(int)
    region = mask[top:bottom, left:right]
    if region.size == 0 or float(region.max()) < 0.5:
        return None
    cell = max(1.0, max(region.shape) / CELLS)
    size = (max(2, round(region.shape[1] / cell)), max(2, round(region.shape[0] / cell)))
    inside = (cv2.resize(region, size, interpolation=cv2.INTER_AREA) >= 0.5).astype(np.uint8)
    if not inside.any():
        return None
    distance = _signed_distance(inside) * cell
    slope_y, slope_x = np.gradient(distance, cell)
    return MaskField(distance, slope_x, slope_y, np.array([left, top], float), cell, np.array([width, height], float))


def _signed_distance(inside: NDArray[np.uint8]) -> Array:
    """Signed distance in cells; the border of the photo is no outline, so it is continued outwards first."""
    padded = cv2.copyMakeBorder(inside, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    within = cv2.distanceTransform(padded, cv2.DIST_L2, 5).astype(np.float64)
    beyond = cv2.distanceTransform(1 - padded, cv2.DIST_L2, 5).astype(np.float64)
    if not (padded == 0).any():
        within[:] = max(inside.shape)
    signed = np.where(padded > 0, 0.5 - within, beyond - 0.5)[2:-2, 2:-2]
    return np.asarray(cv2.GaussianBlur(signed, (0, 0), 1.0), np.float64)


def sample(field: MaskField, pixels: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Sample at photo pixels (N, 2); returns distance (N,), gradient (N, 2) and whether it lies in the photo (N,)."""
    known = np.all((pixels >= 0) & (pixels <= field.image_size), axis=1)
    place = (pixels - field.origin) / field.cell - 0.5
    height, width = field.distance.shape
    inside = np.stack([np.clip(place[:, 0], 0, width - 1.001), np.clip(place[:, 1], 0, height - 1.001)], 1)
    column, row = inside.astype(int).T
    fx, fy = (inside - np.stack([column, row], 1)).T

    def blend(grid: Array) -> Array:
        upper = grid[row, column] * (1 - fx) + grid[row, column + 1] * fx
        lower = grid[row + 1, column] * (1 - fx) + grid[row + 1, column + 1] * fx
        result: Array = upper * (1 - fy) + lower * fy
        return result

    gap = (place - inside) * field.cell
    distance = blend(field.distance) + np.linalg.norm(gap, axis=1)
    gradient = np.stack([blend(field.slope_x), blend(field.slope_y)], 1)
    away = np.linalg.norm(gap, axis=1) > 1e-6
    gradient[away] = gap[away] / np.linalg.norm(gap[away], axis=1, keepdims=True)
    return distance, gradient, np.asarray(known, bool)
