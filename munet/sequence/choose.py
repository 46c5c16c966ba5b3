"""Which frames tell most about a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from munet.sequence.follow import Sighting

Array = NDArray[np.float64]

_LEFT, _RIGHT = 11, 12
_LIMBS = ((25, 26), (27, 28), (15, 23), (16, 24))
"""Landmarks that should be apart: knees, ankles, each wrist and the hip on its side."""
_NOSE, _ARM_ENDS = 0, (13, 14, 15, 16, 19, 20)
_CLEAR_OF_FACE = 0.13
"""Share of the person's height at which an arm is clear of the face."""
_FAR_ENOUGH = 0.1
"""Share of the person's height at which they are."""


def frame_quality(sightings: Sequence[Sighting]) -> Array:
    """Return how good (N,) each frame is: the person large, seen in full, facing the camera, limbs apart, sharp."""
    size = np.array([_height(sighting) for sighting in sightings])
    seen = np.array([sighting.observation.visibility.mean() for sighting in sightings])
    sharp = np.array([sighting.sharpness for sighting in sightings])
    front = np.array([_frontal(sighting) for sighting in sightings])
    apart = np.array([_apart(sighting) for sighting in sightings])
    relative = np.clip(sharp / max(float(np.median(sharp)), 1e-9), 0.0, 1.5)
    result: Array = (size / size.max()) * seen**2 * (0.55 + 0.45 * front) * (0.5 + 0.5 * apart) * np.sqrt(relative)
    result *= np.array([_face_free(sighting) for sighting in sightings])
    return result


def _height(sighting: Sighting) -> float:
    box = sighting.observation.box
    return max(float(box[3] - box[1]), 1.0)


def _frontal(sighting: Sighting) -> float:
    """Cosine between the direction that the shoulders face and the way to the camera, 0 for people seen from behind."""
    across = sighting.observation.landmarks_world[_LEFT] - sighting.observation.landmarks_world[_RIGHT]
    return float(np.clip(across[0] / max(float(np.linalg.norm(across)), 1e-6), 0.0, 1.0))


def _apart(sighting: Sighting) -> float:
    """How far legs and arms are from each other and from the trunk in the picture, in [0, 1].

    What one limb hides of another has no clothes of its own, and tears when they part.
    """
    points, height = sighting.observation.landmarks_image, _height(sighting)
    gaps = [float(np.linalg.norm(points[a] - points[b])) / height for a, b in _LIMBS]
    return float(np.mean(np.clip(np.array(gaps) / _FAR_ENOUGH, 0.0, 1.0)))


def _face_free(sighting: Sighting) -> float:
    """How far hands and forearms are from the face in the picture, from 0.2 to 1: what they hide has no texture."""
    points, height = sighting.observation.landmarks_image, _height(sighting)
    ends = points[list(_ARM_ENDS)]
    middles = (points[[13, 14]] + points[[15, 16]]) / 2
    nearest = np.linalg.norm(np.concatenate([ends, middles]) - points[_NOSE], axis=1).min() / height
    return float(np.clip(nearest / _CLEAR_OF_FACE, 0.2, 1.0))


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
