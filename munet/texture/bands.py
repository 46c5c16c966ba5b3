"""Hats with bands: stripes that run around the head are carried on around it, as on a lathe."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.atlas import Texels
from munet.texture.regions import Regions
from munet.texture.sample import Seen

Floats = NDArray[np.float32]

# Metres a bin of height; tilts of the bands that are tried, in both directions.
_BIN = 0.004
_TILTS = np.linspace(-0.5, 0.5, 11, dtype=np.float32)
_SPARSE = 6000
_FEWEST = 400
# Share of the brightness's variance that height must explain, its least spread, and how often it must change.
_EXPLAINED = 0.5
_CONTRAST = 28.0
_CHANGES = 4
# Share of the range between dark and light above which a bin is surely light, and the unevenness of stripes at most.
_SURE = 0.65
_UNEVEN = 0.6


@dataclass(frozen=True)
class Bands:
    """Stripes around a head.

    Attributes:
        tilt: (3,) height along the stripes' axis is the dot product of a rest vertex with this.
        lowest: height of the lowest band, metres.
        colours: (B, 3) upwards from ``lowest``, one each ``_BIN`` metres.
    """

    tilt: Floats
    lowest: float
    colours: Floats

    def at(self, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Colour (N, 3) at rest points (N, 3), and which of them lie on the banded part."""
        height = (points @ self.tilt - self.lowest) / _BIN
        last = len(self.colours) - 1
        # Above the highest stripe that is seen they go on as in a mirror.
        place = last - np.abs(last - np.clip(height, 0, 2 * last))
        index = np.arange(len(self.colours))
        colour = np.stack([np.interp(place, index, column) for column in self.colours.T], 1)
        return colour.astype(np.float32), height >= 0


def find_bands(seen: Seen, texels: Texels, regions: Regions, rest_vertices: Floats) -> Bands | None:
    """Look for stripes around the upper head.

    Args:
        seen: colours of the texels.
        texels: of the surface.
        regions: parts of the surface.
        rest_vertices: (S, 3) T-pose.

    Returns:
        The stripes, or None for hair and plain hats.
    """
    corner = texels.corners[:, 0]
    chosen = np.flatnonzero((regions.scalp | regions.crown)[corner] & (seen.weight > 0.8))
    if len(chosen) < _FEWEST:
        return None
    chosen = chosen[:: max(1, len(chosen) // _SPARSE)]
    points = texels.pick(chosen).carry(rest_vertices)
    colour = seen.colour[chosen]
    brightness = colour.mean(1)
    if float(brightness.std()) < _CONTRAST:
        return None
    tilts = [np.array([x, 1, z], np.float32) for x in _TILTS for z in _TILTS]
    explained = [_explained(points @ tilt, brightness) for tilt in tilts]
    best = int(np.argmax(explained))
    if explained[best] < _EXPLAINED:
        return None
    return _profile(points @ tilts[best], colour, tilts[best])


def _explained(height: Floats, brightness: Floats) -> float:
    """Share of the variance of brightness that its mean at each height explains."""
    place = np.floor((height - height.min()) / _BIN).astype(np.int64)
    amount = np.bincount(place)
    mean = np.bincount(place, brightness) / np.maximum(amount, 1)
    return float((amount * (mean - brightness.mean()) ** 2).sum() / (len(height) * brightness.var()))


def _changes(brightness: Floats) -> NDArray[np.int64]:
    """Bins at which a profile turns from surely light to surely dark or back."""
    low, high = np.percentile(brightness, (10, 90))
    level = (brightness - low) / max(float(high - low), 1e-6)
    sure = np.flatnonzero((level < 1 - _SURE) | (level > _SURE))
    light = level[sure] > _SURE
    return np.asarray(sure[1:][light[1:] != light[:-1]], np.int64)


def _profile(height: Floats, colour: Floats, tilt: Floats) -> Bands | None:
    """Colour at each height; None unless it changes between light and dark often enough to be stripes."""
    lowest = float(height.min())
    place = np.floor((height - lowest) / _BIN).astype(np.int64)
    amount = np.maximum(np.bincount(place), 1e-6)
    sums = np.stack([np.bincount(place, column) for column in colour.T], 1)
    # The outermost bins hold few texels, and those lie along an outline.
    known = np.flatnonzero(amount >= 0.3 * np.median(amount))
    bins = np.arange(known[-1] + 1)
    profile = np.stack([np.interp(bins, known, sums[known, c] / amount[known]) for c in range(3)], 1)
    brightness = profile.mean(1)
    changes = _changes(brightness)
    widths = np.diff(changes)
    if len(changes) < _CHANGES or widths.std() > _UNEVEN * widths.mean():
        return None
    # The band below the lowest change is the brim; what is farther down is no hat.
    width = int(np.median(widths))
    start = max(0, int(changes[0]) - 2 * width)
    smooth = cv2.GaussianBlur(np.ascontiguousarray(profile[start:, None], np.float32), (1, 3), 0.6)
    return Bands(tilt, lowest + start * _BIN, np.asarray(smooth, np.float32).reshape(-1, 3))
