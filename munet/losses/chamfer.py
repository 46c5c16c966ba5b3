"""Chamfer distance between point sets, both directions named."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from munet.losses.nearest import nearest

# Keeps the gradient finite where points coincide; a micrometre.
_EPSILON = 1e-6


class Matches(NamedTuple):
    """Nearest neighbours in both directions: of each prediction (B, P) and of each true point (B, Q)."""

    of_prediction: Tensor
    of_truth: Tensor


class Chamfer(NamedTuple):
    """Mean distances (B,): from the prediction to the truth and from the truth to the prediction."""

    to_truth: Tensor
    to_prediction: Tensor

    @property
    def total(self) -> Tensor:
        """(B,) sum of both directions, MuNet's L_cd."""
        return self.to_truth + self.to_prediction


def match(prediction: Tensor, truth: Tensor) -> Matches:
    """Nearest neighbours between (B, P, 3) and (B, Q, 3) in both directions."""
    return Matches(nearest(prediction, truth), nearest(truth, prediction))


def chamfer(prediction: Tensor, truth: Tensor, matches: Matches | None = None) -> Chamfer:
    """Mean distance, not squared, to the nearest point of the other set (MuNet, eq. 13 and 14).

    Args:
        prediction: (B, P, 3).
        truth: (B, Q, 3).
        matches: of :func:`match`, to search only once.

    Returns:
        Both directions, each (B,), in the unit of the points.
    """
    found = match(prediction, truth) if matches is None else matches
    forward = distance(prediction, pick(truth, found.of_prediction)).mean(1)
    backward = distance(truth, pick(prediction, found.of_truth)).mean(1)
    return Chamfer(forward, backward)


def pick(values: Tensor, index: Tensor) -> Tensor:
    """Rows (B, P, C) of values (B, Q, C) at index (B, P)."""
    return torch.gather(values, 1, index[..., None].expand(-1, -1, values.shape[-1]))


def distance(some: Tensor, others: Tensor) -> Tensor:
    """Euclidean distance over the last axis, 0 with gradient 0 where points coincide."""
    return ((some - others).square().sum(-1) + _EPSILON**2).sqrt() - _EPSILON
