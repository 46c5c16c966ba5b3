"""The natural curl of hands at rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_CURL = {"index": (0.22, 0.30, 0.20), "middle": (0.28, 0.36, 0.22), "pinky": (0.36, 0.40, 0.25),
         "ring": (0.32, 0.38, 0.24), "thumb": (0.05, 0.12, 0.18)}  # fmt: skip
"""Bend of the three joints of each finger of a hanging hand, radians."""
_CLOSE = {"index": 0.10, "middle": 0.02, "ring": -0.05, "pinky": -0.14, "thumb": 0.15}
"""Turn of each finger towards the middle one at its root: the T-pose spreads them."""


def relaxed_fingers(count: int) -> Array:
    """Return axis-angle (count, 3) of the finger joints in SMPL-H order; ``count`` is 30, or 0 for a body without.

    At rest the palms face down, so the left fingers bend about -z and the right ones about +z; thumbs bend about
    an axis between z and y.
    """
    left = np.array([_bend(name, part) for name in _FINGERS for part in range(3)])
    both = np.concatenate([left, left * np.array([1.0, -1.0, -1.0])])
    return both if count == len(both) else np.zeros((count, 3))


def _bend(finger: str, part: int) -> list[float]:
    angle = _CURL[finger][part]
    closing = _CLOSE[finger] if part == 0 else 0.0
    if finger == "thumb":
        return [0.0, 0.7 * angle + closing, -0.7 * angle]
    return [0.0, closing, -angle]
