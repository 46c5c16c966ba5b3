"""Topology of the source mesh: parts, mirror map, triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Index = NDArray[np.int64]

EYE_ISLANDS_AT = (0.775, 0.875)
EYE_ISLANDS_GROW = 3.4


def triangles(quads: Index) -> Index:
    """Triangles (2Q, 3): quad q gives faces 2q and 2q + 1."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)


def find_parts(quads: Index, template: Array) -> NDArray[np.int8]:
    """0 for the skin, 1 for the left eye, 2 for the right eye."""
    count = len(template)
    pairs = np.concatenate([np.stack([quads[:, i], quads[:, (i + 1) % 4]], 1) for i in range(4)])
    matrix = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    components, label = connected_components(matrix, directed=False)
    if components != 3:
        raise ValueError(f"expected a skin and two eyes, found {components} parts")
    skin = np.bincount(label).argmax()
    return np.where(label == skin, 0, np.where(template[:, 0] > 0, 1, 2)).astype(np.int8)


def mirror_map(template: Array) -> Index:
    """The vertex on the other side of the body for each vertex: an involution."""
    flipped = template * [-1, 1, 1]
    distance, partner = cKDTree(template).query(flipped)
    if not np.array_equal(partner[partner], np.arange(len(template))):
        raise ValueError(f"the mesh is not symmetric, largest mirror distance {distance.max():.4f} m")
    return partner.astype(np.int64)


def symmetrised(points: Array, partner: Index) -> Array:
    """Average points (..., V, 3) with their mirror images."""
    return (points + points[..., partner, :] * [-1, 1, 1]) / 2


def symmetrised_dirs(dirs: Array, partner: Index) -> Array:
    """Average directions (V, 3, K) with their mirror images."""
    return np.moveaxis(symmetrised(np.moveaxis(dirs, -1, 0), partner), 0, -1)


def smoothing_matrix(quads: Index, count: int) -> csr_matrix:
    """Row-stochastic average over the edge neighbours of each vertex."""
    i = np.concatenate([quads[:, k] for k in range(4)] + [quads[:, (k + 1) % 4] for k in range(4)])
    j = np.concatenate([quads[:, (k + 1) % 4] for k in range(4)] + [quads[:, k] for k in range(4)])
    adjacency = coo_matrix((np.ones(len(i)), (i, j)), (count, count)).tocsr()
    adjacency.data[:] = 1
    degree = np.asarray(adjacency.sum(1)).ravel()
    return csr_matrix(adjacency.multiply(1 / degree[:, None]))


def enlarge_eye_islands(uv: Array, quads_uv: Index, quads: Index, parts: NDArray[np.int8]) -> Array:
    """Give the eyes more room in the atlas: their four islands grow into the empty upper right corner."""
    eyes = np.unique(quads_uv[parts[quads[:, 0]] > 0])
    low = uv[eyes].min(0)
    result = uv.copy()
    result[eyes] = np.array(EYE_ISLANDS_AT) + (uv[eyes] - low) * EYE_ISLANDS_GROW
    return result
