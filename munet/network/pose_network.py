"""The pose step of G_v: evidence about the bones -> rotations that correct them, down the kinematic tree, and betas.

Vertices that move freely do not learn from few people how limbs turn; rotations do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from munet.body.tree import TURNED, tree_levels
from munet.geometry.rotation import matrix_from_6d
from munet.network.evidence import OF_BONES, SHARED, Evidence
from munet.network.mirror import mirrored_evidence, mirrored_turns

_BETAS = 10
_WIDEST = 4.0
_UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class PoseNetwork(nn.Module):
    """A perceptron over everything, then every joint's own layer: its parent's turn plus a change (6D).

    The tree is that of SGRE (Wang et al., ICCV 2023), with evidence gathered at each bone (pixel-aligned features at
    the joints, as in PyMAF, Zhang et al., ICCV 2021). Where there is a second opinion, each joint first goes a part of
    the way to it; at the start that is half of it, and nothing else is turned.

    Args:
        kinds: of evidence, keys of ``munet.network.evidence.SHARED``.
        width: of the perceptron.
        hidden: of each joint's layer.
        dropout: share of the numbers that are left out in training.
    """

    mean_shared: Tensor
    spread_shared: Tensor
    mean_bones: Tensor
    spread_bones: Tensor

    def __init__(self, kinds: tuple[str, ...], width: int, hidden: int, dropout: float = 0.35) -> None:
        super().__init__()
        self.kinds = kinds
        shared, bones = sum(SHARED[kind] for kind in kinds), sum(OF_BONES[kind] for kind in kinds)
        for name, count in (("shared", shared), ("bones", bones)):
            self.register_buffer(f"mean_{name}", torch.zeros(count))
            self.register_buffer(f"spread_{name}", torch.ones(count))
        self.stem = nn.Sequential(
            nn.Linear(shared + TURNED * bones, width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout),
        )  # fmt: skip
        known = width + bones + 6
        self.first = nn.Parameter(torch.randn(TURNED, known, hidden) * known**-0.5)
        self.bias = nn.Parameter(torch.zeros(TURNED, 1, hidden))
        self.second = nn.Parameter(torch.zeros(TURNED, hidden, 6))
        self.dropout = nn.Dropout(dropout)
        self.gate = nn.Linear(width, TURNED) if {"pose", "opinion"} <= set(kinds) else None
        if self.gate is not None:
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)
        self.betas = nn.Linear(width, _BETAS)
        nn.init.zeros_(self.betas.weight)
        nn.init.zeros_(self.betas.bias)
        self.levels = tree_levels()

    @torch.no_grad()
    def measure(self, evidence: Evidence) -> None:
        """Take mean and spread of every number from many people."""
        for name, values in (("shared", evidence.shared), ("bones", evidence.bones.flatten(0, 1))):
            getattr(self, f"mean_{name}").copy_(values.mean(0))
            getattr(self, f"spread_{name}").copy_(values.std(0).clamp_min(1e-2))

    def forward(self, evidence: Evidence) -> tuple[Tensor, Tensor]:
        """Turns (B, 22, 3, 3) in the axes of the body frame, and changes of the betas (B, 10)."""
        shared = ((evidence.shared - self.mean_shared) / self.spread_shared).clamp(-_WIDEST, _WIDEST)
        bones = ((evidence.bones - self.mean_bones) / self.spread_bones).clamp(-_WIDEST, _WIDEST)
        code = self.stem(torch.cat([shared, bones.flatten(1)], 1))
        sixd = self._walk(code, bones.transpose(0, 1)) + code.new_tensor(_UPRIGHT)
        turns = matrix_from_6d(sixd.float())
        if self.gate is not None:
            turns = turns @ self._towards_opinion(evidence, torch.sigmoid(self.gate(code)).float())
        view = evidence.view[:, None]
        return view.transpose(-1, -2) @ turns @ view, self.betas(code).float()

    def _towards_opinion(self, evidence: Evidence, share: Tensor) -> Tensor:
        """Turns (B, 22, 3, 3) that lead a share (B, 22) of the way from the given body to the second opinion."""
        first, second = (sum(OF_BONES[kind] for kind in self.kinds[: self.kinds.index(k)]) for k in ("pose", "opinion"))
        flag = sum(SHARED[kind] for kind in self.kinds[: self.kinds.index("opinion")])
        given, told = (_columns(evidence.bones[..., place : place + 6]) for place in (first, second))
        share = share * evidence.shared[:, flag : flag + 1]
        between = matrix_from_6d(torch.lerp(given, told, share[..., None]))
        return between @ matrix_from_6d(given).transpose(-1, -2)

    def both_ways(self, evidence: Evidence) -> tuple[Tensor, Tensor]:
        """The same, as the mean of what the network says of a person and of the person's mirror image."""
        turns, betas = self(evidence)
        others, shape = self(mirrored_evidence(self.kinds, evidence))
        columns = (turns + mirrored_turns(others))[..., :2] / 2
        return matrix_from_6d(_columns(columns.flatten(-2))), (betas + shape) / 2

    def _walk(self, code: Tensor, bones: Tensor) -> Tensor:
        """Changes (B, 22, 6) from the pelvis outwards; ``bones`` (22, B, N)."""
        above = code.new_zeros(1, len(code), 6)
        found: dict[int, Tensor] = {}
        for level, parents in self.levels:
            if parents:
                above = torch.stack([found[parent] for parent in parents])
            known = torch.cat([code.expand(len(level), -1, -1), bones[level], above], -1)
            hidden = self.dropout(nn.functional.gelu(torch.baddbmm(self.bias[level], known, self.first[level])))
            found.update(zip(level, (above + torch.bmm(hidden, self.second[level])).unbind(0), strict=True))
        return torch.stack([found[joint] for joint in range(TURNED)], 1)


def _columns(rows: Tensor) -> Tensor:
    """Three rows of two numbers (..., 6) as two columns of three (..., 6), which is the 6D form of a rotation."""
    return rows.reshape(*rows.shape[:-1], 3, 2).transpose(-1, -2).flatten(-2)
