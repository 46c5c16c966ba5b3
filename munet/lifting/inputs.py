"""What the pose network sees: rays through the landmarks, turned and scaled so that the person fills the view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.geometry.rotation import rotation_between
from munet.perception.observation import LANDMARK_NAMES

MARK_NAMES = (
    "nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
    "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index", "left_hip", "right_hip", "left_knee",
    "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
"""The landmarks that stand for one place of the body; eyes, mouth and thumbs add nothing to a pose."""

MARKS = tuple(LANDMARK_NAMES.index(name) for name in MARK_NAMES)
EXTRAS = 4
INPUTS = 3 * len(MARKS) + EXTRAS

_SMALLEST = 1e-4
"""Least extent of a person in rays: below it all landmarks lie on one spot."""


@dataclass(frozen=True)
class View:
    """B people, each seen by a camera that was turned to look at them.

    Attributes:
        turn: (B, 3, 3) ``point_view = turn @ point_cam``, both with x right, y down, z forward.
        scale: (B,) extent of the known landmarks at depth 1.
        marks: (B, M, 2) landmarks at depth 1 over ``scale``, also those that are not known.
        known: (B, M) 1 where a landmark is known, else 0.
        features: (B, INPUTS) what the network sees; unknown landmarks are zero.
    """

    turn: Tensor
    scale: Tensor
    marks: Tensor
    known: Tensor
    features: Tensor


def box_of(points: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Middle (B, 2) and larger side (B,) of the box around the known ones of points (B, M, 2)."""
    far = 1e6 * (1 - known)[..., None]
    low, high = (points + far).amin(1), (points - far).amax(1)
    return (low + high) / 2, (high - low).amax(1).clamp_min(_SMALLEST)


def turn_rays(turn: Tensor, rays: Tensor) -> Tensor:
    """Directions (B, M, 2) at depth 1 after a rotation (B, 3, 3); those beside or behind the camera stay finite."""
    full = torch.cat([rays, torch.ones_like(rays[..., :1])], -1) @ turn.transpose(-1, -2)
    return full[..., :2] / full[..., 2:].clamp_min(0.05)


def look_at(rays: Tensor, known: Tensor, focal_known: Tensor) -> View:
    """Turn the camera to the middle of the person and scale the person's box to 1.

    Args:
        rays: (B, M, 2) landmarks at depth 1: ``(pixel - centre) / focal``.
        known: (B, M) 1 where a landmark is seen, else 0; at least two a person.
        focal_known: (B,) 1 where the focal length was measured, 0 where it was guessed.
    """
    middle, _ = box_of(rays, known)
    ahead = torch.zeros(3, dtype=rays.dtype, device=rays.device)
    ahead[2] = 1
    towards = torch.cat([middle, torch.ones_like(middle[:, :1])], 1)
    turn = rotation_between(towards, ahead.expand_as(towards))
    turned = turn_rays(turn, rays)
    _, scale = box_of(turned, known)
    marks = turned / scale[:, None, None]
    seen = marks.clamp(-3, 3) * known[..., None]
    extras = torch.cat([middle, scale.log()[:, None], focal_known[:, None]], 1)
    features = torch.cat([seen.flatten(1), known, extras], 1)
    return View(turn, scale, marks, known, features)
