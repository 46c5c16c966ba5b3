"""The scalp unrolled, and hair over all of it made of what is seen of it.

The scalp is unrolled around the whorl: across runs around the head, down runs from the whorl outwards, as strands do.
What is seen of the hair fills a part of that sheet; the rest is made like it (``quilt.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.quilt import comb, make_alike, some, without_coarse
from munet.texture.regions import Regions

Floats = NDArray[np.float32]

# Metres a cell of the sheet.
_CELL = 0.001
# The whorl leans back from the top of the head by so much, radians; nearer to it than this strands have no direction.
_WHORL = 0.6
_POLE = (0.3, 0.55)
# Cells: waves longer than about six times this are shape and light of the hair and not its strands.
_COARSE = 11.0
# sRGB steps added before the logarithm, and the logarithm by which strands depart from the smooth colour at most.
_LIFT = 6.0
_MOST = 1.0


@dataclass(frozen=True)
class Sheet:
    """The unrolled scalp.

    Attributes:
        center: (3,) of the head, rest pose.
        axes: (3, 3) rows: right, forward and towards the whorl.
        radius: metres, of the hair.
    """

    center: Floats
    axes: Floats
    radius: float

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns in cells; columns close around the head."""
        around = max(2 * round(np.pi * self.radius / _CELL), 64)
        return around // 2, around

    def places(self, points: Floats) -> tuple[Floats, Floats]:
        """Row and column (N, 2) of rest points (N, 3), and how far (N,) in [0, 1] they are from the whorl."""
        right, forward, up = ((points - self.center) @ self.axes.T).T
        angle = np.arctan2(np.hypot(right, forward), up)
        rows, columns = self.size
        place = np.stack([angle * (rows - 1) / np.pi, (np.arctan2(right, forward) / (2 * np.pi) + 0.5) * columns], 1)
        away = np.clip((angle - _POLE[0]) / (_POLE[1] - _POLE[0]), 0, 1)
        return place.astype(np.float32), np.asarray(away, np.float32)

    def flat_places(self, points: Floats) -> Floats:
        """Row and column (N, 2) around the whorl on a sheet laid flat there."""
        local = (points - self.center) @ self.axes.T
        return np.asarray(np.array(self.size) / 2 + local[:, [1, 0]] / _CELL, np.float32)


def unroll(rest_vertices: Floats, regions: Regions) -> Sheet:
    """The sheet of a head whose scalp has vertices in ``rest_vertices`` (S, 3)."""
    scalp = rest_vertices[regions.scalp]
    low, high = scalp.min(0), scalp.max(0)
    center = (low + high) / 2
    center[0] = rest_vertices[regions.head, 0].mean()
    if regions.eyes.any():
        center[1] = rest_vertices[regions.eyes, 1].mean() + 0.02
    whorl = np.array([0, np.cos(_WHORL), -np.sin(_WHORL)], np.float32)
    forward = np.array([0, np.sin(_WHORL), np.cos(_WHORL)], np.float32)
    axes = np.stack([np.array([1, 0, 0], np.float32), forward, whorl])
    radius = float(np.clip(np.median(np.linalg.norm(scalp - center, axis=1)), 0.05, 0.4))
    return Sheet(center.astype(np.float32), axes, radius)


def grow(sheet: Sheet, points: Floats, colour: Floats, seed: int) -> Strands | None:
    """Make strands for the whole sheet from the seen hair.

    Args:
        sheet: of :func:`unroll`.
        points: (N, 3) rest places of texels that surely show hair.
        colour: (N, 3) their colours.
        seed: the same strands for the same seed.

    Returns:
        The strands, or None where too little hair is seen.
    """
    detail, known = _seen_detail(sheet, points, colour)
    library = comb(detail, known)
    if library is None:
        return None
    return Strands(sheet, make_alike(detail, known, library, np.random.default_rng(seed)))


@dataclass(frozen=True)
class Strands:
    """Logarithm (h, w, 3) of the hair's colour relative to its smooth colour, over a sheet."""

    sheet: Sheet
    detail: Floats

    def at(self, points: Floats) -> Floats:
        """Factors (N, 3) of the smooth colour at rest points (N, 3)."""
        place, away = self.sheet.places(points)
        result = _read(self.detail, place)
        near = np.flatnonzero(away < 1)
        if len(near):
            share = away[near, None]
            flat = _read(self.detail, self.sheet.flat_places(points[near]))
            # Mixed so that contrast is kept: both have mean 0.
            mixed = share * result[near] + (1 - share) * flat
            result[near] = mixed / np.sqrt(share**2 + (1 - share) ** 2)
        return np.asarray(np.exp(result), np.float32)


def _seen_detail(sheet: Sheet, points: Floats, colour: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Detail (h, w, 3) of the seen hair, and where it is known (h, w)."""
    rows, columns = sheet.size
    place, _ = sheet.places(points)
    row, column = np.clip(place[:, 0].astype(np.int64), 0, rows - 1), place[:, 1].astype(np.int64) % columns
    cell = row * columns + column
    amount = np.bincount(cell, minlength=rows * columns).astype(np.float32)
    bright = np.log(colour + np.float32(_LIFT))
    total = np.stack([np.bincount(cell, channel, rows * columns) for channel in bright.T], 1).astype(np.float32)
    both = np.concatenate([total, amount[:, None]], 1).reshape(rows, columns, 4)
    # Cells between texels take after their neighbours.
    near = np.asarray(cv2.GaussianBlur(both, (0, 0), 0.8), np.float32)
    known = np.asarray(near[..., 3] > 0.15, np.bool_)
    filled = np.where(both[..., 3:] > 0, both[..., :3] / np.maximum(both[..., 3:], 1), near[..., :3] / some(near))
    known = np.asarray(cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    detail = without_coarse(filled, known, _COARSE)
    return np.clip(detail, -_MOST, _MOST), known


def _read(sheet: Floats, place: Floats) -> Floats:
    """Values (N, 3) of a sheet that closes around at rows and columns (N, 2)."""
    wide = np.concatenate([sheet, sheet[:, :2]], 1)
    row = np.clip(place[:, 0], 0, len(sheet) - 1)
    column = np.mod(place[:, 1], sheet.shape[1])
    parts = [
        cv2.remap(wide, c[:, None], r[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 3)
        for r, c in zip(*(np.array_split(axis, 1 + len(place) // 30000) for axis in (row, column)), strict=True)
    ]
    return np.concatenate(parts).astype(np.float32)
