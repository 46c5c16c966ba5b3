"""Texture coordinates for a body without them, from the default body's atlas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from munet.body.closest import closest_on_surface, closest_on_triangles

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CANDIDATES = 24
METRES_PER_ATLAS = 0.2


def transfer_atlas(vertices: Array, faces: Index, uv: Array, targets: Array, target_faces: Index) -> Array:
    """Texture coordinates (G, 3, 2) for another mesh that lies near a mesh with an atlas.

    Each face of the other mesh takes the place in the atlas below its centre; its corners take the coordinates of the
    closest faces, where faces far from that place in the atlas count as far away. So no face straddles a seam.

    Args:
        vertices: (V, 3) of the mesh with the atlas.
        faces: (F, 3).
        uv: (F, 3, 2).
        targets: (W, 3) vertices of the other mesh, brought onto the first one.
        target_faces: (G, 3).
    """
    centres = targets[target_faces].mean(1)
    below, bary = closest_on_surface(centres, vertices, faces)
    place = np.repeat(np.einsum("pk,pkd->pd", bary, uv[below]), 3, 0)
    _, near = cKDTree(vertices[faces].mean(1)).query(targets, k=min(CANDIDATES, len(faces)))
    weights = closest_on_triangles(targets[:, None], vertices[faces[near]])
    reached = np.einsum("pck,pckd->pcd", weights, vertices[faces[near]])
    distance = np.linalg.norm(reached - targets[:, None], axis=-1)
    corner = target_faces.reshape(-1)
    found = np.einsum("pck,pckd->pcd", weights, uv[near])[corner]
    cost = distance[corner] + METRES_PER_ATLAS * np.linalg.norm(found - place[:, None], axis=-1)
    chosen: Array = found[np.arange(len(corner)), cost.argmin(1)].reshape(-1, 3, 2)
    return chosen
