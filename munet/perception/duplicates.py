"""The same person found twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from munet.perception.landmarks import Landmarks

# COCO's fall-off constants (2 sigma) average 0.15 of the object's scale over the body's joints.
_FALL_OFF = 0.15
_SEEN = 0.3


def landmark_similarity(first: Landmarks, second: Landmarks) -> float:
    """Return COCO's object keypoint similarity in [0, 1], over landmarks that both have seen."""
    both = (first.visibility > _SEEN) & (second.visibility > _SEEN)
    if not both.any():
        both = np.ones_like(both)
    scale = min(_extent(first.image), _extent(second.image))
    distance = np.linalg.norm(first.image[both] - second.image[both], axis=1)
    return float(np.exp(-((distance / (scale * _FALL_OFF)) ** 2) / 2).mean())


def drop_duplicates(people: Sequence[Landmarks], limit: float = 0.5) -> list[Landmarks]:
    """Keep the most certain of those whose landmarks agree, most certain first."""
    ranked = sorted(people, key=lambda p: p.presence * float(p.visibility.mean()), reverse=True)
    kept: list[Landmarks] = []
    for person in ranked:
        if all(landmark_similarity(person, other) < limit for other in kept):
            kept.append(person)
    return kept


def _extent(points: NDArray[np.float64]) -> float:
    size = points.max(0) - points.min(0)
    return max(float(np.sqrt(size[0] * size[1])), 1.0)
