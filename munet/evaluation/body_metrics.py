"""Errors of joints and of body vertices, in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from munet.errors import InvalidInputError
from munet.evaluation.alignment import AnyArray, Array, check_points, procrustes, scale_and_translation

MILLIMETRES = 1000.0


def _pair(prediction: AnyArray, truth: AnyArray) -> tuple[Array, Array]:
    goal = check_points(truth, "truth")
    return check_points(prediction, "prediction", goal.shape), goal


def _mean_distance(prediction: Array, truth: Array) -> float:
    return float(np.linalg.norm(prediction - truth, axis=1).mean() * MILLIMETRES)


def root_point(joints: AnyArray, root: Sequence[int]) -> Array:
    """Return the mean (3,) of the root joints: one index for the pelvis, both hips for the mid-hip.

    Raises:
        InvalidInputError: no index, or one that does not exist.
    """
    points = check_points(joints, "joints")
    if not root or min(root) < 0 or max(root) >= len(points):
        raise InvalidInputError(
            "The root is not among the joints.", detail=f"expected 0 to {len(points) - 1}, found {tuple(root)}"
        )
    mean: Array = points[list(root)].mean(0)
    return mean


def mpjpe(prediction: AnyArray, truth: AnyArray, root: Sequence[int], counted: Sequence[int] | None = None) -> float:
    """Mean per joint position error after the roots are laid on each other; no rotation, no scale.

    Args:
        prediction: (J, 3) metres.
        truth: (J, 3) metres.
        root: joint indices whose mean is the root: ``(pelvis,)`` or ``(left_hip, right_hip)``.
        counted: joint indices whose errors are averaged, or None for all; the root counts only if it is among them.

    Returns:
        Millimetres.

    Raises:
        InvalidInputError: shapes differ, numbers are not finite, or the root does not exist.
    """
    start, goal = _pair(prediction, truth)
    start, goal = start - root_point(start, root), goal - root_point(goal, root)
    chosen = slice(None) if counted is None else list(counted)
    return _mean_distance(start[chosen], goal[chosen])


def pa_mpjpe(prediction: AnyArray, truth: AnyArray) -> float:
    """Mean per joint position error in millimetres after the best similarity transform (Procrustes).

    Args:
        prediction: (J, 3) metres.
        truth: (J, 3) metres.

    Raises:
        InvalidInputError: shapes differ, numbers are not finite, or the prediction has no size.
    """
    start, goal = _pair(prediction, truth)
    return _mean_distance(procrustes(start, goal).apply(start), goal)


def pve(prediction: AnyArray, truth: AnyArray, prediction_root: AnyArray, truth_root: AnyArray) -> float:
    """Mean per vertex error (PVE, MVPE, MPVPE) in millimetres after the roots are laid on each other.

    Args:
        prediction: (V, 3) metres.
        truth: (V, 3) metres, the same vertices.
        prediction_root: (3,) root of the predicted body.
        truth_root: (3,) root of the true body.

    Raises:
        InvalidInputError: shapes differ or numbers are not finite.
    """
    start, goal = _pair(prediction, truth)
    roots = check_points(np.stack([np.asarray(prediction_root), np.asarray(truth_root)]), "roots", (2, 3))
    return _mean_distance(start - roots[0], goal - roots[1])


def pa_pve(prediction: AnyArray, truth: AnyArray) -> float:
    """Mean error in millimetres of vertices (V, 3) in metres after their best similarity transform."""
    return pa_mpjpe(prediction, truth)


def pve_t_sc(prediction_rest: AnyArray, truth_rest: AnyArray) -> float:
    """Mean per vertex error in the T-pose after scale correction, in millimetres: body shape alone.

    Args:
        prediction_rest: (V, 3) metres, T-pose, the predicted shape.
        truth_rest: (V, 3) metres, T-pose, the true shape.

    Raises:
        InvalidInputError: shapes differ, numbers are not finite, or the prediction has no size.
    """
    start, goal = _pair(prediction_rest, truth_rest)
    return _mean_distance(scale_and_translation(start, goal).apply(start), goal)


def pck(
    prediction: NDArray[np.floating[Any]],
    truth: NDArray[np.floating[Any]],
    box: NDArray[np.floating[Any]],
    visible: NDArray[np.bool_] | None = None,
    share: float = 0.05,
) -> float:
    """Share of 2D joints no farther from the truth than ``share`` of the longer side of the person's box.

    Args:
        prediction: (J, 2) pixels.
        truth: (J, 2) pixels.
        box: (4,) left, top, right, bottom in pixels.
        visible: (J,) joints that count, or None for all.
        share: threshold; 0.05 gives PCK@.05.

    Returns:
        A number in [0, 1].

    Raises:
        InvalidInputError: shapes differ, no joint counts, or the box has no size.
    """
    start, goal = np.asarray(prediction, np.float64), np.asarray(truth, np.float64)
    if start.shape != goal.shape or goal.ndim != 2 or goal.shape[1] != 2:
        raise InvalidInputError("Pixels must be (J, 2).", detail=f"found {start.shape} and {goal.shape}")
    counted = np.ones(len(goal), bool) if visible is None else np.asarray(visible, bool)
    side = float(max(box[2] - box[0], box[3] - box[1]))
    if counted.shape != (len(goal),) or not counted.any() or not side > 0:
        raise InvalidInputError(
            "There is nothing to count.", detail=f"{int(counted.sum())} joints count, the box measures {side:g} pixels"
        )
    distance = np.linalg.norm(start - goal, axis=1)[counted]
    return float((distance <= share * side).mean())
