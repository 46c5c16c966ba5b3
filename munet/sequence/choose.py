"""Which frames tell most about a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from munet.sequence.follow import Sighting

Array = NDArray[np.float64]

_LEFT, _RIGHT = 11, 12


def frame_quality(sightings: Sequence[Sighting]) -> Array:
    """Return how good (N,) each frame is: the person large, seen in full, facing the camera and sharp."""
    size = np.array([_height(sighting) for sighting in sightings])
    seen = np.array([sighting.observation.visibility.mean() for sighting in sightings])
    sharp = np.array([sighting.sharpness for sighting in sightings])
    front = np.array([_frontal(sighting) for sighting in sightings])
    relative = np.clip(sharp / max(float(np.median(sharp)), 1e-9), 0.0, 1.5)
    result: Array = (size / size.max()) * seen**2 * (0.55 + 0.45 * front) * np.sqrt(relative)
    return result


def _height(sighting: Sighting) -> float:
    box = sighting.observation.box
    return max(float(box[3] - box[1]), 1.0)


def _frontal(sighting: Sighting) -> float:
    """Cosine between the direction that the shoulders face and the way to the camera, 0 for people seen from behind."""
    across = sighting.observation.landmarks_world[_LEFT] - sighting.observation.landmarks_world[_RIGHT]
    return float(np.clip(across[0] / max(float(np.linalg.norm(across)), 1e-6), 0.0, 1.0))


def key_frames(quality: Array, count: int) -> list[int]:
    """Return the indices of the best frame of each of ``count`` parts of the clip, in order."""
    parts = np.array_split(np.arange(len(quality)), min(count, len(quality)))
    return sorted({int(part[np.argmax(quality[part])]) for part in parts if len(part)})


def shared_shape(betas: Array, weights: Array) -> Array:
    """Return one shape (10,) from those of several frames (K, 10): a mean that frames far from the others hardly move.

    Args:
        betas: (K, 10).
        weights: (K,) trust in each.
    """
    middle = np.median(betas, axis=0)
    for _ in range(3):
        away = np.linalg.norm(betas - middle, axis=1)
        limit = max(1.5 * float(np.median(away)), 0.3)
        share = weights * (limit**2 / (limit**2 + away**2)) ** 2
        middle = (share[:, None] * betas).sum(0) / share.sum()
    result: Array = middle
    return result
