"""The fine texture of each material, made anew for the parts that nobody sees: weave, folds, strands of hair.

A sample of the seen texture keeps its spectrum and gets random phases, which keeps the size, direction and strength of
its structure and turns buttons and prints into nothing in particular (random phase textures: Galerne, Gousseau and
Morel, IEEE TIP 2011).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float32]

# Texels of a 2048 texture: edge of the sample, and width above which structure belongs to the smooth colour.
_SAMPLE = 512
CLOTH = 10.0
HAIR = 24.0
# Seen texels without which a material has no texture of its own, as a share of the sample.
_LEAST = 0.03
# Structure counts up to so many spreads: what stands out more is a button, a seam or a print.
_CLIP = 2.2
_STRENGTH = 0.3
_LOOK = 16


def weave(size: int, detail: Floats, trusted: NDArray[np.bool_], seed: int, coarse: float = CLOTH) -> Floats | None:
    """Make a texture like the seen one.

    Args:
        size: edge T of the texture in texels.
        detail: (T, T) brightness of the seen material relative to its smooth colour.
        trusted: (T, T) where ``detail`` is seen and of this material.
        seed: the same texture for the same seed.
        coarse: texels of a 2048 texture; wider structure belongs to the smooth colour (:data:`CLOTH`, :data:`HAIR`).

    Returns:
        (T/2, T/2), to be repeated, around 0 and as strong as ``detail``; None when too little of it is seen.
    """
    edge = max(16, size * _SAMPLE // 2048)
    place = _fullest(trusted, edge)
    sample, inside = detail[place], trusted[place].astype(np.float32)
    if inside.sum() < _LEAST * edge * edge:
        return None
    fine = _without_coarse(sample, inside, coarse * size / 2048)
    spread = 1.48 * float(np.median(np.abs(fine[inside > 0])))
    fine = np.clip(fine, -_CLIP * spread, _CLIP * spread) * inside
    made = _random_phases(fine, size // 2, seed)
    return np.asarray(made * np.float32(_STRENGTH * spread / max(float(made.std()), 1e-6)), np.float32)


def _fullest(trusted: NDArray[np.bool_], edge: int) -> tuple[slice, slice]:
    """Square of the given edge with the most trusted texels, found at a coarse resolution."""
    size = len(trusted)
    cells = cv2.resize(trusted.astype(np.float32), (size // _LOOK, size // _LOOK), interpolation=cv2.INTER_AREA)
    reach = edge // _LOOK
    amount = cv2.boxFilter(cells, -1, (reach, reach), anchor=(0, 0), normalize=False, borderType=cv2.BORDER_CONSTANT)
    last = max(1, size // _LOOK - reach + 1)
    row, column = np.unravel_index(np.asarray(amount)[:last, :last].argmax(), (last, last))
    top, left = int(row) * _LOOK, int(column) * _LOOK
    return slice(top, top + edge), slice(left, left + edge)


def _without_coarse(sample: Floats, inside: Floats, width: float) -> Floats:
    """Subtract the local mean of the trusted texels."""
    # Blurring at a quarter of the size is as good and much faster.
    small = (max(1, len(sample) // 4),) * 2
    both = np.stack([sample * inside, inside], -1)
    blurred = cv2.GaussianBlur(cv2.resize(both, small, interpolation=cv2.INTER_AREA), (0, 0), max(width / 4, 0.5))
    mean = np.asarray(cv2.resize(blurred, sample.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray((sample - mean[..., 0] / np.maximum(mean[..., 1], 1e-3)) * inside, np.float32)


def _random_phases(sample: Floats, size: int, seed: int) -> Floats:
    """Texture (size, size) that repeats without seams and has the spectrum of a sample."""
    noise = np.random.default_rng(seed).standard_normal((size, size), np.float32)
    spectrum = fft.rfft2(sample, (size, size)) * fft.rfft2(noise)
    return np.asarray(fft.irfft2(spectrum, (size, size)), np.float32)
