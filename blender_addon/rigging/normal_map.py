"""Tangent-space normal maps from two meshes that share an atlas: rasterised in NumPy, no renderer, no bpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..importer.frames import Floats

_AT_ONCE = 1_000_000
_MARGIN = 8
_TOUCH = 1e-4
_FLAT = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Corners:
    """What an atlas shows of a triangle mesh, at each corner of its T triangles.

    Attributes:
        uv: (T, 3, 2), origin bottom left.
        values: (T, 3, C) to be interpolated.
    """

    uv: Floats
    values: Floats


def rasterise(corners: Corners, size: int) -> tuple[Floats, np.ndarray]:
    """Interpolate the values of ``corners`` over an atlas.

    Returns:
        (size, size, C) picture, first row at the bottom, and (size, size) bool where a triangle lies.
    """
    picture = np.zeros((size, size, corners.values.shape[2]))
    covered = np.zeros((size, size), dtype=np.bool_)
    points = corners.uv * size - 0.5
    low = np.clip(np.ceil(points.min(axis=1) - _TOUCH), 0, size - 1).astype(np.int64)
    high = np.clip(np.floor(points.max(axis=1) + _TOUCH), 0, size - 1).astype(np.int64)
    spans = np.maximum(high - low + 1, 0)
    to_shares, valid = _inverses(points)
    rows = np.flatnonzero(valid & (spans.min(axis=1) > 0))
    for chunk in _chunks(rows, spans[rows].prod(axis=1)):
        counts = spans[chunk].prod(axis=1)
        triangle = np.repeat(chunk, counts)
        local = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
        y, x = np.divmod(local, spans[triangle, 0])
        x, y = x + low[triangle, 0], y + low[triangle, 1]
        away = np.stack([x, y], axis=1) - points[triangle, 0]
        second = np.einsum("nab,nb->na", to_shares[triangle], away)
        shares = np.concatenate([1.0 - second.sum(axis=1, keepdims=True), second], axis=1)
        inside = shares.min(axis=1) > -_TOUCH
        values = corners.values[triangle[inside]]
        picture[y[inside], x[inside]] = np.einsum("nk,nkc->nc", shares[inside], values)
        covered[y[inside], x[inside]] = True
    return picture, covered


def _inverses(points: Floats) -> tuple[Floats, np.ndarray]:
    """Return the maps (T, 2, 2) from a way in the picture to the shares of the corners 1 and 2, and which exist."""
    sides = points[:, 1:] - points[:, :1]
    (a, b), (c, d) = sides[:, 0].T, sides[:, 1].T
    area = a * d - b * c
    valid = np.abs(area) > 1e-12
    inverse = np.stack([d, -c, -b, a], axis=1).reshape(-1, 2, 2)
    return inverse / np.where(valid, area, 1.0)[:, None, None], valid


def _chunks(rows: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
    parts = np.cumsum(counts) // _AT_ONCE
    return iter(np.split(rows, np.flatnonzero(np.diff(parts)) + 1))


def normal_map(full: Corners, light: Corners, size: int, folds: Floats | None = None) -> np.ndarray:
    """Return the picture (size, size, 3) uint8, first row at the top, that gives ``light`` the normals of ``full``.

    Args:
        full: its values are normal, tangent and sign of the bitangent (T, 3, 7), as MikkTSpace defines them.
        light: likewise.
        size: edge in pixels.
        folds: (size, size, 3) normals that ``full`` shows in its own tangent space, first row at the bottom; None if
            it has no normal map.
    """
    whole, there = rasterise(full, size)
    frames, below = rasterise(light, size)
    both = there & below
    detail = np.zeros((size, size, 3))
    detail[...] = _FLAT
    shown = np.broadcast_to(_FLAT, (int(both.sum()), 3)) if folds is None else _unit(folds[both])
    normals = np.einsum("nk,nka->na", shown, _axes(whole[both]))
    found = np.einsum("na,nka->nk", _unit(normals), _axes(frames[both]))
    detail[both] = np.where(found[:, 2:] > 0, _unit(found), _FLAT)
    detail = _spread(detail, both)
    return ((detail[::-1] * 0.5 + 0.5) * 255 + 0.5).clip(0, 255).astype(np.uint8)


def resampled(picture: np.ndarray | None, size: int) -> Floats | None:
    """Return the normals (size, size, 3) that a ``picture`` (H, W, 3 or more) of [0, 1] shows, None without one."""
    if picture is None:
        return None
    height, width = picture.shape[:2]
    block = max(1, min(width, height) // size)
    if (width, height) == (block * size, block * size):
        chosen = picture[..., :3].reshape(size, block, size, block, 3).mean(axis=(1, 3))
    else:
        steps = (np.arange(size) + 0.5) / size
        chosen = picture[(steps * height).astype(np.int64)[:, None], (steps * width).astype(np.int64), :3]
    normals: Floats = chosen.astype(np.float64) * 2.0 - 1.0
    return normals


def _axes(frames: Floats) -> Floats:
    """Return tangent, bitangent and normal (N, 3, 3) of ``frames`` (N, 7)."""
    normal, tangent = _unit(frames[:, :3]), _unit(frames[:, 3:6])
    bitangent = np.where(frames[:, 6:] < 0, -1.0, 1.0) * np.cross(normal, tangent)
    return np.stack([tangent, _unit(bitangent), normal], axis=1)


def _unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-9)


def _spread(picture: Floats, known: np.ndarray) -> Floats:
    """Continue ``picture`` beyond the edges of what is ``known`` by a few pixels."""
    for _ in range(_MARGIN):
        for axis in (0, 1):
            for step in (1, -1):
                fresh = np.roll(known, step, axis) & ~known
                picture[fresh] = np.roll(picture, step, axis)[fresh]
                known = known | fresh
    return picture
