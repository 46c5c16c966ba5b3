"""Hands that are in pockets: where the detector puts a hand, the photo shows the clothes around it and no skin."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.fitting.evidence import INDEX
from munet.fitting.solver import Block, quadratic
from munet.fitting.spheres import ARM_RADII
from munet.perception.observation import PersonObservation, Photo

Array = NDArray[np.float64]

_CLEARLY_SEEN = 0.95
"""Visibility of the knuckles from which a hand is not in a pocket."""
_KNEES = 0.5
"""Visibility of hip and knee from which the colour of the thigh is known."""
_NEAR_HIP = 0.25
"""Distance of the knuckles from the hip over the length of the trunk."""
_CLOTH, _SKIN, _RATIO = 12.0, 14.0, 0.6
"""Difference of colour (CIE Lab, half of the lightness) to the clothes at most, to the face at least, and both."""
_HAND_POINTS = ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.5, 0.5), (0.5, 0.25, 0.25), (-1.0, 1.0, 1.0))
"""Combinations of wrist, index and pinky: knuckles, palm and finger tips."""
_THIGH_POINTS = (0.35, 0.5, 0.65)
_FACE = ("left_eye", "right_eye", "mouth_left", "mouth_right")
_COVER = 0.012
"""Depth in metres of a pocketed hand under the surface."""
_BEFORE = 0.03
"""How far in metres a hand in a seen pocket is before the middle of the trunk or the thigh."""
_KNUCKLES = (2, 3, 4, 5, 6, 7)
"""Spheres of an arm that lie in the pocket: knuckles, fingers and finger tips."""


def pocketed_hands(observation: PersonObservation, photo: Photo) -> NDArray[np.bool_]:
    """Tell which hands, left and right (2,), are in pockets.

    A hand counts as pocketed when it is near the hip, not clearly seen, and its knuckles, palm and finger tips all have
    the colour of the thigh and not that of the face.

    Args:
        observation: landmarks and visibility.
        photo: the photo of the observation.
    """
    return np.array([_in_pocket(observation, photo.image, side) for side in ("left", "right")])


def _in_pocket(observation: PersonObservation, image: NDArray[np.uint8], side: str) -> bool:
    names = ("shoulder", "wrist", "index", "pinky", "hip", "knee")
    rows = [INDEX[f"{side}_{part}"] for part in names]
    shoulder, wrist, index, pinky, hip, knee = observation.landmarks_image[rows].astype(np.float64)
    seen = dict(zip(names, observation.visibility[rows], strict=True))
    knuckles = (index + pinky) / 2
    if (
        max(seen["index"], seen["pinky"]) > _CLEARLY_SEEN
        or min(seen["hip"], seen["knee"]) < _KNEES
        or np.linalg.norm(knuckles - hip) > _NEAR_HIP * np.linalg.norm(hip - shoulder)
    ):
        return False
    size = float(np.linalg.norm(knuckles - wrist))
    hand = np.array([_colour(image, np.array(p) @ [wrist, index, pinky], 0.15 * size) for p in _HAND_POINTS])
    thigh = np.median([_colour(image, hip + share * (knee - hip), 0.3 * size) for share in _THIGH_POINTS], axis=0)
    cloth, skin = (np.linalg.norm(hand - colour, axis=1) for colour in (thigh, _face(observation, image)))
    return bool(cloth.max() < min(_CLOTH, _RATIO * skin.min()) and skin.min() > _SKIN)


def _face(observation: PersonObservation, image: NDArray[np.uint8]) -> Array:
    """Colour (3,) of the cheeks: halfway from the nose to eyes and corners of the mouth."""
    nose = observation.landmarks_image[INDEX["nose"]]
    corners = observation.landmarks_image[[INDEX[name] for name in _FACE]]
    radius = 0.15 * float(np.linalg.norm(corners[0] - corners[1]))
    return np.asarray(np.median([_colour(image, (nose + corner) / 2, radius) for corner in corners], axis=0))


def _colour(image: NDArray[np.uint8], center: NDArray[np.floating], radius: float) -> Array:
    """Median colour (3,), CIE Lab with half of the lightness, of a square; nan, equal to nothing, outside the photo."""
    x, y, reach = int(center[0]), int(center[1]), max(round(radius), 1)
    patch = image[max(y - reach, 0) : max(y + reach + 1, 0), max(x - reach, 0) : max(x + reach + 1, 0)]
    if not patch.size:
        return np.full(3, np.nan)
    lab = cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(np.median(lab.reshape(-1, 3), axis=0) * [0.5, 1, 1], np.float64)


def pocket_block(
    points: Array, jacobian: Array, trunk_radii: Array, pocketed: NDArray[np.bool_], sigma: float
) -> Block:
    """Return how far knuckles and finger tips of pocketed hands are from lying under the surface of trunk or thighs.

    The surface is the one that the camera sees: a hand that goes into a pocket before the camera is not behind the hip.

    Args:
        points: (16 + TRUNK, 3) centres of the spheres, arms first, camera frame.
        jacobian: (16 + TRUNK, 3, SIZE).
        trunk_radii: (TRUNK,) metres.
        pocketed: (2,) left and right.
        sigma: distance in metres that costs as much as one standard deviation of anything else.
    """
    arm = len(ARM_RADII) // 2
    hands = np.array([side * arm + k for side in np.flatnonzero(pocketed) for k in _KNUCKLES], np.int64)
    trunk = np.arange(len(trunk_radii)) + len(ARM_RADII)
    gaps = points[hands][:, None] - points[trunk]
    distances = np.linalg.norm(gaps, axis=2)
    outside = distances + ARM_RADII[hands][:, None] + _COVER - trunk_radii
    nearest = outside.argmin(1)
    depth = outside[np.arange(len(hands)), nearest]
    used = np.flatnonzero(depth > 0)
    first, second = hands[used], trunk[nearest[used]]
    direction = gaps[used, nearest[used]] / np.maximum(distances[used, nearest[used]], 1e-6)[:, None]
    slope = np.einsum("ni,nij->nj", direction, jacobian[first] - jacobian[second])
    behind = points[hands, 2] - points[trunk[nearest], 2] + _BEFORE
    late = np.flatnonzero(behind > 0)
    drift = jacobian[hands[late], 2] - jacobian[trunk[nearest[late]], 2]
    return quadratic(np.append(depth[used], behind[late]), np.vstack([slope, drift]), 1 / sigma)
