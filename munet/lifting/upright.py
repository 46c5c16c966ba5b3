"""Whoever hangs upside down or lies across the picture is shown to the pose network as if the camera was rolled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.perception.observation import LANDMARK_NAMES

ROLLED = 100.0
"""Degrees between trunk and upright in the picture beyond which the view is rolled: poses that the network knows from
training seldom lean so far."""
ROLLED_UNSEEN = 60.0
"""The same where no knee is seen: then nothing but the trunk says which way the legs go, and in training they hung."""

_SHOULDERS, _HIPS, _KNEES = (
    [LANDMARK_NAMES.index(f"{side}_{joint}") for side in ("left", "right")] for joint in ("shoulder", "hip", "knee")
)


def roll_upright(landmarks_image: NDArray[np.floating], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Roll of the camera, in quarter turns, after which the trunk hangs down as far as quarters allow.

    Args:
        landmarks_image: (L, 2) pixels, y down.
        seen: (L,) whether each is visible.

    Returns:
        (3, 3) ``point_rolled = roll @ point_cam``; the identity for whoever is upright enough or shows no shoulder.
    """
    if not seen[_SHOULDERS].any():
        return np.eye(3)
    across, down = landmarks_image[_HIPS].mean(0) - landmarks_image[_SHOULDERS].mean(0)
    tilt = np.degrees(np.arctan2(across, down))
    if abs(tilt) <= (ROLLED if seen[_KNEES].any() else ROLLED_UNSEEN):
        return np.eye(3)
    quarter = np.radians(90 * np.rint(tilt / 90))
    cosine, sine = np.rint([np.cos(quarter), np.sin(quarter)])
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
