"""The few materials a person wears, told apart by colour: skin, hair, shirt, trousers, shoes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST = 7
_ROUNDS = 8
# Lightness counts less than hue, because folds and shading change it within one material.
_LIGHTNESS = 0.5
# Distances in that colour space: nearer centres are the same material, and the softness of belonging to one.
_SAME = 14.0
_SOFTNESS = 7.0


@dataclass(frozen=True)
class Materials:
    """K materials.

    Attributes:
        centers: (K, 3) in Lab with reduced lightness.
        colours: (K, 3) float32 sRGB 0 to 255, mean of each.
    """

    centers: Floats
    colours: Floats

    def belonging(self, colour: Floats) -> Floats:
        """How much colours (S, 3) belong to each material: (S, K), rows sum to 1."""
        squared = ((_perceptual(colour)[:, None] - self.centers) ** 2).sum(-1)
        share = np.exp(-(squared - squared.min(1, keepdims=True)) / (2 * _SOFTNESS**2))
        return np.asarray(share / share.sum(1, keepdims=True), np.float32)


def find_materials(colour: Floats, weight: Floats) -> Materials:
    """Group colours by weighted k-means from the most different ones, then merge groups that look alike.

    Args:
        colour: (S, 3) sRGB 0 to 255.
        weight: (S,) how sure each is.

    Returns:
        At least one material and at most seven.
    """
    points, weight = _perceptual(colour), weight + np.float32(1e-6)
    centers = _spread_centers(points, weight)
    for _ in range(_ROUNDS):
        nearest = ((points[:, None] - centers) ** 2).sum(-1).argmin(1)
        total = np.bincount(nearest, weight, len(centers))
        kept = total > 0.004 * weight.sum()
        sums = [np.bincount(nearest, weight * column, len(centers)) for column in points.T]
        centers = (np.stack(sums, 1) / np.maximum(total, 1e-9)[:, None])[kept].astype(np.float32)
        centers = _merged(centers, total[kept])
    nearest = ((points[:, None] - centers) ** 2).sum(-1).argmin(1)
    total = np.maximum(np.bincount(nearest, weight, len(centers)), 1e-9)
    means = [np.bincount(nearest, weight * column, len(centers)) / total for column in colour.T]
    return Materials(centers, np.stack(means, 1).astype(np.float32))


def _perceptual(colour: Floats) -> Floats:
    lab = cv2.cvtColor(np.ascontiguousarray(colour, np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0]
    return np.asarray(lab * np.array([_LIGHTNESS, 1, 1]), np.float32)


def _spread_centers(points: Floats, weight: Floats) -> Floats:
    """Start from the mean's nearest point and add, again and again, the point that is farthest and surest."""
    mean = np.average(points, axis=0, weights=weight + 1e-9)
    chosen = [int((((points - mean) ** 2).sum(1) / (weight + 1e-3)).argmin())]
    distance = ((points - points[chosen[0]]) ** 2).sum(1)
    while len(chosen) < _MOST:
        chosen.append(int((distance * weight).argmax()))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(1))
    return points[chosen]


def _merged(centers: Floats, total: NDArray[np.float64]) -> Floats:
    kept: list[int] = []
    for index in np.argsort(-total):
        if all(((centers[index] - centers[other]) ** 2).sum() > _SAME**2 for other in kept):
            kept.append(int(index))
    return centers[kept] if kept else centers[:1]
