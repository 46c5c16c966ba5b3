"""From the height of folds above a surface to the normals of the folded surface."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad


def smoothed(values: Tensor, sigma: float) -> Tensor:
    """Blur pictures (..., H, W) on the CPU with a Gaussian of ``sigma`` pixels, without gradients.

    Beyond ten pixels they are blurred at a fraction of their size. Borders are continued.
    """
    if sigma < 0.05:
        return values
    height, width = values.shape[-2:]
    source = values.detach().reshape(-1, height, width).numpy()
    step = max(1, int(sigma / 5))
    found = np.empty(source.shape, np.float32)
    for picture, result in zip(source, found, strict=True):
        if step > 1:
            small = (max(1, round(width / step)), max(1, round(height / step)))
            less = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
            less = cv2.GaussianBlur(less, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
            result[:] = cv2.resize(less, (width, height), interpolation=cv2.INTER_LINEAR)
        else:
            result[:] = cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return torch.from_numpy(found).reshape(values.shape)


def unit(vectors: Tensor) -> Tensor:
    """Vectors (B, C, H, W) of length 1 along the second axis, zero where they were zero."""
    return vectors * (vectors * vectors).sum(1, keepdim=True).clamp_min(1e-12).rsqrt()


def slopes(height: Tensor) -> Tensor:
    """Slopes (B, 2, H, W) along x and y of heights (B, H, W), both in pixels, by central differences."""
    wide = pad(height[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]) / 2
    down = (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) / 2
    return torch.stack([across, down], 1)


def folded(base: Tensor, slope: Tensor) -> Tensor:
    """Normals of a surface that is moved outwards by a height.

    The height is thought constant along the view, so its gradient on the surface is the part of its slopes that lies in
    the surface; it stays finite where the surface is seen obliquely (first order, orthographic).

    Args:
        base: (B, 3, H, W) unit normals, camera frame (x right, y down, z away).
        slope: (B, 2, H, W) of the height along the picture's axes.

    Returns:
        Unit normals (B, 3, H, W).
    """
    lean = torch.cat([slope, torch.zeros_like(slope[:, :1])], 1)
    along = (lean * base).sum(1, keepdim=True)
    return unit(base - (lean - along * base))
