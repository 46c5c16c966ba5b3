"""Nearest neighbours between point sets: a tree on the CPU, distances in pieces on other devices."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from munet.errors import InvalidInputError

_PAIRS_PER_PIECE = 1 << 27


@torch.no_grad()
def nearest(points: Tensor, targets: Tensor) -> Tensor:
    """Index (B, P) of the nearest of targets (B, Q, 3) for each of points (B, P, 3).

    Raises:
        InvalidInputError: shapes are wrong, a set is empty or (on the CPU) a coordinate is not finite.
    """
    if points.dim() != 3 or targets.dim() != 3 or points.shape[0] != targets.shape[0] or not points.shape[-1] == 3:
        raise InvalidInputError(
            "Nearest neighbours take point sets (B, P, 3) and (B, Q, 3).",
            detail=f"found {tuple(points.shape)} and {tuple(targets.shape)}",
        )
    if not points.shape[1] or not targets.shape[1]:
        raise InvalidInputError("Nearest neighbours need at least one point on either side.")
    if points.device.type != "cpu":
        return _by_distance(points.float(), targets.float())
    pairs = zip(points.double().numpy(), targets.double().numpy(), strict=True)
    return torch.stack([torch.from_numpy(_by_tree(some, others)) for some, others in pairs])


def _by_tree(points: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.int64]:
    if not (np.isfinite(points).all() and np.isfinite(targets).all()):
        raise InvalidInputError("Nearest neighbours need finite coordinates.")
    found: NDArray[np.int64] = cKDTree(targets).query(points)[1].astype(np.int64)
    return found


def _by_distance(points: Tensor, targets: Tensor) -> Tensor:
    rows = max(_PAIRS_PER_PIECE // (targets.shape[0] * targets.shape[1]), 1)
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cat(
        [torch.cdist(part, targets, compute_mode=exact).argmin(-1) for part in torch.split(points, rows, 1)], 1
    )
