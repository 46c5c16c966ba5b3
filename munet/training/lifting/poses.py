"""Poses without end: frames of the library, mirrored, mixed, shaken, and limbs anywhere within their limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.fitting.prior import joint_limits
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.network import TURNED

HELD_OUT = 5
"""Every so manieth clip is left for tests."""

MIRROR = (0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20)
_LOWER = (1, 2, 4, 5, 7, 8, 10, 11)
_ARMS = ((13, 16, 18, 20), (14, 17, 19, 21))
_LEGS = ((1, 4, 7, 10), (2, 5, 8, 11))
_HEAD = (12, 15)
_COLLARS = (13, 14)
_SHOULDERS = (16, 17)
_NOISE = 0.07
_MIX, _LIMB, _FREE, _SIT, _TURN = 0.35, 0.12, 0.08, 0.08, 0.05
_ANYTHING = 0.10
"""Share of people whose every joint is anywhere within its limits."""


@dataclass(frozen=True)
class PoseLibrary:
    """Frames to draw poses from.

    Attributes:
        local: (N, 22, 3, 3) local rotations, y up, the root without yaw.
        chances: (N,) of each frame; long clips do not drown the others.
        low, high: (21, 3) axis-angle limits of the joints 1 to 21.
    """

    local: Tensor
    chances: Tensor
    low: Tensor
    high: Tensor


def load_library(path: Path, *, held_out: bool = False) -> PoseLibrary:
    """Read the frames for training, or those of the clips that are held out for tests.

    Raises:
        InvalidInputError: the file is no library of poses.
    """
    with np.load(path) as stored:
        missing = {"pose", "clip"} - set(stored.files)
        if missing:
            raise InvalidInputError(
                "The file is no library of poses.", detail=f"expected arrays pose and clip, found {stored.files}"
            )
        pose, clip = stored["pose"].astype(np.float32), stored["clip"].astype(np.int64)
    chosen = (clip % HELD_OUT == 0) == held_out
    chances = torch.tensor(1 / np.sqrt(np.bincount(clip)[clip[chosen]]), dtype=torch.float32)
    local = matrix_from_axis_angle(torch.tensor(pose[chosen][:, :TURNED]))
    local[:, 0] = without_yaw(local[:, 0])
    low, high = (torch.tensor(limit, dtype=torch.float32) for limit in joint_limits())
    return PoseLibrary(local, chances / chances.sum(), low, high)


def without_yaw(root: Tensor) -> Tensor:
    """Turn roots (N, 3, 3) about the vertical until they face +z."""
    yaw = torch.atan2(root[:, 0, 2], root[:, 2, 2])
    return _about(1, -yaw) @ root


def mirrored(local: Tensor) -> Tensor:
    """The poses (N, 22, 3, 3) seen in a mirror: left and right exchanged."""
    sign = local.new_tensor([-1.0, 1.0, 1.0])
    return local[:, list(MIRROR)] * sign[:, None] * sign


def draw_poses(library: PoseLibrary, count: int, random: torch.Generator) -> Tensor:
    """Draw local rotations (count, 22, 3, 3), the root without yaw."""
    local = _frames(library, count, random)
    _mix(library, local, random)
    _sit(local, random)
    _free_limbs(library, local, random)
    _move_collars(local, random)
    shake = torch.randn(count, TURNED, 3, generator=random) * _NOISE * torch.rand(count, 1, 1, generator=random) * 2
    local = local @ matrix_from_axis_angle(shake)
    flip = torch.rand(count, generator=random) < 0.5
    local = torch.where(flip[:, None, None, None], mirrored(local), local)
    return _turn_over(local, random)


def _about(axis: int, angle: Tensor) -> Tensor:
    vector = torch.zeros(*angle.shape, 3)
    vector[..., axis] = angle
    return matrix_from_axis_angle(vector)


def _frames(library: PoseLibrary, count: int, random: torch.Generator) -> Tensor:
    rows = torch.multinomial(library.chances, max(count, 1), replacement=True, generator=random)[:count]
    return library.local[rows]


def _happens(count: int, chance: float, random: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=random) < chance).nonzero().squeeze(1)


def _put(local: Tensor, rows: Tensor, joints: tuple[int, ...], source: Tensor) -> None:
    index = torch.tensor(joints)
    local[rows[:, None], index] = source[:, index]


def _mix(library: PoseLibrary, local: Tensor, random: torch.Generator) -> None:
    """Give some people the legs, some the arm or the head of other frames."""
    rows = _happens(len(local), _MIX, random)
    _put(local, rows, _LOWER, _frames(library, len(rows), random))
    for joints in (*_ARMS, _HEAD):
        rows = _happens(len(local), 1.5 * _LIMB, random)
        _put(local, rows, joints, _frames(library, len(rows), random))


def _within(library: PoseLibrary, count: int, random: torch.Generator) -> Tensor:
    """Rotations (count, 22, 3, 3) anywhere within the joint limits; the root rests."""
    share = torch.rand(count, TURNED - 1, 3, generator=random)
    vector = torch.zeros(count, TURNED, 3)
    vector[:, 1:] = library.low + share * (library.high - library.low)
    return matrix_from_axis_angle(vector)


def _free_limbs(library: PoseLibrary, local: Tensor, random: torch.Generator) -> None:
    """Bend some limbs, trunks and heads to any angle that anatomy allows."""
    for joints, chance in zip((*_ARMS, *_LEGS, (3, 6, 9), _HEAD), (_FREE,) * 4 + (0.04, 0.04), strict=True):
        rows = _happens(len(local), chance, random)
        _put(local, rows, joints, _within(library, len(rows), random))
    rows = _happens(len(local), _ANYTHING, random)
    _put(local, rows, tuple(range(1, TURNED)), _within(library, len(rows), random))


def _sit(local: Tensor, random: torch.Generator) -> None:
    """Let some people sit, squat or kneel: the library has few who do."""
    rows = _happens(len(local), _SIT, random)
    legs = torch.zeros(len(rows), TURNED, 3)
    drawn = torch.rand(len(rows), 6, generator=random)
    hips, knees = 0.7 + 1.4 * drawn[:, 0], 0.4 + 1.9 * drawn[:, 1]
    for side, sign in enumerate((1.0, -1.0)):
        apart = 0.2 + 0.6 * (drawn[:, 2 + side] - 0.3)
        legs[:, 1 + side] = torch.stack([-hips + 0.3 * (drawn[:, 4 + side] - 0.5), sign * apart / 2, sign * apart], 1)
        legs[:, 4 + side, 0] = knees + 0.4 * (drawn[:, 5 - side] - 0.5)
    _put(local, rows, (*_LEGS[0], *_LEGS[1]), matrix_from_axis_angle(legs))


def _move_collars(local: Tensor, random: torch.Generator) -> None:
    """Shrug and pull the shoulders, half of the time without moving the arm: most of the library has stiff collars."""
    count = len(local)
    collar = torch.randn(count, 2, 3, generator=random) * torch.tensor([0.05, 0.12, 0.12])
    turn = matrix_from_axis_angle(collar)
    kept = (torch.rand(count, 1, 1, 1, generator=random) < 0.5).expand(-1, 2, 3, 3)
    back = torch.where(kept, turn.transpose(-1, -2), torch.eye(3))
    local[:, list(_COLLARS)] = local[:, list(_COLLARS)] @ turn
    local[:, list(_SHOULDERS)] = back @ local[:, list(_SHOULDERS)]


def _turn_over(local: Tensor, random: torch.Generator) -> Tensor:
    """Lay some people down or turn them any way round."""
    rows = _happens(len(local), _TURN, random)
    axis = torch.nn.functional.normalize(torch.randn(len(rows), 3, generator=random), dim=1)
    angle = torch.rand(len(rows), 1, generator=random) * torch.pi
    turned = local.clone()
    turned[rows, 0] = matrix_from_axis_angle(axis * angle) @ local[rows, 0]
    return turned
