"""Alignments of a prediction to the ground truth. Each has a name, and nothing here is ever applied unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from munet.errors import InvalidInputError

Array = NDArray[np.float64]
AnyArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Similarity:
    """``points -> scale * points @ rotation.T + translation``.

    Attributes:
        scale: positive factor.
        rotation: (3, 3), determinant 1.
        translation: (3,) in the unit of the points.
    """

    scale: float
    rotation: Array
    translation: Array

    def apply(self, points: AnyArray) -> Array:
        """Transform points (..., 3)."""
        moved: Array = self.scale * np.asarray(points, np.float64) @ self.rotation.T + self.translation
        return moved

    def after(self, first: Similarity) -> Similarity:
        """The transform that applies ``first`` and then this one."""
        turned = self.rotation @ first.rotation
        return Similarity(self.scale * first.scale, turned, self.apply(first.translation))

    def inverse(self) -> Similarity:
        """The transform that undoes this one."""
        turned = self.rotation.T
        return Similarity(1 / self.scale, turned, -turned @ self.translation / self.scale)


IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))


def check_points(points: AnyArray, name: str, shape: tuple[int, ...] | None = None) -> Array:
    """Return finite points (N, 3) as float64.

    Raises:
        InvalidInputError: the shape is another one, or a number is not finite.
    """
    values = np.asarray(points, np.float64)
    wrong = values.ndim != 2 or values.shape[1] != 3 or not len(values) or (shape is not None and values.shape != shape)
    if wrong or not np.isfinite(values).all():
        raise InvalidInputError(
            f"{name} can not be measured.",
            detail=f"expected finite numbers of shape {shape or '(N, 3)'}, found shape {values.shape}",
        )
    return values


def procrustes(prediction: AnyArray, truth: AnyArray) -> Similarity:
    """Return the similarity (no reflection) that brings the prediction nearest to the truth in least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991, equations
    40 to 42.

    Args:
        prediction: (N, 3) points.
        truth: (N, 3) the same points where they should be.

    Raises:
        InvalidInputError: the shapes differ, a number is not finite, or all predicted points coincide.
    """
    goal = check_points(truth, "truth")
    start = check_points(prediction, "prediction", goal.shape)
    start_mean, goal_mean = start.mean(0), goal.mean(0)
    centred = start - start_mean
    variance = float((centred**2).sum())
    if variance == 0:
        raise InvalidInputError("The prediction has no size.", detail="all its points coincide")
    left, values, right = np.linalg.svd((goal - goal_mean).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    rotation = (left * signs) @ right
    scale = float((values * signs).sum() / variance)
    return Similarity(scale, rotation, goal_mean - scale * rotation @ start_mean)


def scale_and_translation(prediction: AnyArray, truth: AnyArray) -> Similarity:
    """Return the scale and shift after which mean and RMS distance from the mean are those of the truth.

    The scale correction of PVE-T-SC: Sengupta et al., "Synthetic Training for Accurate 3D Human Pose and Shape
    Estimation in the Wild", BMVC 2020 (SSP-3D). The two sets need not correspond.

    Raises:
        InvalidInputError: points are missing or not finite, or all predicted points coincide.
    """
    start, goal = check_points(prediction, "prediction"), check_points(truth, "truth")
    start_size = np.sqrt(((start - start.mean(0)) ** 2).sum(1).mean())
    if start_size == 0:
        raise InvalidInputError("The prediction has no size.", detail="all its points coincide")
    scale = float(np.sqrt(((goal - goal.mean(0)) ** 2).sum(1).mean()) / start_size)
    return Similarity(scale, np.eye(3), goal.mean(0) - scale * start.mean(0))


def translation_between(start: AnyArray, goal: AnyArray) -> Similarity:
    """Return the shift that brings the point ``start`` (3,) onto ``goal`` (3,)."""
    return Similarity(1.0, np.eye(3), np.asarray(goal, np.float64) - np.asarray(start, np.float64))
