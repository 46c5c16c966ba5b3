"""Spheres inside the body that keep arms and hands out of the trunk and the thighs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from munet.fitting.evidence import INDEX
from munet.fitting.solver import Block, quadratic

Array = NDArray[np.float64]

ARM_RADII = np.tile([0.035, 0.03, 0.026, 0.026, 0.022, 0.022, 0.018, 0.018], 2)
"""Radii in metres of the spheres of each arm: forearm, wrist, two knuckles, two amid the fingers, two finger tips."""
_HANDS_APART = 5.0
"""How much worse it is when one arm is in the other than when it is in the trunk, which yields."""
_FEWEST = 8
_TRUNK_LEVELS = 5
_THIGH_LEVELS = 4
TRUNK = 2 * (_TRUNK_LEVELS + _THIGH_LEVELS)
"""Number of spheres in trunk and thighs."""

_ARM = len(ARM_RADII) // 2
_PAIRS = np.array(
    [(a, b) for a in range(2 * _ARM) for b in range(_ARM, 2 * _ARM + TRUNK) if b >= 2 * _ARM or a < _ARM]
).T
"""Spheres that may not meet: either arm with the trunk, the left arm with the right."""


def sphere_rows(
    template: Array, weights: Array, joints: Array, landmarks: sparse.csr_matrix
) -> tuple[sparse.csr_matrix, Array]:
    """Return the spheres of a body at rest.

    Args:
        template: (V, 3) in the T-pose, body frame.
        weights: (V, 24).
        joints: (24, 3).
        landmarks: (33, V) regressor.

    Returns:
        Regressor (16 + TRUNK, V) of the centres, arms first, and radii (TRUNK,) of trunk and thighs in metres.
    """
    rows, radii = [], []
    for side in (1, -1):
        for level in np.linspace(joints[0, 1] - 0.02, joints[9, 1] + 0.05, _TRUNK_LEVELS):
            part = (weights[:, [0, 1, 2, 3, 6, 9]].sum(1) > 0.6) & (template[:, 0] * side > 0)
            row, radius = _slice(template, part, float(level), flat=True)
            rows.append(row)
            radii.append(radius)
    for hip, knee in ((1, 4), (2, 5)):
        part = weights[:, hip] > 0.5
        for level in np.linspace(joints[hip, 1] - 0.07, joints[knee, 1] + 0.09, _THIGH_LEVELS):
            row, radius = _slice(template, part, float(level), flat=False)
            rows.append(row)
            radii.append(radius)
    return sparse.vstack([*_arm_rows(template, weights, landmarks), *rows]).tocsr(), np.array(radii)


def _slice(template: Array, part: NDArray[np.bool_], level: float, *, flat: bool) -> tuple[sparse.csr_matrix, float]:
    chosen = np.flatnonzero(part)
    gap = np.abs(template[chosen, 1] - level)
    # Coarse bodies may have no vertex within the slice.
    index = chosen[gap <= max(0.02, float(np.partition(gap, _FEWEST)[_FEWEST]))]
    points = template[index]
    middle = points.mean(0)
    round_radius = float(np.linalg.norm((points - middle)[:, [0, 2]], axis=1).mean())
    radius = 0.45 * float(np.ptp(points[:, 2])) if flat else round_radius
    row = np.zeros((1, len(template)))
    row[0, index] = 1 / len(index)
    return sparse.csr_matrix(row), radius


def _arm_rows(template: Array, weights: Array, landmarks: sparse.csr_matrix) -> list[sparse.csr_matrix]:
    rows = []
    for offset, side in enumerate(("left", "right")):
        elbow, wrist, index, pinky = (landmarks[INDEX[f"{side}_{p}"]] for p in ("elbow", "wrist", "index", "pinky"))
        tips = _finger_tips(template, weights[:, 22 + offset])
        rows += [0.4 * elbow + 0.6 * wrist, wrist, index, pinky]
        rows += [0.5 * index + 0.5 * tips[0], 0.5 * pinky + 0.5 * tips[1], *tips]
    return rows


def _finger_tips(template: Array, hand: Array) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Mean tips of the fingers beside the thumb, in front while the palms face down, and of those beside the little."""
    reach = np.abs(template[:, 0]) * (hand > 0.5)
    tips = reach > reach.max() - 0.03
    front = template[:, 2] > np.median(template[tips, 2])
    halves = (tips & front, tips & ~front)
    first, second = (sparse.csr_matrix(half[None] / max(half.sum(), 1)) for half in halves)
    return first, second


def collision_block(
    points: Array, jacobian: Array, trunk_radii: Array, sigma: float, pocketed: NDArray[np.bool_]
) -> Block:
    """Return how deep the spheres of the arms are in those of trunk, thighs and the other arm, metres over ``sigma``.

    Args:
        points: (16 + TRUNK, 3) centres, arms first, camera frame.
        jacobian: (16 + TRUNK, 3, SIZE).
        trunk_radii: (TRUNK,) metres.
        sigma: depth in metres that costs as much as one standard deviation of anything else.
        pocketed: (2,) left and right hand are in pockets, where they may be in the trunk; their forearms may not.
    """
    radii = np.concatenate([ARM_RADII, trunk_radii])
    first, second = _PAIRS[:, ~(pocketed[_PAIRS[0] // _ARM] & (_PAIRS[0] % _ARM > 0) & (_PAIRS[1] >= 2 * _ARM))]
    gaps = points[first] - points[second]
    distances = np.linalg.norm(gaps, axis=1)
    depth = radii[first] + radii[second] - distances
    used = np.flatnonzero(depth > 0)
    direction = gaps[used] / np.maximum(distances[used], 1e-6)[:, None]
    slope = -np.einsum("ni,nij->nj", direction, jacobian[first[used]] - jacobian[second[used]])
    weight = np.where(second[used] < 2 * _ARM, _HANDS_APART, 1.0) / sigma
    return quadratic(depth[used], slope, weight)
