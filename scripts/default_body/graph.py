"""The coarse, closed level for graph networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from default_body.decimate import decimate
from munet.body.closest import closest_on_surface

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class CoarseLevel:
    """A decimated skin and the maps to and from the full body.

    Attributes:
        faces: (G, 3).
        down: vertex indices (N, 3) of the full body and weights (N, 3).
        up: coarse indices (V, 3) and weights (V, 3) of every vertex of the full body.
    """

    faces: Index
    down: tuple[Index, Array]
    up: tuple[Index, Array]


def make_coarse_level(vertices: Array, faces: Index, skin: NDArray[np.bool_], count: int) -> CoarseLevel:
    """Decimate the skin of the mean body to ``count`` vertices; the eyes take part in ``up`` only."""
    kept = np.nonzero(skin)[0]
    renumber = np.full(len(vertices), -1)
    renumber[kept] = np.arange(len(kept))
    skin_faces = renumber[faces[skin[faces].all(1)]]
    coarse, coarse_faces = decimate(vertices[kept], skin_faces, count)
    index, weights = _barycentric_map(coarse, vertices[kept], skin_faces)
    up = _barycentric_map(vertices, coarse, coarse_faces)
    return CoarseLevel(coarse_faces, (kept[index], weights), up)


def _barycentric_map(points: Array, vertices: Array, faces: Index) -> tuple[Index, Array]:
    face, weights = closest_on_surface(points, vertices, faces)
    return faces[face], weights
