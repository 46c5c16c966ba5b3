"""As-rigid-as-possible relaxation of a posed surface.

Sorkine and Alexa, "As-Rigid-As-Possible Surface Modeling", SGP 2007, with the smooth rotations of Levi and Gotsman,
"Smooth Rotation Enhanced As-Rigid-As-Possible Mesh Animation", TVCG 2015, soft anchors on the skinned surface where
the skinning is trustworthy, and struts through the body that keep its thickness.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def surface_edges(faces: Index) -> Index:
    """Undirected edges (E, 2) of triangles."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, 1), axis=0)


def struts(vertices: Array, normals: Array, *, reach: float = 0.16) -> Index:
    """Pairs (K, 2) of vertices on opposite sides of the body: the nearest vertex straight through the flesh.

    For every vertex the ray along the inner normal is followed in steps; the pair is the vertex nearest to the ray
    whose normal points the other way.
    """
    tree = cKDTree(vertices)
    found = np.full(len(vertices), -1)
    for depth in np.arange(0.015, reach, 0.01):
        distance, near = tree.query(vertices - normals * depth)
        hit = (found < 0) & (distance < 0.012) & ((normals[near] * normals).sum(1) < -0.5)
        found[hit] = near[hit]
    rows = np.nonzero(found >= 0)[0]
    return np.unique(np.sort(np.stack([rows, found[rows]], 1), 1), axis=0)


class Elastic:
    """A rest surface, prefactored for relaxation with fixed anchor weights."""

    def __init__(self, rest: Array, edges: Index, edge_weights: Array, anchors: Array, smoothness: float) -> None:
        count = len(rest)
        self.i = np.concatenate([edges[:, 0], edges[:, 1]])
        self.j = np.concatenate([edges[:, 1], edges[:, 0]])
        self.w = np.concatenate([edge_weights, edge_weights])
        self.rest_edge = rest[self.i] - rest[self.j]
        self.scatter = csr_matrix((np.ones(len(self.i)), (self.i, np.arange(len(self.i)))), (count, len(self.i)))
        laplacian = diags(self.scatter @ self.w) - csr_matrix((self.w, (self.i, self.j)), (count, count))
        self.anchors = anchors
        squared = self.w * (self.rest_edge**2).sum(1)
        self.size = self.scatter @ squared
        self.stiff = csr_matrix((self.w, (self.i, self.j)), (count, count))
        self.stiff = smoothness * diags(self.size / (self.scatter @ self.w)) @ self.stiff
        self.solver = splu((laplacian + diags(anchors)).tocsc())

    def rotations(self, points: Array, previous: Array) -> Array:
        """Best rotations (V, 3, 3) of the one-rings from rest to ``points``, drawn to their neighbours' rotations."""
        outer = self.w[:, None, None] * self.rest_edge[:, :, None] * (points[self.i] - points[self.j])[:, None, :]
        covariance = (self.scatter @ outer.reshape(-1, 9)).reshape(-1, 3, 3)
        covariance += np.swapaxes((self.stiff @ previous.reshape(-1, 9)).reshape(-1, 3, 3), 1, 2)
        return nearest_rotations(np.swapaxes(covariance, 1, 2))

    def relax(self, start: Array, turns: Array, steps: int, project: Callable[[Array], Array] | None = None) -> Array:
        """Relax a posed surface (V, 3) from first rotations (V, 3, 3); ``project`` moves vertices that touch."""
        points = start
        for _ in range(steps):
            turned = np.einsum("eab,eb->ea", 0.5 * (turns[self.i] + turns[self.j]), self.rest_edge)
            pull = self.scatter @ (self.w[:, None] * turned)
            points = self.solver.solve(pull + self.anchors[:, None] * start)
            if project is not None:
                points = project(points)
            turns = self.rotations(points, turns)
        return points


def nearest_rotations(matrices: Array) -> Array:
    """Rotations (N, 3, 3) nearest to matrices (N, 3, 3)."""
    u, _, vt = np.linalg.svd(matrices)
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return u @ vt
