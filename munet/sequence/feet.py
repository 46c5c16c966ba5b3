"""Feet that rest on the ground stay where they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.sequence.smooth import smooth_vectors

Array = NDArray[np.float64]

_STILL = 0.5
"""Speed of a foot, metres a second, at which it is as likely on the ground as not."""
_NEAR = 0.06
"""Height above the lowest foot, metres, at which it is as likely on the ground as not."""
_DRIFT_SECONDS = 0.6
"""Corrections that last longer than this follow the photo again."""


def contacts(feet: Array, up: Array, fps: float) -> Array:
    """Return how surely (T, F) each foot rests on the ground, in [0, 1]: low and nearly still.

    Args:
        feet: (T, F, 3) metres; their frame may be any that does not move.
        up: (3,) unit vector.
        fps: frames a second.
    """
    speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * fps
    height = feet @ up
    above = height - np.percentile(height.min(1), 10)
    low = 1.0 / (1.0 + np.exp(np.clip((above - _NEAR) / (0.25 * _NEAR), -30, 30)))
    still = 1.0 / (1.0 + (speed / _STILL) ** 4)
    result: Array = low * still
    return result


def planted(hips: Array, feet: Array, up: Array, fps: float) -> Array:
    """Return the way of the hips (T, 3) on which resting feet slide less.

    The hips take over the motion that the resting feet should not have; what adds up over more than half a second is
    left to the measurement.

    Args:
        hips: (T, 3) metres.
        feet: (T, F, 3) of the same person on that way.
        up: (3,) unit vector.
        fps: frames a second.
    """
    if len(hips) < 3:
        return hips
    rests = contacts(feet, up, fps)
    slide = np.diff(feet, axis=0)
    both = np.minimum(rests[1:], rests[:-1])
    share = both / np.maximum(both.sum(1, keepdims=True), 1e-9)
    step = -np.einsum("tf,tfd->td", share, slide) * np.minimum(both.max(1), 1.0)[:, None]
    offset = np.concatenate([np.zeros((1, 3)), np.cumsum(step, axis=0)])
    slow = smooth_vectors(offset[:, None], np.ones((len(hips), 1)), _DRIFT_SECONDS * fps, floor=1.0)[:, 0]
    result: Array = hips + offset - slow
    return result
