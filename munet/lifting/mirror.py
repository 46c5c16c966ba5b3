"""The same person seen in a mirror: what the network says of both is averaged."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.lifting.inputs import EXTRAS, MARK_NAMES
from munet.lifting.network import LifterNet, Poses

MIRROR = (0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22)
"""Each joint's twin on the other side."""


def _twin(name: str) -> str:
    side, _, rest = name.partition("_")
    other = {"left": "right", "right": "left"}.get(side)
    return name if other is None else f"{other}_{rest}"


_MARKS = tuple(MARK_NAMES.index(_twin(name)) for name in MARK_NAMES)


def mirrored_features(features: Tensor) -> Tensor:
    """What the network would see (B, INPUTS) of the same people in a mirror."""
    count = len(MARK_NAMES)
    flip = features.new_tensor([-1.0, 1.0])
    marks, known, extras, doubt, depths, given = torch.split(features, [2 * count, count, EXTRAS, count, count, 1], 1)
    swapped = marks.reshape(-1, count, 2)[:, list(_MARKS)] * flip
    middle = torch.cat([extras[:, :2] * flip, extras[:, 2:]], 1)
    sides = [values[:, list(_MARKS)] for values in (known, doubt, depths)]
    return torch.cat([swapped.flatten(1), sides[0], middle, sides[1], sides[2], given], 1)


def mirrored_poses(poses: Poses) -> Poses:
    """The same poses in a mirror: left and right exchanged."""
    flip = poses.turns.new_tensor([-1.0, 1.0, 1.0])
    turns = poses.turns[:, :, list(MIRROR[: poses.turns.shape[2]])] * flip[:, None] * flip
    return Poses(turns, poses.betas, poses.place * flip, poses.logits, poses.spreads[:, :, list(MIRROR)])


def see_both_ways(net: LifterNet, features: Tensor) -> Poses:
    """The network's hypotheses (B, ...) for people and for their mirror images, each averaged with its twin.

    The network has learnt from both, so the hypotheses keep their numbers in the mirror; on generated people the mean
    of the two is nearer to the truth than either (docs/model-cards/lifter.md).

    Args:
        net: the pose network.
        features: (B, INPUTS) of ``View``.
    """
    both = net(torch.cat([features, mirrored_features(features)]))
    plain, other = (
        Poses(*(getattr(both, name)[part] for name in ("turns", "betas", "place", "logits", "spreads")))
        for part in (slice(None, len(features)), slice(len(features), None))
    )
    other = mirrored_poses(other)
    chances = (plain.logits.softmax(1) + other.logits.softmax(1)) / 2
    return Poses(
        _between(plain.turns, other.turns),
        (plain.betas + other.betas) / 2,
        (plain.place + other.place) / 2,
        chances.log(),
        (plain.spreads + other.spreads) / 2,
    )


def _between(first: Tensor, second: Tensor) -> Tensor:
    """Rotations (..., 3, 3) halfway between two."""
    left, _, right = torch.linalg.svd(first + second)
    turn: Tensor = left @ right
    return turn
