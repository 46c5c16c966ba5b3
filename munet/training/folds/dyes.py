"""Colours of cloth: plain, woven and printed, and what must not be taken for folds."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.training.folds.draws import Draws, spread

PATTERNS = ("plain", "melange", "denim", "stripes", "checks", "dots", "blotches", "print", "ramp")
_SHARES = (0.42, 0.1, 0.1, 0.08, 0.06, 0.05, 0.06, 0.08, 0.05)


def dye(draws: Draws, bend: Tensor, height: Tensor) -> Tensor:
    """Draw the albedo (B, 3, N, N) of cloth in linear light.

    Args:
        draws: random numbers.
        bend: (B, 2, N, N) pixels by which the pattern is moved: it lies on the cloth.
        height: (B, N, N) of folds; what is worn on ridges fades there.
    """
    first, second = _colour(draws), _colour(draws)
    near = 0.6 * draws.chance(0.5)
    second = torch.lerp(second, first, spread(near)[:, None, 0, 0])
    share = _shares(draws, bend)
    albedo = torch.lerp(spread(first), spread(second), share[:, None])
    return (albedo * _wear(draws, height)[:, None]).clamp(0.01, 0.95)


def _colour(draws: Draws) -> Tensor:
    """Linear colours (B, 3); dark and grey ones are common."""
    value = draws.between(0.03, 0.95) ** 1.8
    grey = draws.chance(0.4)
    tint = 1 + draws.normal(3) * spread(0.05 * grey + 0.35 * (1 - grey))[:, :, 0]
    return (value[:, None] * tint.clamp(0.1, 2)).clamp(0.012, 0.95)


def _shares(draws: Draws, bend: Tensor) -> Tensor:
    """Share (B, N, N) of the second colour."""
    across, down = draws.grid()
    angle, period = spread(draws.between(0, 3.1416)), spread(draws.scaled(5, 60))
    x, y = across + bend[:, 0], down + bend[:, 1]
    u = (x * angle.cos() + y * angle.sin()) / period + spread(draws.between(0, 1))
    v = (y * angle.cos() - x * angle.sin()) / period + spread(draws.between(0, 1))
    width, hard = spread(draws.between(0.15, 0.6)), spread(draws.scaled(2, 40))

    def bars(place: Tensor) -> Tensor:
        return torch.sigmoid(hard * ((place % 1 - 0.5).abs() - 0.5 + width / 2 + 0.25))

    cells = 3 + int(draws.pick(22)[0])
    clouds, flakes = draws.clouds(cells)[:, 0], draws.clouds(10 + cells)[:, 0]
    grain = draws.grain()[:, 0]
    dots = torch.sigmoid(hard * (0.12 * width + 0.03 - (u % 1 - 0.5) ** 2 - (v % 1 - 0.5) ** 2) * 4)
    twill = 0.5 + 0.25 * torch.sin((x + y) * 2.2) + 0.2 * grain
    inside = ((u * 0.7).abs() < 1.2) & ((v * 0.7).abs() < 0.8)
    options = {
        "plain": 0.06 * grain,
        "melange": 0.5 + 0.3 * grain + 0.1 * flakes,
        "denim": twill,
        "stripes": bars(u),
        "checks": 0.5 * (bars(u) + bars(v)),
        "dots": dots,
        "blotches": torch.sigmoid(hard * clouds),
        "print": torch.sigmoid(hard * flakes) * inside,
        "ramp": torch.sigmoid(0.4 * u * period / 20),
    }
    stacked = torch.stack([options[name] for name in PATTERNS], 1)
    chosen = torch.multinomial(torch.tensor(_SHARES), draws.count, replacement=True, generator=draws.random)
    return stacked[torch.arange(draws.count), chosen].clamp(0, 1)


def _wear(draws: Draws, height: Tensor) -> Tensor:
    """Factor (B, N, N): fading on ridges, stains, yarn."""
    high = (height / (2 * height.flatten(1).std(1)[:, None, None] + 0.5)).clamp(-1, 1)
    faded = spread(0.3 * draws.chance(0.12) * draws.between(0, 1)) * high
    stains = spread(0.12 * draws.chance(0.25) * draws.between(0, 1)) * draws.clouds(5)[:, 0]
    yarn = spread(0.1 * draws.chance(0.4) * draws.between(0, 1)) * draws.grain()[:, 0]
    return (1 + faded + stains + yarn).clamp(0.3, 2)
