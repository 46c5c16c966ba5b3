"""Hair at its rim: between and beside loose strands the photo shows what is behind, and only sure hair counts.

Within a few centimetres of the outline a pixel counts as far as the matte is closed and as its colour is more likely
hair's than the background's beside it (Bayes' rule on two histograms, one of sure hair, one of what is around).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from munet.texture.atlas import Texels
from munet.texture.regions import Regions
from munet.texture.sample import Projected, Seen
from munet.texture.visibility import View, smooth_ramp

Floats = NDArray[np.float32]

# Cells on the long side of the picture of the head that is looked at, and its margin around the hair.
_LONGEST = 320
_MARGIN = 0.15
# Metres from the outline: nothing counts before the first, colours are compared as far as the second; the chance of a
# pixel to be hair rises from a fifth at the outline to nearly certain at the third.
_RIM = (0.002, 0.007)
_BAND = 0.035
_SURE_DEPTH = 0.015
# How far around the scalp, as a share of its size in the photo, hair may hang.
_BELOW = 0.8
_CHANCE = (0.2, 0.97)
# Opacity below and above which a pixel is no sure hair and is, and the likelihood of hair likewise.
_CLOSED = (0.75, 0.97)
_LIKELY = (0.35, 0.65)
# Bins of lightness, and of both chroma axes over their middle part; sure hair texels without which nothing is told.
_BINS = (16, 24, 24)
_CHROMA = 36.0
_FEWEST = 100
# Every so many texels tell what colours there are.
_SPARSE = 7


def doubt_rim(
    seen: Seen,
    texels: Texels,
    projected: Projected,
    view: View,
    image: NDArray[np.uint8],
    mask: Floats,
    regions: Regions,
) -> None:
    """Take weight, in ``seen``, from texels of the scalp that may show what is behind the hair.

    Args:
        seen: colours and weights of the texels.
        texels: of the surface.
        projected: vertices in the photo.
        view: the part of the photo around the person.
        image: (H, W, 3) photo.
        mask: (H, W) matte of the person.
        regions: parts of the surface.
    """
    scalp = regions.scalp[texels.corners[:, 0]]
    if np.count_nonzero(scalp & (seen.weight > 0)) < _FEWEST:
        return
    near = _around_head(projected, regions)[texels.corners[:, 0]]
    chosen = np.flatnonzero(near & (seen.weight > 0))
    values = texels.pick(chosen).carry(projected.values[:, :3])
    pixel = values[:, :2] / np.float32(view.scale) + np.array([view.left, view.top], np.float32)
    picture = _Head.around(pixel, image, mask, view.camera.focal / view.scale / float(np.median(values[:, 2])))
    cell = picture.cells(pixel)
    some = np.arange(0, len(chosen), _SPARSE)
    sure = some[(picture.depth.ravel() > _SURE_DEPTH)[cell[some]] & (seen.weight[chosen[some]] > 0.5)]
    for part in (scalp[chosen], ~scalp[chosen]):
        trust = picture.trust(seen.colour[chosen[sure[part[sure]]]]).ravel()
        seen.weight[chosen[part]] *= trust[cell[part]]


def _around_head(projected: Projected, regions: Regions) -> NDArray[np.bool_]:
    """Vertices (S,) of the head, and of the body as far below its scalp as the scalp is tall or wide in the photo."""
    pixel = projected.values[:, :2]
    low, high = pixel[regions.scalp].min(0), pixel[regions.scalp].max(0)
    reach = _BELOW * float((high - low).max())
    inside = (pixel > low - reach) & (pixel < high + reach)
    return np.asarray((inside.all(1) & ~regions.hands) | regions.head, np.bool_)


class _Head:
    """The photo around the hair: colours (h, w, 3), opacity and depth inside the outline in metres (h, w)."""

    def __init__(self, colours: Floats, opacity: Floats, warp: NDArray[np.float64], metre: float) -> None:
        self.colours, self.opacity, self._warp = colours, opacity, warp
        inside = cv2.copyMakeBorder((opacity > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        self.depth: Floats = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(metre)
        lowest = cv2.erode(opacity, np.ones((3, 3), np.uint8))
        self.closed = smooth_ramp(lowest, *_CLOSED)

    @staticmethod
    def around(pixel: Floats, image: NDArray[np.uint8], mask: Floats, metre: float) -> _Head:
        """Cut it out around pixels (N, 2) of the photo, in which a metre is ``metre`` pixels long."""
        low, high = pixel.min(0), pixel.max(0)
        pad = _MARGIN * float((high - low).max()) + 2
        low, high = low - pad, high + pad
        scale = min(1.0, _LONGEST / float((high - low).max()))
        width, height = (max(8, round(float(edge) * scale)) for edge in high - low)
        warp = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]], np.float64)
        shifted = warp.copy()
        shifted[:, 2] += (scale - 1) / 2
        source: NDArray[Any] = image
        soft: NDArray[Any] = mask
        if scale < 0.7:
            blur = 0.4 / scale
            box = [max(0, int(edge)) for edge in (low[1], high[1] + 1, low[0], high[0] + 1)]
            part = np.s_[box[0] : box[1], box[2] : box[3]]
            source, soft = (np.asarray(cv2.GaussianBlur(each[part], (0, 0), blur)) for each in (image, mask))
            shifted[:, 2] += scale * np.array([box[2], box[0]])
        cut, opacity = (
            np.asarray(cv2.warpAffine(each, shifted, (width, height), borderMode=cv2.BORDER_REPLICATE), np.float32)
            for each in (source, soft)
        )
        return _Head(cut, opacity, warp, metre * scale)

    def cells(self, pixel: Floats) -> NDArray[np.int64]:
        """Flat index (N,) into pictures of the head of pixels (N, 2) of the photo."""
        height, width = self.depth.shape
        warp = self._warp.astype(np.float32)
        column = np.clip(pixel[:, 0] * warp[0, 0] + warp[0, 2], 0, width - 1).astype(np.int64)
        row = np.clip(pixel[:, 1] * warp[1, 1] + warp[1, 2], 0, height - 1).astype(np.int64)
        return np.asarray(row * width + column, np.int64)

    def trust(self, hair: Floats) -> Floats:
        """How surely each pixel (h, w) shows hair, of which colours (N, 3) are known."""
        trust = self.closed * smooth_ramp(self.depth, *_RIM)
        around = self.colours[self.opacity < 0.05]
        if len(hair) < _FEWEST or len(around) < _FEWEST:
            return trust
        band = self.depth < _BAND
        bins = colour_bins(self.colours[band])
        is_hair, is_not = histogram(hair)[bins], histogram(around)[bins]
        chance = _CHANCE[0] + (_CHANCE[1] - _CHANCE[0]) * smooth_ramp(self.depth[band], 0, _BAND)
        likely = is_hair * chance / np.maximum(is_hair * chance + is_not * (1 - chance), 1e-9)
        unlike = np.ones_like(trust)
        unlike[band] = smooth_ramp(likely, *_LIKELY)
        return trust * np.asarray(cv2.GaussianBlur(unlike, (0, 0), 1.0), np.float32)


def colour_bins(colour: Floats) -> tuple[NDArray[np.int64], ...]:
    """Bins of colours (N, 3), sRGB 0 to 255."""
    if not len(colour):
        return tuple(np.zeros((3, 0), np.int64))
    lab = cv2.cvtColor(np.ascontiguousarray(colour, np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0]
    share = np.concatenate([lab[:, :1] / 100, lab[:, 1:] / (2 * _CHROMA) + 0.5], 1)
    place = np.clip((share * np.array(_BINS)).astype(np.int64), 0, np.array(_BINS) - 1)
    return tuple(place.T)


def histogram(colour: Floats) -> Floats:
    """Density of colours (N, 3) over the bins, never quite zero."""
    amount = np.zeros(_BINS, np.float32)
    np.add.at(amount, colour_bins(colour), np.float32(1))
    smooth = gaussian_filter(amount / max(len(colour), 1), 1.0, mode="nearest")
    return np.asarray(smooth + 1e-5, np.float32)
