"""Generated people before random cameras, and what a landmark detector would report of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.inputs import MARK_NAMES, View, look_at
from munet.training.lifting.poses import PoseLibrary, draw_poses
from munet.training.lifting.skeleton import Skeleton, global_turns

_FILM = 36.0
_SHORTEST, _LONGEST = 20.0, 100.0
GUESSED = 45.0
"""Focal length in millimetres on 36 mm film that is taken for photos that do not tell theirs."""

_FOCAL_KNOWN = 0.35
_LIMB_DROPPED, _MARK_DROPPED, _CROPPED = 0.08, 0.02, 0.12
_VAGUE = {"hip": 2.0, "ear": 1.5, "pinky": 2.0, "index": 2.0, "heel": 1.3, "foot_index": 1.3}
_LIMBS = tuple(
    tuple(MARK_NAMES.index(f"{side}_{part}") for part in parts)
    for side in ("left", "right")
    for parts in (
        ("elbow", "wrist", "pinky", "index"),
        ("wrist", "pinky", "index"),
        ("knee", "ankle", "heel", "foot_index"),
        ("ankle", "heel", "foot_index"),
    )
)
_TRUNK = tuple(MARK_NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip"))


@dataclass(frozen=True)
class Batch:
    """B generated people: what is seen and what is true.

    Attributes:
        view: what the network sees; its ``marks`` are the true ones, without noise, in the same units.
        turns: (B, 22, 3, 3) true global rotations in the axes of the turned camera (y up, z to the camera).
        betas: (B, 10).
        joints: (B, 24, 3) metres in the same axes, the root joint at the origin.
    """

    view: View
    turns: Tensor
    betas: Tensor
    joints: Tensor


def make_batch(library: PoseLibrary, skeleton: Skeleton, count: int, seed: int, step: int) -> Batch:
    """Generate the people of one training step; the same seed and step give the same people."""
    random = torch.Generator().manual_seed(seed * 1_000_003 + step)
    local = draw_poses(library, count, random)
    local[:, 0] = _camera_turn(count, random) @ local[:, 0]
    spread = torch.where(torch.rand(count, 1, generator=random) < 0.2, 1.3, 0.7)
    betas = torch.randn(count, 10, generator=random) * spread
    turns = global_turns(skeleton.parents, local)
    joints, marks = skeleton.pose(turns, betas)
    return observe(turns, betas, joints, marks, random)


def observe(turns: Tensor, betas: Tensor, joints: Tensor, marks: Tensor, random: torch.Generator) -> Batch:
    """Place posed people (root-centred, y up, z to the camera) before cameras and disturb what is seen of them."""
    count = len(turns)
    flip = torch.tensor([1.0, -1.0, -1.0])
    rays, stretch = _project(marks * flip, random)
    height = rays[..., 1].amax(1) - rays[..., 1].amin(1)
    size = torch.maximum(height, rays[..., 0].amax(1) - rays[..., 0].amin(1))
    known = _known(rays, random)
    guessed = (torch.rand(count, generator=random) < _FOCAL_KNOWN).float()
    factor = torch.where(guessed > 0.5, torch.ones_like(stretch), stretch)[:, None, None]
    seen = look_at((rays + _noise(count, random) * size[:, None, None]) * factor, known, guessed)
    clean = look_at_with(seen, rays * factor)
    axes = flip[:, None] * seen.turn * flip
    turned = axes[:, None] @ turns
    return Batch(clean, turned, betas, joints @ axes.transpose(-1, -2))


def look_at_with(view: View, rays: Tensor) -> View:
    """The same view with other landmarks (B, M, 2) at depth 1 of the unturned camera as its marks."""
    full = torch.cat([rays, torch.ones_like(rays[..., :1])], -1) @ view.turn.transpose(-1, -2)
    marks = full[..., :2] / full[..., 2:].clamp_min(0.05) / view.scale[:, None, None]
    return View(view.turn, view.scale, marks, view.known, view.features)


def _camera_turn(count: int, random: torch.Generator) -> Tensor:
    """Rotations (count, 3, 3) of the world before the camera: yaw anything, pitch and roll mostly small."""
    drawn = torch.randn(count, 2, generator=random)
    steep = (torch.rand(count, generator=random) < 0.2).float()
    pitch = drawn[:, 0] * torch.deg2rad(7 + 15 * steep)
    roll = drawn[:, 1] * torch.deg2rad(2 + 6 * steep)
    yaw = (torch.rand(count, generator=random) * 2 - 1) * torch.pi
    zero = torch.zeros(count)
    turn = [torch.stack(v, 1) for v in ((zero, zero, roll), (pitch, zero, zero), (zero, yaw, zero))]
    return matrix_from_axis_angle(turn[0]) @ matrix_from_axis_angle(turn[1]) @ matrix_from_axis_angle(turn[2])


def _project(marks_cam: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rays (B, M, 2) of the true camera, and the factor that a guessed focal length puts on them."""
    count = len(marks_cam)
    drawn = torch.rand(count, 4, generator=random)
    focal = _SHORTEST * (_LONGEST / _SHORTEST) ** drawn[:, 0] / _FILM
    low, high = marks_cam.amin(1), marks_cam.amax(1)
    middle, extent = (low + high) / 2, (high - low)[:, :2].amax(1)
    share = 0.3 + 0.65 * drawn[:, 1]
    depth = torch.maximum(focal * extent / share, 1.05 * extent)
    room = (1 - focal * extent / depth).clamp_min(0)[:, None]
    place = (drawn[:, 2:] - 0.5) * room * torch.tensor([1.0, 0.6])
    centre = torch.cat([place / focal[:, None] * depth[:, None], depth[:, None]], 1)
    points = marks_cam - middle[:, None] + centre[:, None]
    return points[..., :2] / points[..., 2:].clamp_min(0.1), focal * _FILM / GUESSED


def _known(rays: Tensor, random: torch.Generator) -> Tensor:
    """Which landmarks (B, M) are seen: limbs and single ones are dropped, some photos end at the waist or knees."""
    count, marks = rays.shape[:2]
    known = (torch.rand(count, marks, generator=random) >= _MARK_DROPPED).float()
    for limb in _LIMBS:
        rows = torch.rand(count, generator=random) < _LIMB_DROPPED / 2
        known[:, list(limb)] *= (~rows).float()[:, None]
    low, high = rays[..., 1].amin(1), rays[..., 1].amax(1)
    cropped = torch.rand(count, generator=random) < _CROPPED
    line = low + (0.45 + 0.5 * torch.rand(count, generator=random)) * (high - low)
    known *= 1 - (cropped[:, None] & (rays[..., 1] > line[:, None])).float()
    known[:, list(_TRUNK[::2])] = 1
    return known


def _noise(count: int, random: torch.Generator) -> Tensor:
    """Errors (B, M, 2) of a detector over the person's size: 0.2 to 1 %, more for vague landmarks, limbs together."""
    vague = torch.ones(len(MARK_NAMES))
    for index, name in enumerate(MARK_NAMES):
        vague[index] = _VAGUE.get(name.removeprefix("left_").removeprefix("right_"), 1.0)
    sigma = 0.002 * 5 ** torch.rand(count, 1, 1, generator=random)
    noise = torch.randn(count, len(vague), 2, generator=random) * vague[:, None]
    for limb in _LIMBS:
        noise[:, list(limb)] += 0.5 * torch.randn(count, 1, 2, generator=random)
    return noise * sigma
