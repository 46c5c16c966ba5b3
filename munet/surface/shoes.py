"""Shoes: toes merge into a smooth convex shape around the foot."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.spatial import ConvexHull

from munet.surface.operators import Floats, Ints, factorise, laplacian, unit

# The hull is reached from an axis that ends well behind the toes, so that they fan out over the tip.
AXIS_SHARE = 0.7
FEET_JOINTS = ((7, 10), (8, 11))
SOLE_METRES = 0.004


def shod_feet(rest: Floats, pairs: Ints, folded: Floats, joints_rest: Floats) -> Floats:
    """Rest vertices (V, 3) with each foot drawn onto its inflated convex hull; other vertices stay.

    The toes first relax to a membrane with evenly spread vertices, so that the slits between them open without folds.

    Args:
        rest: (V, 3) rest pose, body frame.
        pairs: (E, 2) edges.
        folded: (V, 24) weights of the SMPL joints.
        joints_rest: (J, 3) rest joints.
    """
    result = rest.copy()
    for ankle, ball in FEET_JOINTS:
        amount = _ramp(folded[:, ankle] + folded[:, ball], 0.6, 0.95)
        foot = np.nonzero(amount > 0)[0]
        toes = folded[:, ball] > 0.35
        if len(foot) < 20 or not toes.any():
            continue
        relaxed = _membrane(rest, pairs, toes)
        heel, tip = joints_rest[ankle], relaxed[toes].mean(0)
        shape = _onto_hull(rest[foot], relaxed[foot], heel, tip)
        result[foot] += amount[foot, None] * (shape - rest[foot])
    return result


def _membrane(points: Floats, pairs: Ints, free: np.ndarray) -> Floats:
    """Points with the free ones at the mean of their neighbours, the others fixed."""
    uniform = laplacian(pairs, np.ones(len(pairs)), len(points))
    inside = uniform[free][:, free]
    solve = factorise(inside + sparse.eye_array(inside.shape[0]) * 1e-9)
    result = points.copy()
    result[free] = solve(-(uniform[free][:, ~free] @ points[~free]))
    return result


def _onto_hull(foot: Floats, relaxed: Floats, heel: Floats, tip: Floats) -> Floats:
    """Push points (N, 3) away from the axis heel-tip onto the convex hull of the foot, a sole's thickness outside."""
    planes = ConvexHull(foot).equations
    low, high = foot[:, 1].min(), foot[:, 1].max()
    axis = AXIS_SHARE * np.array([tip[0] - heel[0], 0, tip[2] - heel[2]])
    start = np.array([heel[0], low + 0.35 * min(high - low, 0.08), heel[2]])
    along = np.clip((relaxed - start) @ axis / float(axis @ axis), 0.0, 1.0)
    origin = start + along[:, None] * axis
    direction = unit(relaxed - origin)
    speed = direction @ planes[:, :3].T
    room = -(origin @ planes[:, :3].T + planes[:, 3])
    reach = np.where(speed > 1e-6, np.maximum(room, 0) / np.maximum(speed, 1e-6), np.inf).min(1)
    pushed: Floats = origin + direction * (reach + SOLE_METRES)[:, None]
    return pushed


def _ramp(values: Floats, start: float, end: float) -> Floats:
    x = np.clip((values - start) / (end - start), 0, 1)
    return x * x * (3 - 2 * x)
