"""Share pixels between people whose masks overlap."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_LEVEL = 0.5
BONES = (
    (11, 12), (23, 24), (11, 23), (12, 24), (11, 24), (12, 23), (11, 13), (13, 15), (15, 19), (12, 14), (14, 16),
    (16, 20), (23, 25), (25, 27), (27, 31), (24, 26), (26, 28), (28, 32), (0, 7), (0, 8), (9, 11), (10, 12),
)  # fmt: skip
"""Torso, limbs and head as pairs of landmark indices."""


def separate_masks(
    masks: Sequence[NDArray[np.float32]],
    landmarks: Sequence[NDArray[np.floating]],
    visibility: Sequence[NDArray[np.floating]],
) -> list[NDArray[np.float32]]:
    """Give every pixel that several people claim to the one whose bones, of those that are seen, are nearest.

    Args:
        masks: (H, W) in [0, 1] per person.
        landmarks: (33, 2) pixels per person.
        visibility: (33,) in [0, 1] per person.

    Returns:
        New masks; those of people who overlap with nobody are unchanged.
    """
    claims = np.sum([mask > _LEVEL for mask in masks], axis=0) if masks else np.zeros((0, 0))
    contested = claims > 1
    if not contested.any():
        return list(masks)
    people = zip(landmarks, visibility, strict=True)
    distances = np.stack([distance_to_bones(points, seen > _LEVEL, contested.shape) for points, seen in people])
    # Someone who does not claim the pixel can not win it.
    distances[np.stack(masks) <= _LEVEL] = np.inf
    winner = distances.argmin(axis=0)
    return [np.where(contested & (winner != i), np.float32(0), mask) for i, mask in enumerate(masks)]


def distance_to_bones(
    points: NDArray[np.floating], seen: NDArray[np.bool_], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Return the distance (H, W) in pixels from a person's bones, of those that are ``seen`` (33,) at both ends."""
    canvas = np.full(shape, 255, np.uint8)
    for start, end in [bone for bone in BONES if seen[list(bone)].all()] or BONES:
        cv2.line(canvas, _pixel(points[start]), _pixel(points[end]), 0, 1)
    return np.asarray(cv2.distanceTransform(canvas, cv2.DIST_L2, 3), np.float32)


def _pixel(point: NDArray[np.floating]) -> tuple[int, int]:
    return int(np.clip(point[0], -(2**14), 2**14)), int(np.clip(point[1], -(2**14), 2**14))
