"""Colour for the texels around the islands of an atlas, so that seams stay invisible when the texture is filtered."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def pad_seams(texture: NDArray[np.uint8], covered: NDArray[np.bool_], reach: int) -> NDArray[np.uint8]:
    """Copy the nearest covered texel into the gutters.

    Args:
        texture: (T, T, 3).
        covered: (T, T) texels that belong to an island.
        reach: texels around the islands that are padded; the rest takes the mean colour.

    Returns:
        (T, T, 3).
    """
    if not covered.any():
        return texture
    distance, label = cv2.distanceTransformWithLabels(
        (~covered).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    sources = np.zeros((int(label.max()) + 1, 3), np.uint8)
    sources[label[covered]] = texture[covered]
    padded = texture.copy()
    near = ~covered & (distance <= reach)
    padded[near] = sources[label[near]]
    padded[~covered & (distance > reach)] = texture[covered].mean(0).astype(np.uint8)
    return padded
