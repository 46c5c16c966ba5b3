"""Holes and loose bits of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LEVEL = 0.5


def fill_holes(mask: NDArray[np.float32], largest: float, gaps: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Set enclosed holes to one, except those of more than ``largest`` pixels and those that hold one of ``gaps``.

    Args:
        mask: (H, W) in [0, 1].
        largest: pixels.
        gaps: (H, W) pixels that are known to be background.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask <= _LEVEL).astype(np.uint8), connectivity=4)
    height, width = mask.shape
    filled = np.zeros(count, bool)
    known = np.bincount(labels[gaps], minlength=count) > 0
    for label in range(1, count):
        left, top, wide, high, area = stats[label]
        enclosed = left > 0 and top > 0 and left + wide < width and top + high < height
        filled[label] = enclosed and area <= largest and not known[label]
    return np.where(filled[labels], np.float32(1), mask)


def keep_person(mask: NDArray[np.float32], landmarks: NDArray[np.floating], smallest: float) -> NDArray[np.float32]:
    """Clear what is not connected to the person.

    The largest part stays, and so does every part of at least ``smallest`` pixels that holds a landmark: a railing
    may cut a person in two.

    Args:
        mask: (H, W) in [0, 1].
        landmarks: (N, 2) seen landmarks in pixels of the mask.
        smallest: pixels.
    """
    solid = (mask > _LEVEL).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    if count == 1:
        return mask
    kept = np.zeros(count, np.uint8)
    kept[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = 1
    height, width = mask.shape
    columns = np.clip(landmarks[:, 0].astype(int), 0, width - 1)
    rows = np.clip(landmarks[:, 1].astype(int), 0, height - 1)
    for label in np.unique(labels[rows, columns]):
        kept[label] |= np.uint8(label > 0 and stats[label, cv2.CC_STAT_AREA] >= smallest)
    # The soft rim of the parts that stay is kept with them.
    near = cv2.dilate(kept[labels], np.ones((5, 5), np.uint8))
    dropped = (solid > 0) & (kept[labels] == 0)
    return np.where((near > 0) & ~dropped, mask, np.float32(0))
