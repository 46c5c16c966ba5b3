"""What a detector makes of true landmarks: noise, hidden and lost ones, and depths that are wrong by decimetres."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.lifting.inputs import MARK_NAMES

_LIMB_DROPPED, _MARK_DROPPED = 0.04, 0.02
_CARELESS, _CARELESS_FACTOR = 0.2, 3.0
"""Share of people of whom a detector loses so many times as many limbs."""
_CUT_BELOW, _CUT_ABOVE, _CUT_ASIDE = 0.24, 0.05, 0.03
_FEWEST = 6
_VAGUE = {"hip": 2.0, "ear": 1.5, "pinky": 2.0, "index": 2.0, "heel": 1.3, "foot_index": 1.3}
_NEAR = 0.12
"""Metres by which a surface lies before a landmark that it hides."""
_UNAWARE, _OVERCAREFUL = 0.15, 0.05
_DEPTHS_GIVEN = 0.75
_POINT, _LIMB, _LEAN = 0.05, 0.11, 0.16
"""Metres, metres and share: errors of a detector's depths (munet.evaluation.datasets.synthetic)."""
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
_SHOULDERS, _HIPS = (
    tuple(MARK_NAMES.index(f"{side}_{part}") for side in ("left", "right")) for part in ("shoulder", "hip")
)
_CAPSULES = tuple(
    (MARK_NAMES.index(first), MARK_NAMES.index(second), radius)
    for first, second, radius in (
        ("left_shoulder", "left_hip", 0.11), ("right_shoulder", "right_hip", 0.11),
        ("left_shoulder", "right_hip", 0.11), ("right_shoulder", "left_hip", 0.11),
        ("left_shoulder", "right_shoulder", 0.07), ("left_ear", "right_ear", 0.10),
        ("left_hip", "left_knee", 0.085), ("right_hip", "right_knee", 0.085),
        ("left_knee", "left_ankle", 0.06), ("right_knee", "right_ankle", 0.06),
        ("left_shoulder", "left_elbow", 0.055), ("right_shoulder", "right_elbow", 0.055),
        ("left_elbow", "left_wrist", 0.045), ("right_elbow", "right_wrist", 0.045),
    )
)  # fmt: skip
_CLOTHES = (1.0, 1.45)
"""Range of the factor by which clothes make bodies thicker."""


@dataclass(frozen=True)
class Seen:
    """What a detector reports.

    Attributes:
        known: (B, M) 1 where a landmark is reported.
        doubt: (B, M) in [0, 1]: 0 for a landmark that is plainly seen, 1 for one as good as unknown.
        noise: (B, M, 2) errors over the person's size.
    """

    known: Tensor
    doubt: Tensor
    noise: Tensor


def detect(marks_cam: Tensor, inside: Tensor, random: torch.Generator) -> Seen:
    """Lose, hide and shift landmarks.

    Args:
        marks_cam: (B, M, 3) metres, y down, z away from the camera.
        inside: (B, M) 1 for landmarks inside the photo.
        random: source of everything random.
    """
    known = known_marks(inside, random)
    hidden = hidden_marks(marks_cam, random)
    wild = 1 + hidden * (0.5 + 3 * torch.rand(len(known), 1, generator=random))
    return Seen(known, _doubt(hidden, random) * known, _noise(len(known), random) * wild[..., None])


def hidden_marks(marks_cam: Tensor, random: torch.Generator) -> Tensor:
    """Which landmarks (B, M) lie behind or deep inside the clothed body: it is taken for a set of capsules."""
    first, second = (marks_cam[:, [capsule[end] for capsule in _CAPSULES]] for end in (0, 1))
    low, high = _CLOTHES
    thicker = low + (high - low) * torch.rand(len(marks_cam), 1, 1, generator=random)
    radius = marks_cam.new_tensor([capsule[2] for capsule in _CAPSULES]) * thicker
    along = (second - first)[:, None]
    off = marks_cam[:, :, None] - first[:, None]
    share = (off[..., :2] * along[..., :2]).sum(-1) / along[..., :2].square().sum(-1).clamp_min(1e-4)
    nearest = off - share.clamp(0, 1)[..., None] * along
    within = nearest[..., :2].square().sum(-1)
    thick = (radius.square() - within).clamp_min(0).sqrt()
    behind = (within < radius.square()) & (nearest[..., 2] + thick > _NEAR)
    return behind.any(-1).float()


def known_marks(inside: Tensor, random: torch.Generator) -> Tensor:
    """Which landmarks (B, M) are reported of those inside the photo: limbs and single ones are dropped."""
    count, marks = inside.shape
    careless = 1 + (_CARELESS_FACTOR - 1) * (torch.rand(count, generator=random) < _CARELESS).float()
    kept = (torch.rand(count, marks, generator=random) >= _MARK_DROPPED * careless[:, None]).float()
    for limb in _LIMBS:
        rows = torch.rand(count, generator=random) < _LIMB_DROPPED * careless
        kept[:, list(limb)] *= (~rows).float()[:, None]
    known = inside * kept
    known = torch.where((known.sum(1) < _FEWEST)[:, None], inside, known)
    known[:, list(_SHOULDERS)] = torch.where((known.sum(1) < _FEWEST)[:, None], 1.0, known[:, list(_SHOULDERS)])
    return known


def draw_part(count: int, random: torch.Generator) -> Tensor:
    """From and to (B, 2) which share of a person's height, from the top, a photo shows."""
    drawn = torch.rand(count, 2, generator=random)
    last = torch.where(drawn[:, 0] < _CUT_BELOW, 0.3 + 0.65 * drawn[:, 1], 1.0)
    first = torch.where(drawn[:, 0] > 1 - _CUT_ABOVE, 0.3 * drawn[:, 1], 0.0)
    return torch.stack([first, last], 1)


def inside_part(rays: Tensor, part: Tensor, random: torch.Generator) -> Tensor:
    """Which landmarks (B, M) lie in the shown part of a person; some photos also cut people at the side."""
    low, high = rays.amin(1), rays.amax(1)
    drawn = torch.rand(len(rays), 2, generator=random)
    side = torch.where(drawn[:, 0] < _CUT_ASIDE, 0.4 + 0.5 * drawn[:, 1], 1.1)
    place = (rays - low[:, None]) / (high - low).clamp_min(1e-6)[:, None]
    keep = (place[..., 1] <= part[:, 1:] + 1e-4) & (place[..., 1] >= part[:, :1] - 1e-4)
    across = torch.where((drawn[:, 1] > 0.5)[:, None], place[..., 0], 1 - place[..., 0])
    return (keep & (across <= side[:, None])).float()


def _doubt(hidden: Tensor, random: torch.Generator) -> Tensor:
    """Detectors are unsure of most hidden landmarks, and of a few that are plain."""
    drawn = torch.rand(2, *hidden.shape, generator=random)
    sure, unsure = 0.3 * drawn[0], 0.5 + 0.5 * drawn[0]
    hesitant = torch.where(hidden > 0, drawn[1] >= _UNAWARE, drawn[1] < _OVERCAREFUL)
    return torch.where(hesitant, unsure, sure)


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


def measured_depths(marks_cam: Tensor, known: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Depths (B, M) in metres behind the hips' middle with a detector's errors, and whether there are any (B,).

    Errors of single points, of whole limbs and of the lean, up to a third more than those of a detector on photos;
    depths of landmarks that are not reported are zero.
    """
    count = len(marks_cam)
    depth = marks_cam[..., 2] - marks_cam[:, list(_HIPS), 2].mean(1, keepdim=True)
    scale = 0.4 + 0.9 * torch.rand(count, 1, generator=random)
    wrong = torch.randn(count, depth.shape[1], generator=random) * _POINT
    for limb in _LIMBS:
        wrong[:, list(limb)] += torch.randn(count, 1, generator=random) * _LIMB
    below = marks_cam[..., 1] - marks_cam[:, list(_HIPS), 1].mean(1, keepdim=True)
    wrong = wrong + below * torch.randn(count, 1, generator=random) * _LEAN
    given = (torch.rand(count, generator=random) < _DEPTHS_GIVEN).float()
    return (depth + scale * wrong) * known * given[:, None], given
