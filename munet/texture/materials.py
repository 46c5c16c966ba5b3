"""The few materials a person wears, told apart by colour: skin, hair, shirt, trousers, shoes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST = 8
_ROUNDS = 8
# Lightness counts less than hue, because folds and shading change it within one material.
_LIGHTNESS = 0.4
# Distances in that colour space: nearer centres are the same material, and the softness of belonging to one.
_SAME = 11.0
_SOFTNESS = 5.0
_CELL = 4.0
# Lightness at which chroma keeps its measure.
_MIDDLE = 60.0
# Shades of one cloth: half related at this distance; colours between them, as a share of the rarer one's peak, below
# and above which they are not and are related; bins to count those in.
_KINSHIP = 15.0
_GAP = (0.15, 0.5)
_BINS = 15


@dataclass(frozen=True)
class Materials:
    """K materials.

    Attributes:
        centers: (K, 3) lightness and chroma in a space where shading counts little.
        colours: (K, 3) float32 sRGB 0 to 255, mean of each.
        kinship: (K, K) how much two are shades of one cloth, in [0, 1], 1 on the diagonal.
    """

    centers: Floats
    colours: Floats
    kinship: Floats

    def belonging(self, colour: Floats) -> Floats:
        """How much colours (S, 3) belong to each material: (S, K), rows sum to 1."""
        squared = ((_perceptual(colour)[:, None] - self.centers) ** 2).sum(-1)
        share = np.exp(-(squared - squared.min(1, keepdims=True)) / (2 * _SOFTNESS**2))
        return np.asarray(share / share.sum(1, keepdims=True), np.float32)


def find_materials(colour: Floats, weight: Floats) -> Materials:
    """Group colours by weighted k-means from the commonest ones, and merge groups that look alike.

    Args:
        colour: (S, 3) sRGB 0 to 255.
        weight: (S,) how sure each is.

    Returns:
        At least one material and at most eight.
    """
    points, weight = _perceptual(colour), weight / max(float(weight.max()), 1e-9) + np.float32(1e-6)
    centers = _modes(points, weight)
    for _ in range(_ROUNDS):
        nearest = ((points[:, None] - centers) ** 2).sum(-1).argmin(1)
        total = np.bincount(nearest, weight, len(centers))
        kept = total > 0.006 * weight.sum()
        sums = [np.bincount(nearest, weight * column, len(centers)) for column in points.T]
        centers = (np.stack(sums, 1) / np.maximum(total, 1e-9)[:, None])[kept].astype(np.float32)
        centers = _merged(centers, total[kept])
    nearest = ((points[:, None] - centers) ** 2).sum(-1).argmin(1)
    total = np.maximum(np.bincount(nearest, weight, len(centers)), 1e-9)
    means = [np.bincount(nearest, weight * column, len(centers)) / total for column in colour.T]
    return Materials(centers, np.stack(means, 1).astype(np.float32), _kinship(points, weight, nearest, centers))


def _perceptual(colour: Floats) -> Floats:
    """Lab with reduced lightness and a chroma half freed from the light, which scales both on one material."""
    lab = cv2.cvtColor(np.ascontiguousarray(colour, np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0]
    lab[:, 1:] *= np.sqrt(_MIDDLE / (lab[:, :1] + _MIDDLE / 4)).astype(np.float32)
    lab[:, 0] *= _LIGHTNESS
    return np.asarray(lab, np.float32)


def _modes(points: Floats, weight: Floats) -> Floats:
    """Start from the commonest colours that differ from each other: peaks of a coarse histogram, highest first."""
    cell, member = np.unique(np.floor(points / _CELL).astype(np.int64), axis=0, return_inverse=True)
    amount = np.bincount(member.ravel(), weight, len(cell))
    place = (cell + 0.5) * _CELL
    # A peak gathers its neighbourhood, so that a material spread over many cells counts as a whole.
    near = ((place[:, None] - place) ** 2).sum(-1) < _SAME**2
    height = near @ amount
    chosen: list[int] = []
    free = np.ones(len(cell), np.bool_)
    while free.any() and len(chosen) < _MOST:
        chosen.append(int(np.where(free, height, -1).argmax()))
        free &= ~near[chosen[-1]]
        height = (near & free) @ (amount * free)
    return np.asarray(place[chosen], np.float32)


def _kinship(points: Floats, weight: Floats, nearest: NDArray[np.int64], centers: Floats) -> Floats:
    """Shades of one cloth have all colours between them; two cloths have a gap."""
    kinship = np.eye(len(centers), dtype=np.float32)
    for first in range(len(centers)):
        for second in range(first):
            apart = centers[second] - centers[first]
            squared = float((apart**2).sum())
            both = (nearest == first) | (nearest == second)
            place = ((points[both] - centers[first]) @ apart) / squared
            amount, _ = np.histogram(place, _BINS, (-0.25, 1.25), weights=weight[both])
            amount = np.convolve(amount, [0.25, 0.5, 0.25], "same")
            half = _BINS // 2
            gap = amount[_BINS // 3 : -(_BINS // 3)].min() / max(min(amount[:half].max(), amount[half:].max()), 1e-9)
            near = np.exp2(-squared / _KINSHIP**2) * np.clip((gap - _GAP[0]) / (_GAP[1] - _GAP[0]), 0, 1)
            kinship[first, second] = kinship[second, first] = near
    return kinship


def _merged(centers: Floats, total: NDArray[np.float64]) -> Floats:
    kept: list[int] = []
    for index in np.argsort(-total):
        if all(((centers[index] - centers[other]) ** 2).sum() > _SAME**2 for other in kept):
            kept.append(int(index))
    return centers[kept] if kept else centers[:1]
