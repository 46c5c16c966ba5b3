"""Fine texture for filled parts, so that they do not look like plastic beside the photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Widths in texels of a 2048 texture, and their shares of the variance.
_SCALES = ((0.7, 0.6), (2.0, 0.3), (6.0, 0.1))


def grain(size: int, seed: int) -> Floats:
    """Make a (size, size) noise of unit variance with fine and coarse parts, the same for the same seed."""
    generator = np.random.default_rng(seed)
    total = np.zeros((size, size), np.float32)
    for width, share in _SCALES:
        # Coarse parts are made small and enlarged, which is as good and much faster.
        factor = max(1, int(width / 2))
        small = generator.standard_normal((size // factor, size // factor), np.float32)
        blurred = np.asarray(cv2.GaussianBlur(small, (0, 0), width * size / 2048 / factor + 0.3), np.float32)
        enlarged = np.asarray(cv2.resize(blurred, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
        total += np.float32(np.sqrt(share) / max(float(enlarged.std()), 1e-6)) * enlarged
    return total
