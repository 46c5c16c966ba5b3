"""Rotations along SMPL's kinematic tree: relative to the parent, or to the body."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from munet.body.model import SMPL_PARENTS

JOINTS = len(SMPL_PARENTS)
TURNED = 22
"""Joints with a rotation of their own: all of SMPL's but the hands, which follow the wrists."""


def tree_levels() -> list[tuple[list[int], list[int]]]:
    """The turned joints by their depth in the tree, with their parents; the root's list of parents is empty."""
    depth = [0] * TURNED
    for joint in range(1, TURNED):
        depth[joint] = depth[SMPL_PARENTS[joint]] + 1
    by_level = [[joint for joint in range(TURNED) if depth[joint] == level] for level in range(max(depth) + 1)]
    return [(by_level[0], [])] + [(joints, [SMPL_PARENTS[j] for j in joints]) for _, joints in pairwise(by_level)]


def global_rotations(local: Tensor, joints: int = JOINTS) -> Tensor:
    """Rotations in the axes of the body frame of the first joints.

    Args:
        local: (..., J, 3, 3) rotations in the axes of the parent, J at least ``joints``.
        joints: how many are wanted, in SMPL's order.

    Returns:
        (..., joints, 3, 3).
    """
    turns = [local[..., 0, :, :]]
    for joint in range(1, joints):
        turns.append(turns[SMPL_PARENTS[joint]] @ local[..., joint, :, :])
    return torch.stack(turns, -3)


def with_hands(turns: Tensor) -> Tensor:
    """Rotations (..., 24, 3, 3) of those of the turned joints (..., 22, 3, 3), all global: hands follow the wrists."""
    return torch.cat([turns, turns[..., -2:, :, :]], -3)


def local_rotations(turns: Tensor) -> Tensor:
    """Rotations in the axes of the parent, the inverse of :func:`global_rotations`.

    Args:
        turns: (..., J, 3, 3) rotations in the axes of the body frame of the first J joints, at most 24.

    Returns:
        (..., 24, 3, 3); joints beyond J follow their parents.
    """
    count = turns.shape[-3]
    above = turns[..., [max(parent, 0) for parent in SMPL_PARENTS[:count]], :, :]
    local = above.transpose(-1, -2) @ turns
    rest = torch.eye(3, dtype=turns.dtype, device=turns.device).expand(*turns.shape[:-3], JOINTS - count, 3, 3)
    return torch.cat([turns[..., :1, :, :], local[..., 1:, :, :], rest], -3)
