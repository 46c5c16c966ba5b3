"""Exact distances from points to a triangle surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from munet.body.closest import closest_on_triangles
from munet.errors import InvalidInputError
from munet.evaluation.alignment import AnyArray, Array, check_points

Index = NDArray[np.int64]

_FIRST_TRIES = 8
_PAIRS_AT_ONCE = 400_000


def check_faces(faces: NDArray[np.integer], vertex_count: int, name: str) -> Index:
    """Return faces (F, 3) as int64.

    Raises:
        InvalidInputError: the shape is another one, there are none, or an index does not exist.
    """
    indices = np.asarray(faces)
    good = indices.ndim == 2 and indices.shape[1] == 3 and len(indices) and indices.dtype.kind in "iu"
    if not good or indices.min() < 0 or indices.max() >= vertex_count:
        raise InvalidInputError(
            f"The faces of {name} can not be used.",
            detail=f"expected integers (F, 3) below {vertex_count}, found {indices.dtype} {indices.shape}",
        )
    return indices.astype(np.int64)


class Surface:
    """A triangle surface that answers how far points are from it.

    A face can be the closest only if its centre is nearer than the distance already reached plus the face's own
    reach. Faces are sorted into bins of similar reach, each with its own tree, so that a few large faces do not widen
    the search among the small ones. The answer is exact for every mesh.

    Args:
        vertices: (V, 3).
        faces: (F, 3).

    Raises:
        InvalidInputError: shapes or indices are wrong, or numbers are not finite.
    """

    def __init__(self, vertices: AnyArray, faces: NDArray[np.integer]) -> None:
        points = check_points(vertices, "surface")
        self.corners = points[check_faces(faces, len(points), "surface")]
        centers = self.corners.mean(1)
        reach = np.linalg.norm(self.corners - centers[:, None], axis=-1).max(1)
        self._centers, self._reach = centers, reach
        self._tree = cKDTree(centers)
        size_class = np.floor(np.log2(np.maximum(reach, 1e-12))).astype(int)
        self._bins = [
            (members, cKDTree(centers[members]), float(reach[members].max()))
            for members in (np.flatnonzero(size_class == size) for size in np.unique(size_class))
        ]

    def closest(self, points: AnyArray) -> tuple[Array, Index]:
        """Distance (P,) of each point (P, 3) to the surface, and its closest face (P,).

        Raises:
            InvalidInputError: the points have the wrong shape or are not finite.
        """
        queries = check_points(points, "points")
        count = min(_FIRST_TRIES, len(self.corners))
        near = self._tree.query(queries, k=count)[1].reshape(len(queries), count)
        rows = np.repeat(np.arange(len(queries)), count)
        distance, face = np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
        self._improve(queries, rows, near.ravel(), distance, face)
        for members, tree, reach in self._bins:
            radius = (distance + reach) * (1 + 1e-9)
            found = tree.query_ball_point(queries, radius)
            sizes = np.array([len(item) for item in found])
            candidates = members[np.concatenate([np.asarray(item, np.int64) for item in found])]
            rows = np.repeat(np.arange(len(queries)), sizes)
            nearest = np.linalg.norm(queries[rows] - self._centers[candidates], axis=1) - self._reach[candidates]
            hopeful = nearest < distance[rows]
            self._improve(queries, rows[hopeful], candidates[hopeful], distance, face)
        return distance, face

    def _improve(self, queries: Array, rows: Index, candidates: Index, distance: Array, face: Index) -> None:
        """Lower ``distance`` and ``face`` in place wherever a candidate face is closer."""
        for start in range(0, len(rows), _PAIRS_AT_ONCE):
            row, candidate = rows[start : start + _PAIRS_AT_ONCE], candidates[start : start + _PAIRS_AT_ONCE]
            corners = self.corners[candidate]
            reached = np.einsum("nk,nkd->nd", closest_on_triangles(queries[row], corners), corners)
            length = np.linalg.norm(reached - queries[row], axis=1)
            order = np.lexsort((length, row))
            first = order[np.unique(row[order], return_index=True)[1]]
            better = first[length[first] < distance[row[first]]]
            distance[row[better]], face[row[better]] = length[better], candidate[better]


def point_distances(points: AnyArray, targets: AnyArray) -> Array:
    """Distance (P,) of each point (P, 3) to the nearest of the target points (T, 3)."""
    distance: Array = cKDTree(check_points(targets, "targets")).query(check_points(points, "points"))[0]
    return distance
