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
HIPS = tuple(LANDMARK_NAMES.index(name) for name in ("left_hip", "right_hip"))
EXTRAS = 4
PLAIN_INPUTS = 3 * len(MARKS) + EXTRAS
INPUTS = PLAIN_INPUTS + 2 * len(MARKS) + 1

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


def turn_to(middle: Tensor) -> Tensor:
    """Rotations (B, 3, 3) that turn the camera to look along rays (B, 2)."""
    ahead = torch.zeros(3, dtype=middle.dtype, device=middle.device)
    ahead[2] = 1
    towards = torch.cat([middle, torch.ones_like(middle[:, :1])], 1)
    return rotation_between(towards, ahead.expand_as(towards))


def look_at(
    rays: Tensor,
    known: Tensor,
    focal_known: Tensor,
    doubt: Tensor | None = None,
    depths: Tensor | None = None,
    depths_known: Tensor | None = None,
) -> View:
    """Turn the camera to the middle of the person and scale the person's box to 1.

    Args:
        rays: (B, M, 2) landmarks at depth 1: ``(pixel - centre) / focal``.
        known: (B, M) 1 where a landmark is seen, else 0; at least two a person.
        focal_known: (B,) 1 where the focal length was measured, 0 where it was guessed.
        doubt: (B, M) in [0, 1], 1 for landmarks that the detector is least sure of; None for none.
        depths: (B, M) metres behind the middle of the hips, of the detector; None for none.
        depths_known: (B,) 1 where a person's depths are given; None for everybody, if any are given.
    """
    middle, _ = box_of(rays, known)
    turn = turn_to(middle)
    turned = turn_rays(turn, rays)
    _, scale = box_of(turned, known)
    marks = turned / scale[:, None, None]
    seen = marks.clamp(-3, 3) * known[..., None]
    extras = torch.cat([middle, scale.log()[:, None], focal_known[:, None]], 1)
    doubt = torch.zeros_like(known) if doubt is None else doubt * known
    given = torch.zeros_like(known[:, 0]) if depths is None else torch.ones_like(known[:, 0])
    given = given if depths_known is None else depths_known
    deep = torch.zeros_like(known) if depths is None else (depths * known * given[:, None]).clamp(-2, 2)
    features = torch.cat([seen.flatten(1), known, extras, doubt, deep, given[:, None]], 1)
    return View(turn, scale, marks, known, features)


def doubt_of(visibility: Tensor) -> Tensor:
    """How little a landmark that counts as seen is trusted, in [0, 1], by its visibility in [0.5, 1]."""
    return (2 * (1 - visibility)).clamp(0, 1)
