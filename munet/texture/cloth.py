"""The fine texture of unseen cloth, at its true size and along its limb: read off what is seen, sewn, and laid.

The atlas stretches cloth by different amounts in different directions. Here cloth lies flat in metres instead: every
point is projected along the axis of the T-pose that its normal is nearest to, one direction of the result running
along the limb. What is seen is drawn onto such charts, sewn to tiles (``sew.py``), and tiles are laid the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.sample import lookup
from munet.texture.sew import sew

Floats = NDArray[np.float32]

# Metres a pixel, pixels of a tile's edge, and metres above which structure belongs to the smooth colour.
_PIXEL = 0.0018
_EDGE = 448
_COARSE = 0.012
# Structure counts up to so many spreads; how much of it is laid, and its deviation at most.
_CLIP = 1.8
_STRENGTH = 0.55
_MOST = 0.035
# Relative brightness below which there is no structure.
_FLAT = 1e-3
# Exponent of the normal in the blend of the three projections, and the share below which one is left out.
_SHARP = 6.0
_LEAST = 0.08
# Brightness (sRGB) below which structure is not taken relative to it.
_DARKEST = 24.0
# Each side of a zone takes its part of the tile elsewhere (pixels).
_SHIFT = 157.0
# For the axis that is looked along: which axes run along the limb and across it, on trunk and legs, and on arms.
_UPRIGHT = ((1, 2), (2, 0), (1, 0))
_SIDEWAYS = ((1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Cloth:
    """N points of cloth.

    Attributes:
        rest: (N, 3) metres, T-pose.
        normals: (N, 3) unit, T-pose.
        zone: (N,) part of the person.
    """

    rest: Floats
    normals: Floats
    zone: NDArray[np.int64]

    def pick(self, chosen: NDArray[np.int64]) -> Cloth:
        """Return the points at the positions ``chosen``."""
        return Cloth(self.rest[chosen], self.normals[chosen], self.zone[chosen])

    def flat(self, axis: int) -> Floats:
        """Places (N, 2) in pixels, along the limb and across it, looking along an axis of the T-pose."""
        on_arm = ((self.zone == 1) | (self.zone == 2))[:, None]
        upright, sideways = self.rest[:, _UPRIGHT[axis]], self.rest[:, _SIDEWAYS[axis]]
        return np.asarray(np.where(on_arm, sideways, upright) / np.float32(_PIXEL), np.float32)

    def facing(self) -> NDArray[np.int64]:
        """Number (N,) of the side that each point lies on: twice the axis its normal is nearest to, 1 more in front."""
        axis = np.abs(self.normals).argmax(1)
        return np.asarray(2 * axis + (np.take_along_axis(self.normals, axis[:, None], 1)[:, 0] > 0), np.int64)


@dataclass(frozen=True)
class Charts:
    """What is seen of the cloth, lying flat, all sides of all parts beside each other.

    Attributes:
        value: (H, W) brightness.
        kind: (H, W) int8 material, -1 where nothing is seen.
    """

    value: Floats
    kind: NDArray[np.int8]


def draw_charts(cloth: Cloth, brightness: Floats, kind: NDArray[np.int8]) -> Charts:
    """Draw points (N,) of cloth with their brightness and material onto charts."""
    side = cloth.facing() + 6 * (cloth.zone + 1)
    place = np.zeros((len(side), 2), np.int64)
    left = 0
    for number in np.unique(side):
        chosen = np.flatnonzero(side == number)
        flat = cloth.pick(chosen).flat(number % 6 // 2).astype(np.int64)
        flat -= flat.min(0)
        place[chosen] = flat + np.array([0, left])
        left += int(flat[:, 1].max()) + 2
    height = int(place[:, 0].max(initial=0)) + 1
    shape, index = (height, max(left, 1)), place[:, 0] * max(left, 1) + place[:, 1]
    count = np.bincount(index, minlength=shape[0] * shape[1]).astype(np.float32)
    total = np.bincount(index, brightness, minlength=len(count)).astype(np.float32)
    kinds = np.full(len(count), -1, np.int8)
    kinds[index] = kind
    return Charts(*_closed(total.reshape(shape), count.reshape(shape), kinds.reshape(shape)))


def _closed(total: Floats, count: Floats, kind: NDArray[np.int8]) -> tuple[Floats, NDArray[np.int8]]:
    """Mean brightness; single pixels that no point fell on take after their neighbours."""
    near = np.asarray(cv2.blur(np.stack([total, count], -1), (3, 3)), np.float32)
    hole = count == 0
    value = np.where(hole, near[..., 0] / np.maximum(near[..., 1], 1e-6), total / np.maximum(count, 1))
    around = cv2.dilate((kind + 1).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.int8) - 1
    enough = hole & (near[..., 1] > 0.3)
    return np.asarray(value, np.float32), np.where(enough, around, kind).astype(np.int8)


def make_tile(charts: Charts, kind: int, seed: int) -> Floats | None:
    """Sew the fine texture of a material: (E, E) brightness relative to the smooth colour; None if little is seen."""
    inside = charts.kind == kind
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if len(rows) == 0:
        return None
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    inside = inside[part]
    fine = _without_coarse(charts.value[part], inside, _COARSE / _PIXEL)
    spread = 1.48 * float(np.median(np.abs(fine[inside])))
    if spread < _FLAT:
        return None
    fine = np.float32(_CLIP * spread) * np.tanh(fine / np.float32(_CLIP * spread))
    tile = sew(fine, inside, _EDGE, seed)
    if tile is None:
        return None
    # The calm patches that are sewn are paler than the cloth is as a whole.
    return np.asarray(tile * np.float32(min(_STRENGTH * spread, _MOST) / max(float(tile.std()), 1e-6)), np.float32)


def _without_coarse(value: Floats, inside: NDArray[np.bool_], width: float) -> Floats:
    """Departure from the local mean of what is inside, relative to that mean."""
    rows, columns = value.shape
    small = (max(1, columns // 4), max(1, rows // 4))
    both = np.stack([value * inside, inside.astype(np.float32)], -1)
    blurred = cv2.GaussianBlur(cv2.resize(both, small, interpolation=cv2.INTER_AREA), (0, 0), width / 4)
    mean = np.asarray(cv2.resize(blurred, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    level = np.maximum(mean[..., 0] / np.maximum(mean[..., 1], 1e-3), np.float32(_DARKEST))
    return np.asarray((value - level) / level * inside, np.float32)


def lay_tile(tile: Floats, cloth: Cloth) -> Floats:
    """Brightness (N,) of points of cloth that a tile is laid on, relative to their smooth colour."""
    share = np.abs(cloth.normals) ** _SHARP
    share /= np.maximum(share.sum(1, keepdims=True), 1e-9)
    padded = np.pad(tile, ((0, 1), (0, 1)), mode="wrap")
    total, power = np.zeros((2, len(share)), np.float32)
    for axis in range(3):
        chosen = np.flatnonzero(share[:, axis] > _LEAST)
        some, weight = cloth.pick(chosen), share[chosen, axis]
        ahead = (some.normals[:, axis] > 0) + 2 * (some.zone + 1)
        shift = np.stack([ahead * _SHIFT, ahead * ahead * _SHIFT], 1)
        place = ((some.flat(axis) + shift) % len(tile)).astype(np.float32)
        total[chosen] += weight * lookup(padded, place[:, ::-1] + 0.5, cv2.INTER_LINEAR)
        power[chosen] += weight**2
    return np.asarray(total / np.sqrt(np.maximum(power, 1e-9)), np.float32)
