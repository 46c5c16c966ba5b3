"""For each vertex of a surface the vertices of the body next to it: exact where there are few, quick where many.

A surface much denser than the body asks a tree only for some of its vertices; the others begin at the answer of their
neighbours and walk over the body's edges for as long as that brings them nearer. No scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from mathutils.kdtree import KDTree

from ..importer.frames import Floats

_COUNT = 4
DENSE = 2
_SEEDS = 12
_NOWHERE = 1e9
_BLOCK = 4096
"""Points treated at a time: what is gathered for them stays in the processor's cache."""


@dataclass(frozen=True)
class Near:
    """The four nearest of V vertices for each of S points.

    Attributes:
        index: (S, 4) the vertices, nearest first.
        share: (S, 4) their shares by the inverse square of the distance, sum 1.
    """

    index: np.ndarray
    share: Floats

    def blend(self, values: np.ndarray) -> np.ndarray:
        """Return values (V, C) of the vertices at the points (S, C), with the precision of ``values``."""
        blended = np.empty((len(self.index), values.shape[1]), dtype=values.dtype)
        share = self.share.astype(values.dtype)
        for rows in _blocks(len(blended)):
            np.einsum("sk,skc->sc", share[rows], values.take(self.index[rows], axis=0), out=blended[rows])
        return blended

    def gather(self, values: Floats, count: int) -> Floats:
        """Return the mean (count, C) of values (S, C) over the points next to each vertex, NaN where there is none."""
        points = np.bincount(self.index[:, 0], minlength=count).astype(np.float64)
        sums = np.stack([np.bincount(self.index[:, 0], axis, count) for axis in values.T], axis=1)
        return sums / np.where(points > 0, points, np.nan)[:, None]


def near_vertices(points: Floats, point_faces: np.ndarray, vertices: Floats, faces: np.ndarray) -> Near:
    """Find the ``vertices`` (V, 3) of a mesh near the vertices ``points`` (S, 3) of another one."""
    tree = KDTree(len(vertices))
    for number, vertex in enumerate(vertices.tolist()):
        tree.insert(vertex, number)
    tree.balance()
    if len(points) <= DENSE * len(vertices):
        found = [tree.find_n(point, _COUNT) for point in points.tolist()]
        index = np.array([[near[1] for near in row] for row in found])
        return _shared(index, np.array([[near[2] for near in row] for row in found]))
    guess = _first_guess(points, point_faces, tree)
    ring, middle = _rings(faces, len(vertices)), vertices.mean(axis=0)
    nowhere = np.full((1, 3), _NOWHERE)
    centred = (points - middle).astype(np.float32)
    axes = np.ascontiguousarray(np.concatenate([vertices - middle, nowhere]).astype(np.float32).T)
    parts = [_nearest(centred[rows], axes, ring, guess[rows]) for rows in _blocks(len(points))]
    return _shared(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _shared(index: np.ndarray, distance: Floats) -> Near:
    share = 1.0 / (distance.astype(np.float64) + 1e-4) ** 2
    return Near(index, share / share.sum(axis=1, keepdims=True))


def neighbours(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of triangles (F, 3) among ``count`` vertices in both directions, ordered: from (E,) and to (E,).

    NumPy's own ``unique`` is many times slower in the version that Blender 5.2 has.
    """
    first, second = faces.astype(np.int64), np.roll(faces, -1, axis=1).astype(np.int64)
    keys = np.sort(np.concatenate([first * count + second, second * count + first], axis=None))
    start, end = np.divmod(keys[np.append(True, keys[1:] != keys[:-1])], count)
    return start, end


def _rings(faces: np.ndarray, count: int) -> np.ndarray:
    """Return each vertex followed by its neighbours (V, K) and then ``count``, which is no vertex."""
    start, end = neighbours(faces, count)
    rank = np.arange(len(start)) - np.searchsorted(start, start)
    ring = np.full((count, max(int(rank.max()) + 2, _COUNT)), count, dtype=np.int32)
    ring[:, 0] = np.arange(count)
    ring[start, rank + 1] = end
    return ring


def _first_guess(points: Floats, faces: np.ndarray, tree: KDTree) -> np.ndarray:
    """Return the nearest vertex of some points, and for the others that of a point not far from them."""
    guess = np.full(len(points), -1, dtype=np.int64)
    guess[::_SEEDS] = [tree.find(point)[1] for point in points[::_SEEDS].tolist()]
    corners = np.ascontiguousarray(faces.T)
    while corners.size:
        known = guess.take(corners)
        best = np.maximum(np.maximum(known[0], known[1]), known[2])
        if best.max() < 0:
            break
        for corner, answer in zip(corners, known, strict=True):
            fresh = (answer < 0) & (best >= 0)
            guess[corner[fresh]] = best[fresh]
        corners = corners[:, best < 0]
    alone = np.flatnonzero(guess < 0)
    guess[alone] = [tree.find(point)[1] for point in points[alone].tolist()]
    return guess


def _nearest(
    points: np.ndarray, axes: np.ndarray, ring: np.ndarray, guess: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return four near vertices (S, 4), nearest first, and their distances, walking there from ``guess`` (S,).

    ``axes`` (3, V + 1) are x, y and z of the vertices and of a place too far away to be chosen.
    """
    candidates = ring.take(guess, axis=0)
    squared = _squared(points, axes, candidates)
    best = squared.argmin(axis=1)
    active = np.flatnonzero(best)
    while len(active):
        around = ring.take(candidates[active, best[active]], axis=0)
        candidates[active], squared[active] = around, _squared(points[active], axes, around)
        best[active] = squared[active].argmin(axis=1)
        active = active[best[active] > 0]
    order = np.argsort(squared, axis=1)[:, :_COUNT]
    index = np.minimum(np.take_along_axis(candidates, order, 1), axes.shape[1] - 2)
    return index, np.sqrt(np.take_along_axis(squared, order, 1))


def _squared(points: np.ndarray, axes: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return the squared distances (S, K) of points (S, 3) from their candidates (S, K) among the vertices."""
    result = np.zeros(candidates.shape, dtype=np.float32)
    for axis, place in zip(axes, points.T, strict=True):
        way = axis.take(candidates)
        way -= place[:, None]
        way *= way
        result += way
    return result
