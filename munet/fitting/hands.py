"""The natural curl of hands at rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_CURL = {"index": (0.28, 0.36, 0.22), "middle": (0.34, 0.42, 0.25), "pinky": (0.44, 0.46, 0.28),
         "ring": (0.39, 0.45, 0.27), "thumb": (0.10, 0.15, 0.20)}  # fmt: skip
"""Bend of the three joints of each finger of a hanging hand, radians."""
_CLOSE = {"index": 0.17, "middle": 0.0, "ring": -0.13, "pinky": -0.20, "thumb": 0.22}
"""Turn of each finger towards the middle one at its root: the T-pose spreads them."""


def relaxed_fingers(count: int) -> Array:
    """Return axis-angle (count, 3) of the finger joints in SMPL-H order and of what follows them, which rests.

    ``count`` is 0 for a body without fingers.

    At rest the palms face down, so the left fingers bend about -z and the right ones about +z; thumbs bend about
    an axis between z and y.
    """
    left = np.array([_bend(name, part) for name in _FINGERS for part in range(3)])
    both = np.concatenate([left, left * np.array([1.0, -1.0, -1.0])])
    result = np.zeros((count, 3))
    if count >= len(both):
        result[: len(both)] = both
    return result


def _bend(finger: str, part: int) -> list[float]:
    angle = _CURL[finger][part]
    closing = _CLOSE[finger] if part == 0 else 0.0
    if finger == "thumb":
        return [0.0, 0.7 * angle + closing, -0.7 * angle]
    return [0.0, closing, -angle]
