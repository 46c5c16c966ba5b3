"""Colours of eyeballs where the photo does not show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_WHITE = np.array([214, 204, 198], np.float32)
_IRIS = np.array([84, 62, 48], np.float32)
_PUPIL = np.array([18, 15, 14], np.float32)
# Angles from the line of sight, radians, of pupil and iris (an iris of 12 mm on an eye of 24 mm).
_PUPIL_ANGLE = 0.2
_IRIS_ANGLE = 0.5
_BLUR = 0.06


def eye_angles(rest_vertices: Floats, eyes: NDArray[np.bool_]) -> Floats:
    """Angle (S,) of every eye vertex from straight ahead, seen from the middle of its eye; 0 elsewhere."""
    angle = np.zeros(len(rest_vertices), np.float32)
    for side in (eyes & (rest_vertices[:, 0] > 0), eyes & (rest_vertices[:, 0] <= 0)):
        if side.any():
            points = rest_vertices[side]
            offset = points - (points.min(0) + points.max(0)) / 2
            angle[side] = np.arctan2(np.linalg.norm(offset[:, :2], axis=1), offset[:, 2])
    return angle


def eye_colour(angle: Floats) -> Floats:
    """Colour (N, 3) of an eyeball at angles (N,) from straight ahead."""
    iris = _inside(angle, _IRIS_ANGLE)
    pupil = _inside(angle, _PUPIL_ANGLE)
    colour: Floats = (_WHITE * (1 - iris) + _IRIS * iris) * (1 - pupil) + _PUPIL * pupil
    return colour


def _inside(angle: Floats, limit: float) -> Floats:
    share: Floats = np.clip((limit - angle) / _BLUR + 0.5, 0, 1).astype(np.float32)[:, None]
    return share
