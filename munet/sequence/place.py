"""Where somebody is in a frame, and who in the next frame is the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]

_TRUNK = [11, 12, 24, 23]
"""Shoulders and hips, as a polygon."""
_SAME_TRUNK = 0.1
"""Distance of trunks in sizes of a person below which they are one."""
_SIZE_PULL = 1.0
_COLOUR_PULL = 1.0 / 40.0


@dataclass(frozen=True)
class Place:
    """A person in one frame.

    Attributes:
        center: (2,) middle of the trunk in pixels.
        size: edge of the square round the whole person in pixels.
        colour: (3,) mean colour of the trunk, CIE Lab.
    """

    center: Array
    size: float
    colour: Array


def place_of(landmarks_image: NDArray[np.floating], size: float, image: NDArray[np.uint8]) -> Place:
    """Return the place of a person.

    Args:
        landmarks_image: (33, 2) pixels.
        size: edge of the person's square in pixels.
        image: (H, W, 3) uint8 sRGB.
    """
    corners = np.asarray(landmarks_image, np.float64)[_TRUNK]
    return Place(corners.mean(0), float(size), _trunk_colour(corners, image))


def _trunk_colour(corners: Array, image: NDArray[np.uint8]) -> Array:
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, [width - 1, height - 1])
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, low + 1, [width, height])
    region = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    inside = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners - low).astype(np.int32), 1)
    if not inside.any():
        inside[:] = 1
    lab = cv2.cvtColor(region.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    return np.asarray(lab[inside > 0].mean(0), np.float64)


def foreseen(history: Sequence[tuple[int, Place]], frame: int) -> Place:
    """Return where the person of ``history`` (frame numbers and places, at least one) will be in ``frame``.

    The way goes on as in the last frames; the colour is the median of all.
    """
    latest, last = history[-1]
    colour = np.median([place.colour for _, place in history[-50:]], axis=0)
    if len(history) < 2:
        return Place(last.center, last.size, colour)
    earlier, before = history[max(-4, -len(history))]
    # A way that was seen a moment ago is worth little a second later.
    ahead = min(frame - latest, 3 * (latest - earlier)) / (latest - earlier)
    return Place(last.center + ahead * (last.center - before.center), last.size, colour)


def difference(expected: Place, found: Place) -> float:
    """Return how unlike two places are: distance in sizes of the person, and size and colour with it."""
    away = float(np.linalg.norm(found.center - expected.center)) / expected.size
    scale = abs(float(np.log(found.size / expected.size)))
    colour = float(np.linalg.norm(found.colour - expected.colour))
    return away + _SIZE_PULL * scale + _COLOUR_PULL * colour


def overlap(first: Place, second: Place) -> bool:
    """Tell whether two places are one person's: where trunks lie upon each other the hidden one is not seen."""
    away = float(np.linalg.norm(first.center - second.center)) / max(first.size, second.size)
    return away < _SAME_TRUNK


def most_alike(expected: Sequence[Place], candidates: Sequence[Place], limit: float) -> list[int | None]:
    """Return, for each expected place, the index of its candidate: those that are most alike altogether.

    None stands for no candidate that is less unlike than ``limit``; no candidate is given twice.
    """
    result: list[int | None] = [None] * len(expected)
    if not expected or not candidates:
        return result
    costs = np.array([[difference(place, candidate) for candidate in candidates] for place in expected])
    for row, column in zip(*linear_sum_assignment(np.minimum(costs, 2 * limit)), strict=True):
        if costs[row, column] <= limit:
            result[int(row)] = int(column)
    return result
