"""The same person found twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from munet.perception.detector import Detection
from munet.perception.landmarks import Landmarks

# COCO's fall-off constants (2 sigma) average 0.15 of the object's scale over the body's joints.
_FALL_OFF = 0.15
_SEEN = 0.3
_SAME_PLACE, _SAME_SIZE = 0.2, 1.3
"""Distance of the hips in radii, and ratio of the radii, below which two detections are one person's."""


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


def drop_repeated(detections: Sequence[Detection]) -> list[Detection]:
    """Keep the surest of those whose circles agree, surest first: overlapping crops show one person many times."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda found: found.score, reverse=True):
        if not any(_same_circle(detection, other) for other in kept):
            kept.append(detection)
    return kept


def _same_circle(first: Detection, second: Detection) -> bool:
    radii = [max(float(np.linalg.norm(d.keypoints[1] - d.keypoints[0])), 1e-6) for d in (first, second)]
    apart = float(np.linalg.norm(first.keypoints[0] - second.keypoints[0]))
    return apart < _SAME_PLACE * min(radii) and max(radii) < _SAME_SIZE * min(radii)


def _extent(points: NDArray[np.float64]) -> float:
    size = points.max(0) - points.min(0)
    return max(float(np.sqrt(size[0] * size[1])), 1.0)
