"""Joint upsampling of a mask along the edges of a photo (fast guided filter; He and Sun, 2015)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def guided_upsample(
    mask: NDArray[np.float32], small: NDArray[np.uint8], large: NDArray[np.uint8], radius: int = 2, eps: float = 1e-4
) -> NDArray[np.float32]:
    """Bring a mask to the resolution of a photo.

    Args:
        mask: (h, w) in [0, 1].
        small: (h, w, 3) the photo at the mask's resolution.
        large: (H, W, 3) the photo.
        radius: half width of the windows in pixels of the mask.
        eps: smallest colour variance that counts as an edge, for colours in [0, 1].

    Returns:
        (H, W) in [0, 1].
    """
    guide = small.astype(np.float32) / 255
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(values: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray(cv2.boxFilter(values, -1, size, borderType=cv2.BORDER_REFLECT), np.float32)

    guide_mean, mask_mean = mean(guide), mean(mask)
    covariance = mean(guide * mask[..., None]) - guide_mean * mask_mean[..., None]
    products = (guide[..., :, None] * guide[..., None, :]).reshape(*mask.shape, 9)
    # OpenCV filters at most four channels at once.
    second = np.concatenate([mean(np.ascontiguousarray(products[..., i : i + 3])) for i in (0, 3, 6)], -1)
    variance = second.reshape(*mask.shape, 3, 3) - guide_mean[..., :, None] * guide_mean[..., None, :]
    slope = np.linalg.solve(variance + eps * np.eye(3, dtype=np.float32), covariance[..., None])[..., 0]
    offset = mask_mean - (slope * guide_mean).sum(-1)
    height, width = large.shape[:2]
    slope = cv2.resize(mean(slope.astype(np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(mean(offset.astype(np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
    result = np.einsum("hwc,hwc->hw", slope, large.astype(np.float32) / 255) + offset
    return np.asarray(np.clip(result, 0, 1), np.float32)
