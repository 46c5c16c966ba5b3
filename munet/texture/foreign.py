"""Things in front of a person that the mask took for part of them: a helmet under an arm, a bag, a table's edge.

Such a thing gives itself away on the arms: people wear the same on both. Where one arm, for a hand's length, shows
something else than the other one and than its own upper part, the thing begins; it reaches as far in the photo as its
colours do.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.materials import Materials
from munet.texture.priors import Evidence
from munet.texture.regions import Regions
from munet.texture.visibility import View

Floats = NDArray[np.float32]

# Metres along an arm: a slice, and slices in a row that must differ.
_SLICE = 0.03
_IN_A_ROW = 3
# Weighted vertices without which a slice says nothing.
_ENOUGH = 1.5
# Likenesses of two mixtures of materials: below the first two arms differ, below the second an arm differs from its
# own upper part, above the third mixtures agree.
_DIFFERENT = 0.35
_UNLIKE = 0.5
_ALIKE = 0.6
_LONGEST = 256
# Share of a thing's seeds from which a material is the thing's, and of the person above which it is none.
_COMMON = 0.12
_LARGEST = 0.35


def covered_arms(seen: Evidence, materials: Materials, regions: Regions, rest_vertices: Floats) -> NDArray[np.bool_]:
    """Find the parts of arms that something covers.

    Args:
        seen: colours from the photo.
        materials: of the person.
        regions: parts of the surface.
        rest_vertices: (S, 3) T-pose.

    Returns:
        (S,) bool; true on an arm from where the thing begins to the finger tips.
    """
    reach = np.abs(rest_vertices[:, 0])
    on_arms = (regions.zone == 1) | (regions.zone == 2)
    covered = np.zeros(len(reach), np.bool_)
    if not on_arms.any():
        return covered
    start = float(reach[on_arms].min())
    place = np.clip(((reach - start) / _SLICE).astype(np.int64), 0, None)
    amount = materials.belonging(seen.colour) * seen.weight[:, None]
    sides = rest_vertices[:, 0] > 0, rest_vertices[:, 0] <= 0
    tables = [_table(amount, place, on_arms & side) for side in sides]
    for side, mine, other in zip(sides, tables, tables[::-1], strict=True):
        first = _first_covered(mine, other, materials.kinship)
        if first is not None:
            covered |= side & (on_arms | regions.hands) & (place >= first)
    return covered


def _table(amount: Floats, place: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Floats:
    """Materials (slices, K) along an arm."""
    slices = int(place.max()) + 1
    columns = [np.bincount(place[chosen], column[chosen], slices) for column in amount.T]
    return np.stack(columns, 1).astype(np.float32)


def _first_covered(mine: Floats, other: Floats, kinship: Floats) -> int | None:
    """Slice from which on an arm differs from the other one and from its own upper part, while the other does not."""
    known = (mine.sum(1) > _ENOUGH) & (other.sum(1) > _ENOUGH)
    if known.sum() < 2 * _IN_A_ROW:
        return None
    upper = np.flatnonzero(known)[:_IN_A_ROW]
    to_other, to_own = _likeness(mine, other, kinship), _likeness(mine, mine[upper].sum(0), kinship)
    others_own = _likeness(other, other[upper].sum(0), kinship)
    odd = known & (to_other < _DIFFERENT) & (to_own < _UNLIKE) & (others_own > _ALIKE)
    run = np.convolve(odd, np.ones(_IN_A_ROW), "valid") == _IN_A_ROW
    if not run.any():
        return None
    first = int(run.argmax())
    while first > 0 and to_other[first - 1] < _ALIKE:
        first -= 1
    return first


def _likeness(first: Floats, second: Floats, kinship: Floats) -> Floats:
    """Cosine (N,) between mixtures of materials (N, K) and (N, K) or (K,)."""
    second = np.broadcast_to(second, first.shape)

    def inner(a: Floats, b: Floats) -> Floats:
        return np.asarray(((a @ kinship) * b).sum(1), np.float32)

    norm = np.sqrt(np.maximum(inner(first, first) * inner(second, second), 1e-9))
    return np.asarray(inner(first, second) / norm, np.float32)


def thing_materials(
    seen: Evidence, materials: Materials, covered: NDArray[np.bool_], regions: Regions
) -> NDArray[np.bool_]:
    """Materials (K,) that are common on the covered part of the arms and rarer on the rest of them."""
    amount = materials.belonging(seen.colour) * seen.weight[:, None]
    on_arms = (regions.zone == 1) | (regions.zone == 2)
    here, there = amount[covered].sum(0), amount[on_arms & ~covered].sum(0)
    here, there = here / max(float(here.sum()), 1e-6), there / max(float(there.sum()), 1e-6)
    return np.asarray((here > _COMMON) & (here > 2 * there), np.bool_)


def thing_in_view(
    image: NDArray[np.uint8], mask: Floats, view: View, seeds: Floats, its: NDArray[np.bool_], materials: Materials
) -> NDArray[np.bool_]:
    """Follow a thing's colours from where it covers an arm.

    Args:
        image: (H, W, 3) photo.
        mask: (H, W) of the person.
        view: part of the photo around the person.
        seeds: (M, 2) pixels of the view that show the thing.
        its: (K,) which materials are the thing's, of :func:`thing_materials`.
        materials: of the person.

    Returns:
        (h, w) bool of the view's size, true on the thing; nothing when it has no colours of its own.
    """
    height, width = view.trust.shape
    scale = min(1.0, _LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    warp = np.array([[1, 0, view.left], [0, 1, view.top]]) * [[1 / (view.scale * scale)] * 2 + [1]] * 2
    small, inside = (
        np.asarray(cv2.warpAffine(part, warp, size, flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP), np.float32)
        for part in (image, mask)
    )
    belonging = materials.belonging(small.reshape(-1, 3))
    like = (belonging[:, its].sum(1) > 0.5).reshape(size[1], size[0]) & (inside > 0.5)
    _, piece = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    column, row = np.clip((seeds * scale).astype(np.int64), 0, np.array(size) - 1).T
    started = np.unique(piece[row, column])
    found = np.isin(piece, started[started > 0]).astype(np.uint8)
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    thing = np.asarray(cv2.dilate(closed, np.ones((9, 9), np.uint8)))
    if thing.sum() > _LARGEST * (inside > 0.5).sum():
        return np.zeros((height, width), np.bool_)
    return np.asarray(cv2.resize(thing, (width, height), interpolation=cv2.INTER_NEAREST)) > 0
