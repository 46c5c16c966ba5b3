"""Smooth bodies under the folds: normals of generated people, in pieces at the network's scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from munet.folds.planes import PIXELS_PER_METRE
from munet.folds.relief import smoothed, unit
from munet.training.data.cache import CachedData
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.data.splits import Split
from munet.training.folds.draws import Draws, spread

_AT_ONCE = 8
_FOLD_METRES = 0.03
_OUTLINE = 0.5


@dataclass(frozen=True)
class People:
    """Fronts of P generated people in square pictures of R pixels.

    Attributes:
        normals: (P, 3, R, R) int8, 127 is 1.
        image: (P, 3, R, R) uint8 sRGB.
        mask: (P, R, R) bool, all pixels of the person that nothing covers.
        scale: (P,) pixels a metre at the person's median depth.
    """

    normals: Tensor
    image: Tensor
    mask: Tensor
    scale: Tensor


def gather_people(split: Split, count: int, seed: int = 0, folder: Path | None = None) -> People:
    """The first people of a split, from a folder of ``python -m munet.training.data`` or generated now."""
    parts = [_people(batch) for batch in _batches(split, count, seed, folder)]
    columns = zip(*((p.normals, p.image, p.mask, p.scale) for p in parts), strict=True)
    return People(*(torch.cat(column)[:count] for column in columns))


def _batches(split: Split, count: int, seed: int, folder: Path | None) -> Iterator[TrainingBatch]:
    if folder is not None:
        data = CachedData(folder, split)
        count = min(count, len(data))
        yield from (data.batch(list(range(i, min(i + _AT_ONCE, count)))) for i in range(0, count, _AT_ONCE))
        return
    generator = Generator(seed, size=256, points=64)
    yield from (generator.batch(split, range(i, min(i + _AT_ONCE, count))) for i in range(0, count, _AT_ONCE))


def _people(batch: TrainingBatch) -> People:
    inside = batch.surface_mask > _OUTLINE
    depth = torch.stack([d[m].median() if bool(m.any()) else d.new_tensor(3.0) for d, m in
                         zip(batch.depth, inside, strict=True)])  # fmt: skip
    return People(
        (batch.normals_front * 127).round().to(torch.int8),
        (batch.image * 255).round().to(torch.uint8),
        inside & (batch.mask > _OUTLINE),
        batch.camera[:, 0, 0] / depth,
    )


@dataclass(frozen=True)
class Pieces:
    """Pieces of people, N pixels wide.

    Attributes:
        whole: (B, 3, N, N) unit normals as generated.
        smooth: (B, 3, N, N) without waves that pass for folds.
        image: (B, 3, N, N) sRGB picture as generated.
        mask: (B, N, N) 0 or 1.
    """

    whole: Tensor
    smooth: Tensor
    image: Tensor
    mask: Tensor


def cut_pieces(draws: Draws, people: People) -> Pieces:
    """Cut pieces around random pixels of random people, mirrored half the time."""
    chosen = torch.randint(0, len(people.scale), (draws.count,), generator=draws.random)
    size = people.mask.shape[-1]
    rows = [_random_pixel(draws, people.mask[index]) for index in chosen.tolist()]
    middle = torch.stack(rows) + 0.5
    ratio = people.scale[chosen] / PIXELS_PER_METRE * draws.scaled(0.75, 1.3)
    mirror = 1 - 2 * draws.chance(0.5)
    across, down = draws.grid()
    x = (middle[:, 0, None, None] + across * spread(ratio * mirror)) * 2 / size - 1
    y = (middle[:, 1, None, None] + down * spread(ratio)) * 2 / size - 1
    place = torch.stack([x, y], -1)
    parts = [people.normals[chosen].float() / 127, people.image[chosen].float() / 255]
    values = torch.cat([*parts, people.mask[chosen][:, None].float()], 1)
    found = grid_sample(values, place, mode="bicubic", align_corners=False)
    normals = found[:, :3] * torch.stack([mirror, mirror.abs(), mirror.abs()], 1)[..., None, None]
    mask = (found[:, 6] > _OUTLINE).float()
    return Pieces(
        _faced(smoothed(normals, 1.0), mask),
        smooth_normals(normals, mask, _FOLD_METRES * PIXELS_PER_METRE * 0.5),
        found[:, 3:6].clamp(0, 1),
        mask,
    )


def smooth_normals(normals: Tensor, mask: Tensor, sigma: float) -> Tensor:
    """Unit normals (B, 3, N, N) blurred inside a mask (B, N, N) by ``sigma`` pixels, zero outside."""
    return _faced(smoothed(normals * mask[:, None], sigma), mask)


def _faced(normals: Tensor, mask: Tensor) -> Tensor:
    return unit(normals) * mask[:, None]


def _random_pixel(draws: Draws, mask: Tensor) -> Tensor:
    """Column and row (2,) of a pixel of the person, float32; the middle where nobody is."""
    pixels = torch.nonzero(mask)
    if not len(pixels):
        return torch.full((2,), mask.shape[-1] / 2)
    chosen = int(torch.randint(0, len(pixels), (1,), generator=draws.random))
    return pixels[chosen].flip(0).float()
