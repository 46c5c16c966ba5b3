"""Texture coordinates for a body without them, from the default body's atlas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from munet.body.closest import closest_on_surface, closest_on_triangles

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CANDIDATES, MORE_CANDIDATES = 24, 600
METRES_PER_ATLAS = 0.2
STRETCH = 2.0
"""A corner so many times farther from its face's centre in the atlas than on the surface is across a seam."""
CHUNK = 2000


@dataclass(frozen=True)
class _Source:
    """The mesh with the atlas."""

    vertices: Array
    faces: Index
    uv: Array

    def scale(self, face: Index) -> Array:
        """Atlas units per metre (N,) of faces (N,), at least that of the mean face."""
        edges = np.diff(self.vertices[self.faces[face]], axis=1)
        area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
        flat = np.diff(self.uv[face], axis=1)
        share: Array = np.abs(flat[:, 0, 0] * flat[:, 1, 1] - flat[:, 0, 1] * flat[:, 1, 0])
        scale: Array = np.sqrt(share / np.maximum(area, 1e-12))
        return scale.clip(scale.mean())


def transfer_atlas(vertices: Array, faces: Index, uv: Array, targets: Array, target_faces: Index) -> Array:
    """Texture coordinates (G, 3, 2) for another mesh that lies near a mesh with an atlas.

    Each face of the other mesh takes the place in the atlas below its centre; its corners take the coordinates of the
    closest faces, where faces far from that place in the atlas count as far away. A corner beyond a seam ends at the
    seam, so that no face straddles one.

    Args:
        vertices: (V, 3) of the mesh with the atlas.
        faces: (F, 3).
        uv: (F, 3, 2).
        targets: (W, 3) vertices of the other mesh, brought onto the first one.
        target_faces: (G, 3).
    """
    source = _Source(vertices, faces, uv)
    corners = targets[target_faces]
    centres = corners.mean(1)
    below, bary = closest_on_surface(centres, vertices, faces)
    place = np.repeat(np.einsum("pk,pkd->pd", bary, uv[below]), 3, 0)
    points = corners.reshape(-1, 3)
    tree = cKDTree(vertices[faces].mean(1))
    found = _near_place(source, tree, points, place, CANDIDATES)
    away = np.linalg.norm(points - np.repeat(centres, 3, 0), axis=1) * np.repeat(source.scale(below), 3)
    across = np.flatnonzero(np.linalg.norm(found - place, axis=1) > STRETCH * away)
    found[across] = _near_place(source, tree, points[across], place[across], MORE_CANDIDATES)
    return found.reshape(-1, 3, 2)


def _near_place(source: _Source, tree: cKDTree, points: Array, place: Array, candidates: int) -> Array:
    """Coordinates (P, 2) of the surface near points (P, 3) and near places (P, 2) in the atlas."""
    result = np.empty((len(points), 2))
    for start in range(0, len(points), CHUNK):
        part = slice(start, start + CHUNK)
        _, near = tree.query(points[part], k=min(candidates, len(source.faces)))
        corners = source.vertices[source.faces[near]]
        weights = closest_on_triangles(points[part, None], corners)
        distance = np.linalg.norm(np.einsum("pck,pckd->pcd", weights, corners) - points[part, None], axis=-1)
        found = np.einsum("pck,pckd->pcd", weights, source.uv[near])
        cost = distance + METRES_PER_ATLAS * np.linalg.norm(found - place[part, None], axis=-1)
        result[part] = found[np.arange(len(found)), cost.argmin(1)]
    return result
