"""Where the camera stands before the fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.perception.observation import Photo

Array = NDArray[np.float64]

USUAL_FOCAL = 1.25
"""Focal length over the long side of a photo without EXIF: 45 mm on 36 x 24 mm film."""


def guess_focal(photo: Photo) -> tuple[float, float]:
    """Return the focal length in working pixels and how far (log units, one sigma) it may be off."""
    if photo.focal is not None:
        return float(photo.focal), 0.03
    return USUAL_FOCAL * max(photo.image.shape[:2]), 0.12


def place_body(points: Array, pixels: Array, trust: Array, focal: float, center: Array) -> Array:
    """Solve for the translation that projects points onto pixels (linear least squares, weighted).

    Args:
        points: (N, 3) metres, axes of the camera frame.
        pixels: (N, 2).
        trust: (N,) square-root weights.
        focal: pixels.
        center: (2,) principal point.

    Returns:
        (3,) metres, in front of the camera.
    """
    rays = (pixels - center) / focal
    count = len(points)
    system = np.zeros((count, 2, 3))
    system[:, 0, 0] = system[:, 1, 1] = 1
    system[:, :, 2] = -rays
    target = rays * points[:, 2:3] - points[:, :2]
    weight = trust[:, None]
    left, right = (system * weight[..., None]).reshape(-1, 3), (target * weight).reshape(-1)
    solution = np.asarray(np.linalg.lstsq(left, right, rcond=None)[0], np.float64)
    if solution[2] + points[:, 2].min() < 0.2:
        return _place_by_spread(points, pixels, trust, focal, center)
    return solution


def _place_by_spread(points: Array, pixels: Array, trust: Array, focal: float, center: Array) -> Array:
    """Place the body by its size alone, for points that contradict each other."""
    share = trust / trust.sum()
    middle, middle_pixel = share @ points, share @ pixels
    spread = np.sqrt(share @ ((points - middle)[:, :2] ** 2).sum(1))
    spread_pixel = np.sqrt(share @ ((pixels - middle_pixel) ** 2).sum(1))
    depth = focal * spread / max(float(spread_pixel), 1e-6)
    ray = np.append((middle_pixel - center) / focal, 1.0)
    result: Array = ray * depth - middle
    return result
