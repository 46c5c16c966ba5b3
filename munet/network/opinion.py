"""A second opinion about a person: the pose that a network of landmarks alone would give, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.body.tree import JOINTS, global_rotations
from munet.fitting.guess import PoseGuess

_USUAL = 0.05


@dataclass(frozen=True)
class Opinion:
    """Of B people; metres, body frame, pelvis at the origin.

    Attributes:
        known: (B, 1) 1 where there is one; everything else is that of a resting body where there is none.
        turns: (B, 24, 3, 3) global rotations of the joints.
        joints: (B, 24, 3).
        betas: (B, 10).
        spreads: (B, 24, 2) metres that joints may be off across the view and along it.
    """

    known: Tensor
    turns: Tensor
    joints: Tensor
    betas: Tensor
    spreads: Tensor

    def to(self, device: torch.device | str) -> Opinion:
        """The same on another device."""
        return Opinion(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def opinion_from(model: BodyModel, local: Tensor, betas: Tensor, spreads: Tensor, known: Tensor) -> Opinion:
    """Opinion of poses; who is not ``known`` rests.

    Args:
        model: the body model, on the device of the rest.
        local: (B, 24, 3, 3) local rotations.
        betas: (B, 10).
        spreads: (B, 24, 2) metres.
        known: (B,) 1 where there is an opinion, else 0.
    """
    told = known.bool()
    local = torch.where(told[:, None, None, None], local, torch.eye(3, dtype=local.dtype, device=local.device))
    betas = betas * known[:, None]
    first = torch.zeros(1, dtype=torch.int64, device=local.device)
    joints = pose_body(model, betas, local, None, vertices=first, correctives=False).joints[:, :JOINTS]
    spreads = torch.where(told[:, None, None], spreads, _USUAL)
    return Opinion(known[:, None], global_rotations(local), joints - joints[:, :1], betas, spreads)


def opinion_of(model: BodyModel, guess: PoseGuess | None) -> Opinion:
    """Opinion about one person, on the model's device; None where there is no guess."""
    known = torch.tensor([float(guess is not None)])
    local, betas = torch.eye(3).expand(1, JOINTS, 3, 3), torch.zeros(1, 10)
    spreads = torch.full((1, JOINTS, 2), _USUAL)
    if guess is not None:
        local, betas = (torch.from_numpy(np.asarray(part, np.float32))[None] for part in (guess.rotations, guess.betas))
    if guess is not None and guess.spread is not None:
        spreads = torch.from_numpy(np.asarray(guess.spread.metres, np.float32))[None]
    return opinion_from(model, *(part.to(model.device) for part in (local, betas, spreads, known)))
