"""Pictures of folded cloth on people with the truth about it, made in batches from a seed and a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from munet.folds.planes import planes_of
from munet.folds.relief import folded, slopes, smoothed
from munet.training.folds.bases import People, cut_pieces, smooth_normals
from munet.training.folds.draws import Draws, spread
from munet.training.folds.dyes import dye
from munet.training.folds.lighting import light
from munet.training.folds.taking import take

_FLAT = 0.15
"""Share of the pictures without any fold, with all that dyes can do."""
_AS_GENERATED = 0.1
"""Share of the pictures that are those of the generated people as they are."""
_CLOTHS = 2
_STEEPEST = 1.6


@dataclass(frozen=True)
class Patches:
    """B pictures of N pixels.

    Attributes:
        planes: (B, PLANES, N, N) what the network sees.
        image: (B, 3, N, N) sRGB.
        base: (B, 3, N, N) true unit normals without folds.
        normals: (B, 3, N, N) true ones with folds.
        weight: (B, N, N) 0 outside the person, smaller where seen obliquely.
        flat: (B,) whether there is nothing but dye.
    """

    planes: Tensor
    image: Tensor
    base: Tensor
    normals: Tensor
    weight: Tensor
    flat: Tensor


def make_patches(
    heights: Tensor, people: People, seed: int, step: int, count: int, size: int, *, flat: float = _FLAT
) -> Patches:
    """Make one batch; the same numbers give the same batch.

    Args:
        heights: (H, M, M) of ``make_heights``.
        people: whose bodies are under the cloth.
        seed: of the training.
        step: of the training.
        count: pictures.
        size: edge in pixels, a multiple of the network's.
        flat: share of the pictures without folds.
    """
    draws = Draws(seed, step, count, size)
    pieces = cut_pieces(draws, people)
    plain = draws.chance(flat)
    height = _worn(draws, heights) * spread(1 - plain)
    slope = slopes(height).clamp(-_STEEPEST, _STEEPEST)
    normals = folded(pieces.smooth, slope) * pieces.mask[:, None]
    albedo = _cloths(draws, slope, height)
    image = take(draws, light(draws, normals, pieces.smooth, height, albedo), pieces.mask)
    generated = draws.chance(_AS_GENERATED) * (1 - plain)
    own = spread(generated)[:, None]
    image = torch.lerp(image, pieces.image, own)
    normals = torch.lerp(normals, pieces.whole, own)
    seen, thought = _observed(draws, pieces.smooth, pieces.mask)
    facing = (-pieces.smooth[:, 2]).clamp(0, 1)
    weight = pieces.mask * ((facing - 0.1) / 0.4).clamp(0, 1)
    return Patches(planes_of(image, seen, thought), image, pieces.smooth, normals, weight, plain)


def _worn(draws: Draws, heights: Tensor) -> Tensor:
    """Heights (B, N, N): two sheets, each in its own part of the picture, and edges of layers."""
    total = torch.zeros(draws.count, draws.size, draws.size)
    for share in (1.0, 0.5):
        where = torch.sigmoid(4 * draws.clouds(3)[:, 0] + spread(draws.between(-1, 4)))
        total = total + spread(draws.chance(share) * draws.scaled(0.5, 1.5)) * where * _sheet(draws, heights)
    fine = spread(draws.chance(0.15) * draws.between(0, 0.35)) * smoothed(draws.grain()[:, 0], 0.9)
    return total + _edges(draws) + fine


def _sheet(draws: Draws, heights: Tensor) -> Tensor:
    """Heights (B, N, N) of sheets, turned, stretched, and with ridges sharper or blunter than hollows."""
    chosen = heights[torch.randint(0, len(heights), (draws.count,), generator=draws.random)].float()
    angle, zoom = draws.between(0, 6.2832), draws.scaled(0.75, 1.8)
    longer, turned = draws.scaled(0.8, 1.6), 1 - 2 * draws.chance(0.5)
    across, down = draws.grid()
    moved = draws.between(0, 1, 2)
    x = (across * spread(angle.cos()) + down * spread(angle.sin())) / spread(zoom) * spread(turned)
    y = (down * spread(angle.cos()) - across * spread(angle.sin())) / spread(zoom * longer)
    size = chosen.shape[-1]
    place = torch.stack([x / size + spread(moved[:, 0]), y / size + spread(moved[:, 1])], -1) % 1
    wide = torch.nn.functional.pad(chosen[:, None], (1, 1, 1, 1), mode="circular")
    found = grid_sample(wide, (place * size + 1) * 2 / (size + 2) - 1, mode="bilinear", align_corners=False)[:, 0]
    found = smoothed(found, 0.8) * spread(zoom)
    usual = 2 * found.flatten(1).std(1)[:, None, None] + 1e-2
    sharp = spread(draws.between(-0.6, 0.6))
    sharp = torch.where(sharp.abs() < 0.05, 0.05, sharp)
    return usual * torch.expm1(sharp * (found / usual).clamp(-3, 3)) / sharp


def _edges(draws: Draws) -> Tensor:
    """Heights (B, N, N) of hems, pockets and lapels: steps along bent lines."""
    total = torch.zeros(draws.count, draws.size, draws.size)
    for share in (0.35, 0.2):
        distance, along = _line(draws)
        thick = spread(draws.chance(share) * draws.between(0.7, 4) * (1 - 2 * draws.chance(0.5)))
        width = spread(draws.scaled(0.7, 2.5))
        ends = torch.sigmoid((spread(draws.between(0.1, 0.8)) * draws.size - along.abs()) / 4)
        # The step fades away from its line, as a layer does under what holds it.
        fade = torch.exp(-distance.abs() / spread(draws.scaled(10, 80)))
        total = total + thick * (torch.sigmoid(distance / width) - 0.5) * ends * fade
    return total


def _line(draws: Draws) -> tuple[Tensor, Tensor]:
    """Distance to and place along (B, N, N) bent lines, in pixels."""
    across, down = draws.grid()
    angle = spread(draws.between(0, 6.2832))
    bent = spread(draws.between(0, 6)) * draws.clouds(3)[:, 0]
    away = spread(draws.between(-0.4, 0.4)) * draws.size
    return across * angle.cos() + down * angle.sin() + bent + away, down * angle.cos() - across * angle.sin()


def _cloths(draws: Draws, slope: Tensor, height: Tensor) -> Tensor:
    """Albedo (B, 3, N, N) of one or two cloths side by side."""
    bend = slope * spread(draws.between(-4, 4))[:, None]
    albedo = dye(draws, bend, height)
    for _ in range(_CLOTHS - 1):
        distance, _ = _line(draws)
        other = dye(draws, bend, height)
        share = torch.sigmoid(distance / spread(draws.scaled(0.5, 2))) * spread(draws.chance(0.4))
        albedo = torch.lerp(albedo, other, share[:, None])
    return albedo


def _observed(draws: Draws, base: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mask (B, N, N) and smooth normals (B, 3, N, N) with the errors of a segmentation and of a fitted surface."""
    shift = [int(value) for value in draws.between(-4, 4, 2)[0]]
    bent = 0.15 * draws.clouds(12)[:, 0]
    seen = torch.sigmoid(12 * (smoothed(mask, 1.5) + bent * (mask + smoothed(mask, 3.0) > 0.05) - 0.5))
    moved = torch.roll(base, shift, (-2, -1))
    there = ((moved * moved).sum(1) > 0.25).float()
    wrong = moved + 0.16 * draws.clouds(4, 3) * there[:, None]
    width = float(draws.between(2, 12)[0])
    return seen * there, smooth_normals(wrong, there, width)
