"""Closed-form matting (Levin, Lischinski, Weiss, PAMI 2008) in the band where a mask is uncertain."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import cg

_WINDOW = 3
_REGULARISATION = 1e-5


def matting_laplacian(image: NDArray[np.float64], unknown: NDArray[np.bool_]) -> sparse.csr_array:
    """Return the matting Laplacian (H*W, H*W) from the 3 x 3 windows that touch unknown pixels.

    Args:
        image: (H, W, 3) in [0, 1].
        unknown: (H, W) pixels whose opacity is sought.
    """
    height, width = unknown.shape
    index = np.arange(height * width, dtype=np.int32).reshape(height, width)
    windows = np.lib.stride_tricks.sliding_window_view(index, (_WINDOW, _WINDOW)).reshape(-1, _WINDOW**2)
    touched = cv2.dilate(unknown.astype(np.uint8), np.ones((_WINDOW, _WINDOW), np.uint8))[1:-1, 1:-1]
    windows = windows[touched.reshape(-1) > 0]
    count = windows.shape[1]
    colours = image.reshape(-1, 3)[windows]
    offset = colours - colours.mean(axis=1, keepdims=True)
    covariance = offset.transpose(0, 2, 1) @ offset / count + _REGULARISATION / count * np.eye(3)
    affinity = (1 + offset @ np.linalg.inv(covariance) @ offset.transpose(0, 2, 1)) / count
    values = (np.eye(count) - affinity).astype(np.float32)
    rows, columns = np.repeat(windows, count, axis=1).ravel(), np.tile(windows, (1, count)).ravel()
    return sparse.coo_array((values.ravel(), (rows, columns)), shape=(index.size, index.size)).tocsr()


def solve_matte(
    image: NDArray[np.uint8], prior: NDArray[np.floating], unknown: NDArray[np.bool_], trust: float = 0.05
) -> NDArray[np.float32]:
    """Return the opacity (H, W) in [0, 1] that follows the picture's edges where it is unknown.

    Args:
        image: (H, W, 3) sRGB.
        prior: (H, W) in [0, 1]; taken as it is, rounded, where it is known.
        unknown: (H, W) pixels to solve for.
        trust: weight of the prior inside the unknown pixels.
    """
    matte = np.round(prior).astype(np.float64).ravel()
    free, fixed = np.flatnonzero(unknown.ravel()), np.flatnonzero(~unknown.ravel())
    if free.size == 0:
        return matte.reshape(prior.shape).astype(np.float32)
    rows = matting_laplacian(image.astype(np.float64) / 255, unknown)[free]
    start = prior.ravel()[free].astype(np.float64)
    system = rows[:, free] + trust * sparse.eye_array(free.size)
    target = trust * start - rows[:, fixed] @ matte[fixed]
    jacobi = sparse.diags_array(1 / system.diagonal())
    # A tight tolerance would cost time without moving any opacity by more than a percent.
    matte[free], _ = cg(system, target, x0=start, rtol=1e-3, maxiter=150, M=jacobi)
    return np.clip(matte, 0, 1).reshape(prior.shape).astype(np.float32)
