"""The pose network: a small residual perceptron, then global rotations down the kinematic tree."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from munet.body.tree import JOINTS, TURNED, tree_levels
from munet.geometry.rotation import matrix_from_6d
from munet.lifting.inputs import INPUTS

HYPOTHESES = 3
BETAS = 10
PLACE = 3
DIRECTIONS = 2
_USUAL_SPREAD = -3.5
_UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Poses:
    """K hypotheses of the poses of B people, in the axes of the turned camera with y up and z to the camera.

    Attributes:
        turns: (B, K, 22, 3, 3) global rotations of the joints.
        betas: (B, K, 10).
        place: (B, K, 3) root joint's x and y over its depth and the box's size, and log of depth times size.
        logits: (B, K) confidence before the softmax.
        spreads: (B, K, 24, 2) logarithm of how far in metres a joint, seen from the root, may be off in the plane of
            the picture (each of x and y) and in depth: mean absolute error if the hypothesis is trusted as far as its
            confidence goes.
    """

    turns: Tensor
    betas: Tensor
    place: Tensor
    logits: Tensor
    spreads: Tensor


class Block(nn.Module):
    """A residual block of two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, width) to (B, width)."""
        out: Tensor = hidden + self.second(nn.functional.gelu(self.first(self.norm(hidden))))
        return out


class TreeHead(nn.Module):
    """Global rotations from the root outwards: each joint's 6D rotation is its parent's plus a predicted change.

    After SGRE (Wang et al., "Learning Structure-Guided Global Rotation", ICCV 2023): errors of single joints do not
    multiply down the limbs, because no rotation is relative to another.
    """

    def __init__(self, code: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(TURNED, code + 6, hidden) * (code + 6) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(TURNED, 1, hidden))
        self.second = nn.Parameter(torch.randn(TURNED, hidden, 6) * (0.1 * hidden**-0.5))
        self.offset = nn.Parameter(torch.zeros(TURNED, 1, 6))
        self.levels = tree_levels()

    def forward(self, code: Tensor) -> Tensor:
        """Map codes (N, code) to 6D rotations (N, 22, 6)."""
        above = code.new_tensor(_UPRIGHT).expand(1, len(code), 6)
        found: dict[int, Tensor] = {}
        for level, parents in self.levels:
            if parents:
                above = torch.stack([found[parent] for parent in parents])
            known = torch.cat([code.expand(len(level), -1, -1), above], -1)
            hidden = nn.functional.gelu(torch.baddbmm(self.bias[level], known, self.first[level]))
            turned = above + torch.baddbmm(self.offset[level], hidden, self.second[level])
            found.update(zip(level, turned.unbind(0), strict=True))
        return torch.stack([found[joint] for joint in range(TURNED)], 1)


class LifterNet(nn.Module):
    """From the features of ``look_at`` to several hypotheses of a pose.

    Args:
        width: of the residual perceptron.
        blocks: residual blocks.
        code: numbers that describe one hypothesis before the walk down the tree.
        hidden: width of each joint's own layer.
    """

    def __init__(self, width: int = 640, blocks: int = 8, code: int = 128, hidden: int = 64) -> None:
        super().__init__()
        self.stem = nn.Linear(INPUTS, width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)
        self.codes = nn.Linear(width, HYPOTHESES * code)
        self.tree = TreeHead(code, hidden)
        self.rest = nn.Linear(width, HYPOTHESES * (BETAS + PLACE + 1))
        self.spread = nn.Linear(width, HYPOTHESES * JOINTS * DIRECTIONS)

    def forward(self, features: Tensor) -> Poses:
        """Map (B, INPUTS) to hypotheses."""
        count = len(features)
        hidden = self.norm(self.blocks(self.stem(features)))
        codes = nn.functional.gelu(self.codes(hidden)).reshape(count * HYPOTHESES, -1)
        sixd = self.tree(codes).float().reshape(count, HYPOTHESES, TURNED, 6)
        rest = self.rest(hidden).float().reshape(count, HYPOTHESES, -1)
        betas, place, logits = rest.split([BETAS, PLACE, 1], -1)
        spreads = self.spread(hidden).float().reshape(count, HYPOTHESES, JOINTS, DIRECTIONS) + _USUAL_SPREAD
        return Poses(matrix_from_6d(sixd), betas, place, logits.squeeze(-1), spreads)
