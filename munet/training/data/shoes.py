"""Shoes: the mean person's feet under leather, carried to every other foot and pose."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from scipy.spatial import ConvexHull
from torch import Tensor

from munet.render import vertex_normals
from munet.training.data.topology import smoothed, smoothing_matrix

SOLE = 0.012
_SHOE_ROUNDS = 8
_LEATHER, _CAP_START, _FOLDED_IN = 0.005, 0.06, 0.06


@dataclass(frozen=True)
class ShoeLast:
    """The shape of shoes, by vertex of feet and ankles.

    Attributes:
        feet: (N,) int64 vertices of the fine skin.
        offsets: (N, 3) metres in the T-pose from skin to shoe.
        rear: (N, 8) and
        front: (8, N): ``rear @ front @ feet`` carries the shoe as a whole, so that toes do not print through.
        share: (N, 1) how far a point belongs to the toe cap.
    """

    feet: Tensor
    offsets: Tensor
    rear: Tensor
    front: Tensor
    share: Tensor

    def to(self, device: torch.device | str) -> ShoeLast:
        """The same on another device."""
        return ShoeLast(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def put_on(self, feet_world: Tensor, turns: Tensor) -> Tensor:
        """Shoes (B, N, 3) over posed feet (B, N, 3), whose rest frames were turned by (B, N, 3, 3)."""
        leather = feet_world + (turns @ self.offsets[..., None])[..., 0]
        return torch.lerp(leather, self.rear @ (self.front @ feet_world), self.share)


def shoe_last(rest: Tensor, faces: Tensor, feet: Tensor) -> ShoeLast:
    """Shape shoes over the mean person's feet: a cap over the toes, a flat sole.

    Args:
        rest: (V', 3) mean person, T-pose.
        faces: (F', 3).
        feet: (N,) int64 vertices of feet and ankles.
    """
    matrix = smoothing_matrix(faces.numpy(), len(rest))
    normals = vertex_normals(rest, faces)
    bare, floor = rest[feet], rest[feet, 1].amin() - SOLE
    shoe = rest + _LEATHER * normals
    under = shoe[:, 1] < floor + SOLE + 0.004 + 0.03 * (normals[:, 1] < -0.55)
    for _ in range(_SHOE_ROUNDS):
        shoe[feet] = torch.lerp(shoe, smoothed(matrix, shoe[None])[0], 0.5)[feet]
        inside = ((shoe - rest) * normals).sum(-1, keepdim=True)
        shoe = shoe + normals * (_LEATHER - inside).clamp_min(0)
        shoe[:, 1] = torch.where(under, floor, shoe[:, 1])
    for side in (1, -1):
        foot = feet[bare[:, 0] * side > 0]
        shoe[foot] = _capped(shoe[foot], float(floor))
    fade = ((bare[:, 1].amax() - bare[:, 1]) / 0.03).clamp(0, 1)[:, None]
    offsets = torch.lerp(_LEATHER * normals[feet], shoe[feet] - bare, fade)
    share = ((bare[:, 2:] - _CAP_START) / 0.03).clamp(0, 1)
    return ShoeLast(feet, offsets, *_carried(bare, shoe[feet]), share)


def _carried(bare: Tensor, shoe: Tensor) -> tuple[Tensor, Tensor]:
    """Factors (N, 8) and (8, N) that carry shoe points by the affine map that best moves the front of their foot."""
    ones = torch.ones_like(bare[:, :1])
    rear, front = torch.zeros(len(bare), 8), torch.zeros(8, len(bare))
    for number, side in enumerate((1, -1)):
        foot = bare[:, 0] * side > 0
        fitted = (foot & (bare[:, 2] > _CAP_START)).nonzero()[:, 0]
        slot = slice(4 * number, 4 * number + 4)
        rear[foot, slot] = torch.cat([shoe, ones], 1)[foot]
        front[slot, fitted] = torch.linalg.pinv(torch.cat([bare, ones], 1)[fitted].double()).float()
    return rear, front


def _capped(foot: Tensor, floor: float) -> Tensor:
    """Move the toes of one foot (N, 3) out to the convex hull of its front, along rays from the ball of the foot."""
    front = foot[foot[:, 2] > _CAP_START]
    on_floor = torch.stack([front[:, 0], torch.full_like(front[:, 1], floor), front[:, 2]], 1)
    planes = torch.from_numpy(ConvexHull(torch.cat([front, on_floor]).double().numpy()).equations).to(foot)
    center = (front.amin(0) + front.amax(0)) / 2
    center[2] = _CAP_START + 0.03
    ray = foot - center
    along = ray @ planes[:, :3].T
    reach = -(planes[:, 3] + planes[:, :3] @ center) / torch.where(along > 1e-6, along, torch.nan)
    stretch = reach.nan_to_num(torch.inf).amin(1, keepdim=True).clamp_max(4)
    share = ((foot[:, 2:] - center[2]) / 0.02).clamp(0, 1)
    # What came from between the toes stays a little deeper, or it would flicker through the cap.
    stretch = stretch * (1 - _FOLDED_IN * (1 - 1 / stretch))
    return foot + share * (stretch - 1) * ray
