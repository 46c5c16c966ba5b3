"""Light on folded cloth: sky, lamps, shade in the folds, shadows and sheen."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, normalize

from munet.folds.relief import smoothed
from munet.training.folds.draws import Draws, spread

_HOLLOWS = ((3.0, 0.35), (8.0, 0.35), (20.0, 0.3))
_SHADOW_STEPS = (1.5, 3.0, 5.0, 8.0, 12.0, 17.0, 24.0, 34.0)


def light(draws: Draws, normals: Tensor, base: Tensor, height: Tensor, albedo: Tensor) -> Tensor:
    """Linear pictures (B, 3, N, N) of cloth.

    Args:
        draws: random numbers.
        normals: (B, 3, N, N) of the folded cloth, camera frame.
        base: (B, 3, N, N) without the folds.
        height: (B, N, N) of the folds in pixels.
        albedo: (B, 3, N, N).
    """
    open_share = _openness(draws, height)[:, None]
    up = normalize(draws.normal(3) * 0.5 + torch.tensor([0.0, -1.0, -0.4]), dim=1)
    lean = spread(draws.between(0, 0.9))[:, None]
    sky = 1 + lean * (normals * spread(up)).sum(1, keepdim=True)
    warm = 1 + 0.1 * spread(draws.normal(3))
    # Light that cloth throws back and forth fills hollows of bright cloth.
    filled = open_share ** (1.2 - 0.7 * albedo)
    total = sky.clamp_min(0) * filled * warm * spread(draws.between(0.15, 1.0))[:, None]
    shine = torch.zeros_like(total[:, :1])
    for share, most in ((0.8, 2.2), (0.35, 1.0)):
        strength = spread(draws.chance(share) * most * draws.between(0.1, 1) ** 1.7)[:, None]
        toward = normalize(draws.normal(3) * torch.tensor([0.9, 0.6, 0.6]) + torch.tensor([0.0, -0.55, -0.6]), dim=1)
        wrap = spread(draws.between(0, 0.5))[:, None]
        lambert = (((normals * spread(toward)).sum(1, keepdim=True) + wrap) / (1 + wrap)).clamp_min(0)
        reach = _shadow(draws, toward, base, height)[:, None] * (0.5 + 0.5 * open_share)
        total = total + strength * lambert * reach * (1 + 0.1 * spread(draws.normal(3)))
        half = normalize(toward + torch.tensor([0.0, 0.0, -1.0]), dim=1)
        gleam = (normals * spread(half)).sum(1, keepdim=True).clamp_min(0) ** spread(draws.scaled(4, 60))[:, None]
        shine = shine + strength * gleam * reach
    gloss = spread(draws.chance(0.35) * draws.between(0, 0.25) ** 1.5)[:, None]
    return albedo * total + gloss * shine


def _openness(draws: Draws, height: Tensor) -> Tensor:
    """How much of the surroundings each pixel (B, N, N) sees: less in hollows."""
    closed = torch.zeros_like(height)
    for reach, share in _HOLLOWS:
        closed = closed + share * (smoothed(height, reach) - height) / reach
    return 1 / (1 + spread(draws.between(0.8, 4.5)) * 2 * closed.clamp_min(-0.1))


def _shadow(draws: Draws, toward: Tensor, base: Tensor, height: Tensor) -> Tensor:
    """Share (B, N, N) of a lamp that reaches the cloth past its own folds, in the direction of the whole."""
    size = height.shape[-1]
    flat = toward[:, :2] / toward[:, :2].norm(dim=1, keepdim=True).clamp_min(0.1)
    sine = (base * spread(toward)).sum(1).clamp(0.05, 0.98)
    rise = sine / (1 - sine**2).sqrt()
    across, down = draws.grid()
    worst = torch.full_like(height, -1e3)
    for step in _SHADOW_STEPS:
        place = torch.stack([across + flat[:, 0, None, None] * step, down + flat[:, 1, None, None] * step], -1)
        there = grid_sample(
            height[:, None], place / (size / 2), mode="bilinear", padding_mode="border", align_corners=False
        )[:, 0]
        worst = torch.maximum(worst, (there - height) / step - rise)
    soft = spread(draws.scaled(0.03, 0.5))
    return torch.sigmoid(-(worst - 0.3 * soft) / soft)
