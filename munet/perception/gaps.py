"""Narrow gaps that the coarse masks close: between an arm and the body, between the thighs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SURE_PERSON = 0.97
_SURE_BACKGROUND = 0.03
_NEIGHBOURHOOD_CELLS = 40.0
_BACKGROUND_COLOUR = 0.9
_SALIENT = 0.5
_DOUBTED = 0.95
_BIN_SHIFT = 3
_SPECK = np.ones((2, 2), np.uint8)


def find_gaps(
    image: NDArray[np.uint8], rough: NDArray[np.float32], salient: NDArray[np.float32], cell: float
) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that look like background though the rough mask covers them.

    Three witnesses must agree: the colour is the background's and not the person's, the pixel does not stand out,
    and the rough mask has at least a small doubt.

    Args:
        image: (H, W, 3) sRGB.
        rough: (H, W) coarse mask in [0, 1].
        salient: (H, W) saliency in [0, 1].
        cell: resolution of the rough mask in pixels.
    """
    away = cv2.distanceTransform((rough < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    background = (rough < _SURE_BACKGROUND) & (away < _NEIGHBOURHOOD_CELLS * cell)
    odds = background_probability(image, rough > _SURE_PERSON, background)
    found = (odds > _BACKGROUND_COLOUR) & (salient < _SALIENT) & (rough > 0.5) & (rough < _DOUBTED)
    # Opposite anchors: an even kernel would otherwise move what it keeps by a pixel.
    eroded = cv2.erode(found.astype(np.uint8), _SPECK, anchor=(0, 0))
    return np.asarray(cv2.dilate(eroded, _SPECK, anchor=(1, 1)) > 0)


def background_probability(
    image: NDArray[np.uint8], person: NDArray[np.bool_], background: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return for each pixel (H, W) how likely its colour belongs to ``background`` rather than to ``person``.

    Both are described by smoothed Lab histograms; a colour that neither has seen gives 0.
    """
    bins = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.intp) >> _BIN_SHIFT
    size = 256 >> _BIN_SHIFT
    index = np.ravel_multi_index(tuple(np.moveaxis(bins, -1, 0)), (size, size, size))
    inside, outside = (_histogram(index[part], size)[index] for part in (person, background))
    return np.asarray(outside / (inside + outside + 1e-7), np.float32)


def _histogram(index: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    counts = np.bincount(index, minlength=size**3).astype(np.float64).reshape(size, size, size)
    for axis in (0, 1, 2, 0, 1, 2):
        counts = (np.roll(counts, 1, axis) + 2 * counts + np.roll(counts, -1, axis)) / 4
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1.0))
