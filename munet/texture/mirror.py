"""The point of a person that lies opposite each vertex, left for right."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from munet.render import vertex_normals

Floats = NDArray[np.float32]

# Metres that a unit of difference between normals counts for: keeps the inner arm from matching the ribs.
_NORMAL_METRES = 0.05


def mirrored_vertices(rest_vertices: Floats, faces: NDArray[np.int32]) -> NDArray[np.int64]:
    """Find for each vertex the one nearest to its mirror image.

    Args:
        rest_vertices: (S, 3) T-pose, body frame; the person is symmetric about x = 0.
        faces: (G, 3).

    Returns:
        (S,) indices.
    """
    normals = vertex_normals(torch.from_numpy(rest_vertices), torch.from_numpy(faces.astype(np.int64))).numpy()
    places = np.concatenate([rest_vertices, normals * _NORMAL_METRES], 1)
    flip = np.array([-1, 1, 1, -1, 1, 1], np.float32)
    found = cKDTree(places).query(places * flip)[1]
    return np.asarray(found, np.int64)
