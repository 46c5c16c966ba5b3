"""Points on what a scanner would see of a dressed person."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from munet.training.data.hanging import COLUMNS, LOCK_COLUMNS, LOCK_ROWS, ROWS
from munet.training.data.scene import People, Stage

_SPARE = 3
_COARSE = 3
_REACH = 0.35
_DEEP = 0.004


def surface_points(stage: Stage, people: People, seeds: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Draw points on the outer surface, evenly by area.

    Skin and inner clothes under a skirt, a coat or long hair do not count.

    Args:
        stage: what all samples share.
        people: B dressed people.
        seeds: (B,) int64 that make each sample's points its own.
        count: points of each person.

    Returns:
        Points (B, count, 3) and unit normals (B, count, 3), world.
    """
    corners = people.vertices[:, stage.faces]
    area = torch.linalg.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0]).norm(dim=-1)
    area = area * people.worn[:, stage.group]
    drawn = _random(seeds, count * _SPARE).to(area)
    total = area.cumsum(1)
    face = torch.searchsorted(total, drawn[..., 0] * total[:, -1:]).clamp_max(area.shape[1] - 1)
    weights = _barycentric(drawn[..., 1:])[..., None]
    batch = torch.arange(len(area), device=area.device)[:, None, None]
    index = stage.faces[face]
    points = (people.vertices[batch, index] * weights).sum(2)
    normals = normalize((people.normals[batch, index] * weights).sum(2), dim=-1)
    outer = ~_inside_sheets(stage, people, points, stage.group[face])
    first = torch.argsort((~outer).to(torch.uint8), dim=1, stable=True)[:, :count, None].expand(-1, -1, 3)
    return points.gather(1, first), normals.gather(1, first)


def _random(seeds: Tensor, count: int) -> Tensor:
    """Uniform numbers (B, count, 3), drawn on the CPU so that every device gets the same."""
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds.tolist()]
    return torch.stack([torch.rand(count, 3, generator=generator) for generator in generators])


def _barycentric(uniform: Tensor) -> Tensor:
    root = uniform[..., 0].sqrt()
    return torch.stack([1 - root, root * (1 - uniform[..., 1]), root * uniform[..., 1]], -1)


def _inside_sheets(stage: Stage, people: People, points: Tensor, group: Tensor) -> Tensor:
    """Points (B, P) bool of the skin that lie under hanging cloth or hair: behind it and above its hem."""
    start = len(stage.skin.rest)
    inside = torch.zeros_like(group, dtype=torch.bool)
    for number, (rows, columns) in enumerate(((ROWS, COLUMNS), (LOCK_ROWS, LOCK_COLUMNS)), 1):
        index = torch.arange(start, start + rows * columns, device=points.device).reshape(rows, columns)
        chosen = index[::_COARSE, ::_COARSE]
        behind = _behind(points, people.vertices[:, chosen], people.normals[:, chosen])
        inside |= behind & people.worn[:, number : number + 1] & (group == 0)
        start += rows * columns
    return inside


def _behind(points: Tensor, sheet: Tensor, normal: Tensor) -> Tensor:
    """Points (B, P) bool behind a sheet (B, R, C, 3) with normals: not above its collar, not below its hem."""
    columns = sheet.shape[2]
    flat, normals = sheet.flatten(1, 2), normal.flatten(1, 2)
    found = torch.cdist(points, flat).argmin(-1)
    nearest = found[..., None].expand(-1, -1, 3)
    away = points - flat.gather(1, nearest)
    above_hem = points[..., 1] > flat[..., 1].amin(1, keepdim=True)
    inside: Tensor = (away * normals.gather(1, nearest)).sum(-1) < -_DEEP
    near: Tensor = away.norm(dim=-1) < _REACH
    # Beyond the first row, in the direction in which its strand would go on, nothing hangs over the skin.
    onward = (sheet[:, 0] - sheet[:, 1]).gather(1, (found % columns)[..., None].expand(-1, -1, 3))
    beyond = (found < columns) & ((away * onward).sum(-1) > 0)
    return inside & near & above_hem & ~beyond
