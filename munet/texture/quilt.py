"""Hair made alike: patches of seen curls that fit each other, or the spectrum of seen straight hair.

Curls are quilted (after Efros and Freeman, SIGGRAPH 2001; patches are blended so that contrast is kept instead of
cut). Straight hair, which would look like plaits when patches repeat, gets the mean spectrum of its patches with random
phases (Galerne, Gousseau and Morel, IEEE TIP 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float32]

# Cells: rows and columns of a patch, the first of which enough are seen, and by how much patches overlap.
_PATCHES = ((54, 30), (40, 30), (30, 26), (24, 22))
_OVERLAP = 10
# Places of patches without which there is nothing to make hair of; tries for each patch, of which every so many cells
# are compared, and by how much a patch counts as worse where it was used before.
_FEWEST = 60
_TRIES = 32
_SPARSE = 3
_TIRED = 0.5
# Degrees by which seen hair is turned to run down, how near to that it must run, cells over which that is judged, and
# coherence of strands above which they have a direction.
_TURNS = (-60, -30, 0, 30, 60)
_ASTRAY = 17.0
_ALIKE = 10.0
_COHERENT = 0.3
# Coherence from which hair is straight, cells above whose width its waves are shape, and patches for its spectrum.
_STRAIGHT_FROM = 0.4
_STRAIGHT = 5.0
_SAMPLES = 12


@dataclass(frozen=True)
class Library:
    """Combed hair to cut patches from.

    Attributes:
        hair: (H, W, 3).
        starts: (M, 2) int64 upper left cells of patches.
        shape: rows and columns of a patch.
        straight: whether the hair is.
    """

    hair: Floats
    starts: NDArray[np.int64]
    shape: tuple[int, int]
    straight: bool


def comb(detail: Floats, known: NDArray[np.bool_]) -> Library | None:
    """Turn seen hair so that its strands run down; curls, which have no direction, are left as they are.

    Args:
        detail: (h, w, 3) of the seen hair.
        known: (h, w) where it is seen.

    Returns:
        The library, or None where too little is seen.
    """
    if not known.any():
        return None
    box = tuple(
        slice(int(np.nonzero(known.any(1 - axis))[0][0]), int(np.nonzero(known.any(1 - axis))[0][-1]) + 1)
        for axis in (0, 1)
    )
    hair, inside = detail[box], known[box]
    angle, coherence = _directions(hair.mean(2), inside)
    straight = float(np.median(coherence[inside])) > _STRAIGHT_FROM
    if straight:
        hair = without_coarse(hair, inside, _STRAIGHT)
    edge = int(np.ceil(np.hypot(*inside.shape)))
    copies, usable = [], []
    for turn in _TURNS:
        leans = (np.abs(angle - turn) < _ASTRAY) & (coherence > _COHERENT)
        chosen = np.asarray(leans | ((coherence <= _COHERENT) & (turn == 0)), np.bool_)
        spin = cv2.getRotationMatrix2D((inside.shape[1] / 2, inside.shape[0] / 2), turn, 1.0)
        spin[:, 2] = spin[:, 2] + (edge - np.array(inside.shape[::-1])) / 2
        copies.append(cv2.warpAffine(hair, spin, (edge, edge)))
        good = (inside & (cv2.blur(chosen.astype(np.float32), (9, 9)) > 0.5)).astype(np.float32)
        usable.append(cv2.warpAffine(good, spin, (edge, edge)))
    # Hair mirrored is hair.
    shelf, free = (np.concatenate([np.concatenate(part), np.concatenate(part)[:, ::-1]]) for part in (copies, usable))
    for shape in _PATCHES:
        share = np.asarray(cv2.boxFilter(free, -1, shape[::-1], anchor=(0, 0), borderType=cv2.BORDER_CONSTANT))
        starts = np.argwhere(share[: 1 - shape[0], : 1 - shape[1]] > 0.96)
        if len(starts) >= _FEWEST:
            return Library(np.asarray(shelf, np.float32), starts, shape, straight)
    return None


def _directions(luma: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Degrees (h, w) by which strands lean from running down, counter-clockwise, and how much they agree in it."""
    soft = cv2.GaussianBlur(luma, (0, 0), 1.0)
    x, y = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *order), np.float32) for order in ((1, 0), (0, 1)))
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    xx, yy, xy = (
        np.asarray(cv2.GaussianBlur(each * core, (0, 0), _ALIKE), np.float32) for each in (x * x, y * y, x * y)
    )
    coherence = np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-9)
    # The gradient is across the strands.
    return np.degrees(np.arctan2(2 * xy, xx - yy)) / 2, coherence


def make_alike(detail: Floats, known: NDArray[np.bool_], library: Library, random: np.random.Generator) -> Floats:
    """Hair (h, w, 3) like that of the library everywhere on a sheet, around what is ``known`` (h, w) of it."""
    return _brushed(known.shape, library, random) if library.straight else _quilted(detail, known, library, random)


def _quilted(detail: Floats, known: NDArray[np.bool_], library: Library, random: np.random.Generator) -> Floats:
    """Sheet (h, w, 3) of the library's patches, each fitting what is known and made before it."""
    size, shape, luma = known.shape, library.shape, library.hair.mean(2)
    window = _window(shape[0])[:, None, None] * _window(shape[1])[:, None]
    total, power = np.zeros_like(detail), np.zeros((*size, 1), np.float32)
    total[known], power[known] = detail[known], 1
    used = np.zeros(len(library.starts), np.float32)
    for top, left in _corners(size, shape, random):
        place = np.ix_((top + np.arange(shape[0])) % size[0], (left + np.arange(shape[1])) % size[1])
        there = known[place]
        if there.all():
            continue
        chosen = random.integers(0, len(library.starts), _TRIES)
        tries = library.starts[chosen]
        row, column = (axis[::_SPARSE] for axis in np.nonzero(power[place][..., 0] > 0))
        made = (total[place] / np.sqrt(np.maximum(power[place], 1e-6))).mean(2)[row, column]
        misfit = ((luma[tries[:, :1] + row, tries[:, 1:] + column] - made) ** 2).sum(1)
        best = int((misfit * (1 + used[chosen]) + used[chosen] * 1e-3).argmin())
        start = tries[best]
        # The same curl twice would be seen.
        used[np.abs(library.starts - start).max(1) < _OVERLAP] += _TIRED
        share = np.where(there[..., None], 0, window)
        total[place] += share * library.hair[start[0] : start[0] + shape[0], start[1] : start[1] + shape[1]]
        power[place] += share**2
    return np.asarray(total / np.sqrt(np.maximum(power, 1e-6)), np.float32)


def _brushed(size: tuple[int, ...], library: Library, random: np.random.Generator) -> Floats:
    """Sheet (h, w, 3) of straight hair: the spectrum of the library's patches with random phases, never the same."""
    rows, columns = library.shape
    noise = fft.rfft2(random.standard_normal(size, np.float32))
    taper = (_window(rows)[:, None] * _window(columns))[..., None]
    chosen = library.starts[random.integers(0, len(library.starts), _SAMPLES)]
    patches = [library.hair[top : top + rows, left : left + columns] for top, left in chosen]
    spread = np.std(np.concatenate(patches), axis=(0, 1))
    # Channels share their phases, so that colours stay together.
    power = np.mean([np.abs(fft.rfft2(patch * taper, size, axes=(0, 1))) ** 2 for patch in patches], axis=0)
    made = fft.irfft2(np.sqrt(power) * noise[..., None], size, axes=(0, 1))
    return np.asarray(made * (spread / np.maximum(made.std((0, 1)), 1e-6)), np.float32)


def _window(length: int) -> Floats:
    ramp = np.clip((np.arange(length) + 0.5) / _OVERLAP, 0, 1)
    return np.minimum(ramp, ramp[::-1]).astype(np.float32)


def _corners(size: tuple[int, int], shape: tuple[int, int], random: np.random.Generator) -> list[tuple[int, int]]:
    """Upper left cells of overlapping patches that cover a sheet, in no rows or columns that could be seen."""
    tops, lefts = (
        np.linspace(0, edge, -(-edge // (patch - _OVERLAP)), endpoint=False).astype(int)
        for edge, patch in zip(size, shape, strict=True)
    )
    drop = [int(down) for down in random.integers(0, shape[0], len(lefts))]
    return [(int(top) + down, int(left)) for top in tops for left, down in zip(lefts, drop, strict=True)]


def without_coarse(picture: Floats, known: NDArray[np.bool_], width: float) -> Floats:
    """A picture (h, w, 3) less its mean over the known cells within ``width``."""
    weighted = np.concatenate([picture, np.ones_like(picture[..., :1])], -1).astype(np.float32) * known[..., None]
    rows, columns = known.shape
    small = cv2.resize(weighted, (max(columns // 2, 1), max(rows // 2, 1)), interpolation=cv2.INTER_AREA)
    coarse = np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), width / 2), (columns, rows)), np.float32)
    return np.asarray((picture - coarse[..., :3] / some(coarse)) * known[..., None], np.float32)


def some(values: Floats) -> Floats:
    """The last channel (h, w, 1) of a picture, never quite zero."""
    return np.maximum(values[..., 3:], np.float32(1e-4))
