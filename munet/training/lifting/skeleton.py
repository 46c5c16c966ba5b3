"""The body as the pose network's training sees it: joints and a few landmarks, posed by global rotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.lifting.inputs import MARKS

_LEAST = 1e-6


@dataclass(frozen=True)
class Skeleton:
    """Joints and landmarks that move with them, exact but for pose correctives.

    Attributes:
        parents: (24,) with 0 for the root's own.
        joints: (24, 3) rest joints of the mean person; joint_dirs: (24, 3, 10) per unit of beta.
        above: (24, 24) 1 where the column's bone lies on the row's way to the root.
        owner: (Q,) joint of each pair of landmark and joint.
        gather: (M, Q) 1 where a pair belongs to a landmark.
        anchors: (Q, 3) rest offset from the joint times weight; anchor_dirs: (Q, 3, 10) per unit of beta.
        weights: (Q,).
    """

    parents: Tensor
    joints: Tensor
    joint_dirs: Tensor
    above: Tensor
    owner: Tensor
    gather: Tensor
    anchors: Tensor
    anchor_dirs: Tensor
    weights: Tensor

    def pose(self, turns: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Forward kinematics.

        Args:
            turns: (N, 22, 3, 3) global rotations.
            betas: (N, 10).

        Returns:
            Joints (N, 24, 3) and landmarks (N, M, 3), metres, the root joint at the origin.
        """
        full = torch.cat([turns, turns[:, 20:22]], 1)
        rest = self.joints + (betas @ self.joint_dirs.flatten(0, 1).T).reshape(-1, 24, 3)
        bones = rest - rest[:, self.parents]
        swung = (full[:, self.parents] @ bones[..., None]).squeeze(-1)
        heads = self.above @ swung
        anchors = self.anchors + (betas @ self.anchor_dirs.flatten(0, 1).T).reshape(-1, len(self.owner), 3)
        moved = (full[:, self.owner] @ anchors[..., None]).squeeze(-1)
        moved = moved + self.weights[:, None] * heads[:, self.owner]
        return heads, self.gather @ moved


def make_skeleton(model: BodyModel) -> Skeleton:
    """Reduce a body model to joints and landmarks."""
    rig = make_body_points(model).rig.subset(BodyPoints.LANDMARKS).subset(np.array(MARKS))
    share = np.abs(rig.anchors).max(2) + rig.weights
    rows, owner = np.nonzero(share > _LEAST)
    weights = rig.weights[rows, owner]
    anchors = rig.anchors[rows, owner] - weights[:, None] * rig.joints[owner]
    anchor_dirs = rig.anchor_dirs[rows, owner] - weights[:, None, None] * rig.joint_dirs[owner]
    gather = np.zeros((len(rig), len(rows)))
    gather[rows, np.arange(len(rows))] = 1

    def tensor(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
        return torch.tensor(array, dtype=torch.float32)

    return Skeleton(
        torch.tensor(np.maximum(rig.parents, 0)),
        tensor(rig.joints),
        tensor(rig.joint_dirs),
        tensor(rig.below.T.copy()),
        torch.tensor(owner),
        tensor(gather),
        tensor(anchors),
        tensor(anchor_dirs),
        tensor(weights),
    )
