"""Poses without end: frames of the library, mirrored, mixed, shaken, and limbs anywhere within their limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from munet.body.tree import TURNED
from munet.errors import InvalidInputError
from munet.fitting.prior import joint_limits
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.mirror import MIRROR
from munet.training.data.poses import JITTER, LIMITS

HELD_OUT = 5
"""Every so manieth clip is left for tests."""
_CHECKED, _FIRST_CHECKED = 20, 12
"""Every so manieth clip from this one on is left for decisions."""

_LOWER = (1, 2, 4, 5, 7, 8, 10, 11)
_ARMS = ((13, 16, 18, 20), (14, 17, 19, 21))
_LEGS = ((1, 4, 7, 10), (2, 5, 8, 11))
_HEAD = (12, 15)
_COLLARS = (13, 14)
_SHOULDERS = (16, 17)
_NOISE = 0.07
_MIX, _LIMB, _FREE, _SIT, _TURN = 0.35, 0.12, 0.08, 0.08, 0.05
_NATURAL, _FREELY = 0.6, 0.12
"""Share of people as the library has them, but for small noise, and the share of those with free joints."""
_STIFF = (4, 5, 18, 19)
_SPINE, _TRUNK = (3, 6, 9), 0.06
_PLUMB = 0.08
_CALM_LEGS, _SEATED = 0.35, 0.2
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
    tested, checked = clip % HELD_OUT == 0, clip % _CHECKED == _FIRST_CHECKED
    chosen = tested if held_out else ~(tested | checked)
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
    return local[:, list(MIRROR[:TURNED])] * sign[:, None] * sign


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
    local = _turn_over(local, random)
    plain = torch.rand(count, generator=random) < _NATURAL
    return torch.where(plain[:, None, None, None], natural_poses(library, count, random), local)


def natural_poses(library: PoseLibrary, count: int, random: torch.Generator) -> Tensor:
    """Draw poses (count, 22, 3, 3) as the generated people of the picture networks have them."""
    local = _frames(library, count, random)
    rows = _happens(count, _FREELY, random)
    local[rows] = _free_poses(len(rows), random)
    flip = torch.rand(count, generator=random) < 0.5
    local = torch.where(flip[:, None, None, None], mirrored(local), local)
    noise = torch.randn(count, TURNED, 3, generator=random) * JITTER
    noise[:, list(_STIFF)] *= 0.4
    return local @ matrix_from_axis_angle(noise)


def _free_poses(count: int, random: torch.Generator) -> Tensor:
    """Joints between the limits of standing people, more often near the middle."""
    low, high = torch.zeros(TURNED, 3), torch.zeros(TURNED, 3)
    for joint, limits in LIMITS.items():
        low[joint], high[joint] = torch.tensor(limits).deg2rad().T
        if MIRROR[joint] != joint:
            other = torch.tensor([1.0, -1.0, -1.0]) * torch.stack([low[joint], high[joint]])
            low[MIRROR[joint]], high[MIRROR[joint]] = other.amin(0), other.amax(0)
    # The mean of two uniform numbers is near enough to the beta distribution of the generator.
    drawn = torch.rand(2, count, TURNED, 3, generator=random)
    share = torch.where(drawn[0] < 0.5, drawn[1], drawn.mean(0))
    angles = low + share * (high - low)
    about = [_about(axis, angles[..., axis]) for axis in range(3)]
    local = about[0] @ about[2] @ about[1]
    local[:, 0] = matrix_from_axis_angle(torch.randn(count, 3, generator=random) * 0.08)
    return local


def straighten(local: Tensor, rows: Tensor, random: torch.Generator) -> None:
    """Let people ``rows`` of poses (N, 22, 3, 3) hold their trunk upright, as those in portraits do; in place.

    Some of them sit, some stand, the legs of the others stay as they are.
    """
    count = len(rows)
    tilt = torch.randn(count, 3, generator=random) * _PLUMB
    local[rows, 0] = matrix_from_axis_angle(tilt * torch.tensor([1.0, 0.0, 0.6]))
    trunk = torch.zeros(count, TURNED, 3)
    trunk[:, list(_SPINE)] = torch.randn(count, len(_SPINE), 3, generator=random) * _TRUNK
    _put(local, rows, _SPINE, matrix_from_axis_angle(trunk))
    drawn = torch.rand(count, generator=random)
    calm = torch.zeros(count, TURNED, 3)
    calm[:, list(_LOWER)] = torch.randn(count, len(_LOWER), 3, generator=random) * 0.08
    calm[:, [4, 5], 0] = calm[:, [4, 5], 0].abs()
    standing = drawn < _CALM_LEGS
    _put(local, rows[standing], _LOWER, matrix_from_axis_angle(calm[standing]))
    seated = rows[drawn > 1 - _SEATED]
    _put(local, seated, (*_LEGS[0], *_LEGS[1]), _seated_legs(len(seated), random))


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
    _put(local, rows, (*_LEGS[0], *_LEGS[1]), _seated_legs(len(rows), random))


def _seated_legs(count: int, random: torch.Generator) -> Tensor:
    legs = torch.zeros(count, TURNED, 3)
    drawn = torch.rand(count, 6, generator=random)
    hips, knees = 0.7 + 1.4 * drawn[:, 0], 0.4 + 1.9 * drawn[:, 1]
    for side, sign in enumerate((1.0, -1.0)):
        apart = 0.2 + 0.6 * (drawn[:, 2 + side] - 0.3)
        legs[:, 1 + side] = torch.stack([-hips + 0.3 * (drawn[:, 4 + side] - 0.5), sign * apart / 2, sign * apart], 1)
        legs[:, 4 + side, 0] = knees + 0.4 * (drawn[:, 5 - side] - 0.5)
    return matrix_from_axis_angle(legs)


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
