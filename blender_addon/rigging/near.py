"""For each vertex of a surface the vertices of the body next to it: exact where there are few, quick where many.

A surface much denser than the body asks a tree only for some of its vertices; the others begin at the answer of their
neighbours and walk over the body's edges for as long as that brings them nearer. No scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mathutils.kdtree import KDTree

from ..importer.frames import Floats

_COUNT = 4
DENSE = 2
_SEEDS = 8


@dataclass(frozen=True)
class Near:
    """The four nearest of V vertices for each of S points.

    Attributes:
        index: (S, 4) the vertices, nearest first.
        share: (S, 4) their shares by the inverse square of the distance, sum 1.
    """

    index: np.ndarray
    share: Floats

    def blend(self, values: Floats) -> Floats:
        """Return values (V, C) of the vertices at the points (S, C)."""
        blended = values[self.index[:, 0]] * self.share[:, :1]
        for column in range(1, self.index.shape[1]):
            blended += values[self.index[:, column]] * self.share[:, column : column + 1]
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
    ring = _rings(faces, len(vertices))
    nearest = _walk(points, vertices, ring, _first_guess(points, point_faces, tree))
    candidates = ring[nearest]
    squared = ((vertices[candidates] - points[:, None]) ** 2).sum(axis=2)
    squared[:, 1:][candidates[:, 1:] == candidates[:, :1]] = np.inf
    order = np.argpartition(squared, _COUNT - 1, axis=1)[:, :_COUNT]
    order = np.take_along_axis(order, np.argsort(np.take_along_axis(squared, order, 1), axis=1), 1)
    return _shared(np.take_along_axis(candidates, order, 1), np.sqrt(np.take_along_axis(squared, order, 1)))


def _shared(index: np.ndarray, distance: Floats) -> Near:
    share = 1.0 / (distance + 1e-4) ** 2
    return Near(index, share / share.sum(axis=1, keepdims=True))


def _both_ways(faces: np.ndarray) -> np.ndarray:
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.concatenate([pairs, pairs[:, ::-1]])


def _rings(faces: np.ndarray, count: int) -> np.ndarray:
    """Return each vertex followed by its neighbours and then itself again (V, K)."""
    pairs = _both_ways(faces.astype(np.int64))
    start, end = np.divmod(np.unique(pairs[:, 0] * count + pairs[:, 1]), count)
    rank = np.arange(len(start)) - np.searchsorted(start, start)
    ring = np.tile(np.arange(count)[:, None], (1, max(int(rank.max()) + 2, _COUNT)))
    ring[start, rank + 1] = end
    return ring


def _first_guess(points: Floats, faces: np.ndarray, tree: KDTree) -> np.ndarray:
    guess = np.full(len(points), -1, dtype=np.int64)
    guess[::_SEEDS] = [tree.find(point)[1] for point in points[::_SEEDS].tolist()]
    pairs = _both_ways(faces)
    while True:
        fresh = (guess[pairs[:, 0]] < 0) & (guess[pairs[:, 1]] >= 0)
        if not fresh.any():
            break
        guess[pairs[fresh, 0]] = guess[pairs[fresh, 1]]
    alone = np.flatnonzero(guess < 0)
    guess[alone] = [tree.find(point)[1] for point in points[alone].tolist()]
    return guess


def _walk(points: Floats, vertices: Floats, ring: np.ndarray, guess: np.ndarray) -> np.ndarray:
    active = np.arange(len(points))
    while len(active):
        candidates = ring[guess[active]]
        squared = ((vertices[candidates] - points[active][:, None]) ** 2).sum(axis=2)
        best = squared.argmin(axis=1)
        guess[active] = candidates[np.arange(len(active)), best]
        active = active[best > 0]
    return guess
