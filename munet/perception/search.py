"""Where in a photo to look for people."""

from __future__ import annotations

import numpy as np

from munet.perception.crop import Crop

_OVERLAP = 0.5
_CLOSE, _WIDE, _AWAY = 1.4, 2.6, 0.5
"""Sizes and shifts of the squares round a place, as shares of a person's: the detector sees people best in these."""


def coarse_crops(width: int, height: int) -> list[Crop]:
    """Return the whole image as one square, and squares along its long side where it is elongated."""
    long, short = max(width, height), min(width, height)
    whole = Crop((width / 2, height / 2), float(long))
    return [whole] if long < 1.25 * short else [whole, *_tiles(width, height, float(short))]


def closer_crops(width: int, height: int) -> list[Crop]:
    """Return overlapping squares of half the short side, for people beside somebody large."""
    return _tiles(width, height, min(width, height) / 2)


def fine_crops(width: int, height: int) -> list[Crop]:
    """Return overlapping squares of half and a quarter of the short side, for small people."""
    short = float(min(width, height))
    return [tile for side in (short / 2, short / 4) for tile in _tiles(width, height, side)]


def near_crops(center: tuple[float, float], side: float) -> list[Crop]:
    """Return squares round a place where somebody is expected whom a square of ``side`` pixels would hold."""
    steps = ((0.0, 0.0), (-_AWAY, 0.0), (_AWAY, 0.0), (0.0, -_AWAY), (0.0, _AWAY))
    close = [Crop((center[0] + x * side, center[1] + y * side), _CLOSE * side) for x, y in steps]
    return [Crop(center, _WIDE * side), *close]


def _tiles(width: int, height: int, side: float) -> list[Crop]:
    return [Crop((x, y), side) for y in _centers(height, side) for x in _centers(width, side)]


def _centers(length: int, side: float) -> list[float]:
    count = int(np.ceil(max(length - side, 0.0) / (side * (1 - _OVERLAP)))) + 1
    if count == 1:
        return [length / 2]
    return [float(v) for v in np.linspace(side / 2, length - side / 2, count)]
