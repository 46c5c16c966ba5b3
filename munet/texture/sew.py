"""A tile of cloth sewn from patches of what is seen of it: folds and weave as they are, nowhere the same twice.

Patches are chosen so that they agree with their neighbours where they overlap (image quilting: Efros and Freeman,
SIGGRAPH 2001).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Pixels: edges of patches that are tried, largest first, and the share of one that overlaps its neighbour.
_PATCHES = (40, 26, 16)
_OVERLAP = 0.3
_CANDIDATES = 160
# Patches without which there is no choice, and the share of the roughest ones that show seams, buttons and prints.
_FEWEST = 24
_ROUGHEST = 0.6
# So many are tried at each place; the one that agrees best with its neighbours is taken.
_TRIES = 16


def sew(sheet: Floats, inside: NDArray[np.bool_], edge: int, seed: int) -> Floats | None:
    """Sew a tile.

    Args:
        sheet: (H, W) what is seen, around 0.
        inside: (H, W) where it is seen.
        edge: about how many pixels wide the tile is to be, less where only small patches are seen.
        seed: the same tile for the same seed.

    Returns:
        (E, E) that repeats without a seam, E at most ``edge``; None where too little is seen in one piece.
    """
    generator = np.random.default_rng(seed)
    for patch in _PATCHES:
        patches = _patches(sheet, inside, patch, generator)
        if patches is not None:
            return _sewn(patches, edge * patch // _PATCHES[0], generator)
    return None


def _patches(sheet: Floats, inside: NDArray[np.bool_], edge: int, generator: np.random.Generator) -> Floats | None:
    """Random patches (M, edge, edge) that are seen as a whole, without the roughest."""
    kernel = np.ones((edge, edge), np.uint8)
    whole = cv2.erode(inside.astype(np.uint8), kernel, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    places = np.flatnonzero(whole)
    if len(places) < _FEWEST * edge:
        return None
    chosen = generator.choice(places, min(len(places), round(_CANDIDATES / (1 - _ROUGHEST))), replace=False)
    rows, columns = np.divmod(chosen, sheet.shape[1])
    views = np.lib.stride_tricks.sliding_window_view(sheet, (edge, edge))
    patches = views[rows, columns]
    patches = patches - patches.mean((1, 2), keepdims=True)
    rough = np.abs(patches).max((1, 2))
    calm = rough <= np.quantile(rough, 1 - _ROUGHEST)
    return np.ascontiguousarray(patches[calm], np.float32)


def _sewn(patches: Floats, edge: int, generator: np.random.Generator) -> Floats:
    """Lay patches row by row on a tile whose edges meet."""
    width = patches.shape[1]
    overlap = round(width * _OVERLAP)
    step = width - overlap
    count = max(2, edge // step)
    tile = np.zeros((count * step, count * step), np.float32)
    laid = np.zeros_like(tile)
    flat = patches.reshape(len(patches), -1)
    power = flat**2
    feather = _feather(width, overlap)
    for row in range(count):
        for column in range(count):
            place = np.ix_((row * step + np.arange(width)) % len(tile), (column * step + np.arange(width)) % len(tile))
            there, below = laid[place], tile[place]
            tried = generator.choice(len(patches), _TRIES, replace=False)
            misfit = power[tried] @ there.ravel() - 2 * flat[tried] @ (there * below).ravel()
            best = patches[tried[misfit.argmin()]]
            tile[place] = below + np.where(there > 0, feather, 1) * (best - below)
            laid[place] = 1
    return tile


def _feather(width: int, overlap: int) -> Floats:
    """Share (width, width) of a patch over what it overlaps: steep in the middle of the overlap, 1 inside."""
    from_edge = np.minimum(np.arange(width), np.arange(width)[::-1]) + 0.5
    ramp = np.clip((from_edge / overlap - 0.5) * 2 + 0.5, 0, 1)
    return np.asarray(np.minimum(ramp[:, None], ramp), np.float32)
