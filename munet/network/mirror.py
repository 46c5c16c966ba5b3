"""Left and right exchanged: every case of the pose network has a mirror image that is as true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from munet.body.model import SMPL_JOINT_NAMES
from munet.body.tree import JOINTS, TURNED
from munet.network.evidence import MARKS, Evidence
from munet.network.rig import GivenPose
from munet.perception.observation import LANDMARK_NAMES

Made = TypeVar("Made")


def _swapped(names: tuple[str, ...]) -> list[int]:
    other = {"left": "right", "right": "left"}
    exchanged = ["_".join(other.get(word, word) for word in name.split("_")) for name in names]
    return [names.index(name) for name in exchanged]


_JOINTS = _swapped(SMPL_JOINT_NAMES[:JOINTS])
_MARKS = _swapped(LANDMARK_NAMES)
_SIGNS = torch.tensor([-1.0, 1.0, 1.0])


def mirrored(
    kinds: tuple[str, ...],
    evidence: Evidence,
    given: GivenPose,
    wanted: GivenPose,
    make: Callable[[Evidence, GivenPose, GivenPose], Made],
) -> Made:
    """Mirror evidence of some kinds and two poses, and put them together."""
    return make(mirrored_evidence(kinds, evidence), mirrored_pose(given), mirrored_pose(wanted))


def mirrored_evidence(kinds: tuple[str, ...], evidence: Evidence) -> Evidence:
    """Evidence of some kinds about the person in the mirror."""
    shared, bones = list(_shared(kinds, evidence.shared)), list(_bones(kinds, evidence.bones))
    view = evidence.view * _signs(evidence.view)
    return Evidence(torch.cat(shared, 1), torch.cat(bones, -1), view)


def mirrored_turns(turns: Tensor) -> Tensor:
    """Rotations (B, J, 3, 3) of the first J joints, as a mirror shows them."""
    return turns[:, _JOINTS[: turns.shape[1]]] * _signs(turns)


def _signs(like: Tensor) -> Tensor:
    signs = _SIGNS.to(like)
    return signs[:, None] * signs


def mirrored_pose(pose: GivenPose) -> GivenPose:
    """A pose in the mirror; the identity has no sides."""
    return replace(
        pose,
        turns=mirrored_turns(pose.turns),
        joints=pose.joints[:, _JOINTS] * _SIGNS.to(pose.joints),
        marks=pose.marks[:, _MARKS] * _SIGNS.to(pose.marks),
    )


def _shared(kinds: tuple[str, ...], values: Tensor) -> list[Tensor]:
    """The numbers of whole people, in the order of ``munet.network.evidence.gather``."""
    count, start, parts, signs = len(values), 0, [], _SIGNS.to(values)

    def take(*shape: int) -> Tensor:
        nonlocal start
        size = int(torch.Size(shape).numel())
        part = values[:, start : start + size].reshape(count, *shape)
        start += size
        return part

    for kind in kinds:
        if kind == "pose":
            parts += [_turns(take(TURNED, 3, 2)), take(10), take(JOINTS, 3)[:, _JOINTS] * signs]
        elif kind == "landmarks":
            parts += [take(MARKS)[:, _MARKS], take(MARKS, 2)[:, _MARKS] * signs[:2]]
        elif kind == "depths":
            parts += [take(MARKS)[:, _MARKS], take(MARKS, 3)[:, _MARKS] * signs]
        elif kind == "opinion":
            parts += [take(11), take(JOINTS, 3)[:, _JOINTS] * signs, take(JOINTS, 2)[:, _JOINTS]]
    return [part.flatten(1) for part in parts]


def _bones(kinds: tuple[str, ...], values: Tensor) -> list[Tensor]:
    """The numbers of every bone, in the same order."""
    start, parts = 0, []
    sides = _JOINTS[:TURNED]
    for kind in kinds:
        if kind in ("pose", "opinion"):
            parts.append(_turns(values[..., start : start + 6].reshape(-1, TURNED, 3, 2)).flatten(2))
            start += 6
        elif kind == "normals":
            one = torch.tensor([1.0])
            # The cross product is no vector: a mirror turns it the other way round.
            signs = torch.cat([one, _SIGNS, _SIGNS, -_SIGNS, one, one]).repeat(2).to(values)
            parts.append(values[:, sides, start : start + len(signs)] * signs)
            start += len(signs)
    return parts


def _turns(columns: Tensor) -> Tensor:
    """The first two columns (B, 22, 3, 2) of rotations."""
    return columns[:, _JOINTS[:TURNED]] * _signs(columns)[:, :2]
