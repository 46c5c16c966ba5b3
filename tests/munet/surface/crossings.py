"""Counting self-intersections of a triangle mesh."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def crossing_faces(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> NDArray[np.int64]:
    """Pairs (N, 2) of faces without a common vertex of which an edge of one pierces the other."""
    corners = np.asarray(vertices, np.float64)[faces]
    pairs = _neighbours(corners)
    shared = (faces[pairs[:, 0]][:, :, None] == faces[pairs[:, 1]][:, None, :]).any((1, 2))
    pairs = pairs[~shared]
    low, high = corners.min(1), corners.max(1)
    overlap = ((low[pairs[:, 0]] <= high[pairs[:, 1]]) & (low[pairs[:, 1]] <= high[pairs[:, 0]])).all(1)
    pairs = pairs[overlap]
    a, b = corners[pairs[:, 0]], corners[pairs[:, 1]]
    hit = np.zeros(len(pairs), np.bool_)
    for k in range(3):
        hit |= _pierces(a[:, k], a[:, (k + 1) % 3], b) | _pierces(b[:, k], b[:, (k + 1) % 3], a)
    return pairs[hit]


def _neighbours(corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pairs of faces whose circumscribed balls may touch; the few big faces are searched on their own."""
    centers = corners.mean(1)
    radius = np.linalg.norm(corners - centers[:, None], axis=2).max(1)
    typical = np.quantile(radius, 0.98)
    tree = cKDTree(centers)
    pairs = [tree.query_pairs(2 * typical, output_type="ndarray").astype(np.int64)]
    for face in np.nonzero(radius > typical)[0]:
        near = np.asarray(tree.query_ball_point(centers[face], radius[face] + radius.max()), np.int64)
        pairs.append(np.stack([np.minimum(near, face), np.maximum(near, face)], 1)[near != face])
    return np.unique(np.concatenate(pairs), axis=0)


def _pierces(start: NDArray[np.float64], end: NDArray[np.float64], triangle: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether segments (N, 3) go through triangles (N, 3, 3) (Moeller and Trumbore 1997)."""
    direction = end - start
    e1, e2 = triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0]
    p = np.cross(direction, e2)
    det = np.einsum("ni,ni->n", e1, p)
    safe = np.where(np.abs(det) < 1e-18, 1.0, det)
    s = start - triangle[:, 0]
    u = np.einsum("ni,ni->n", s, p) / safe
    q = np.cross(s, e1)
    v = np.einsum("ni,ni->n", direction, q) / safe
    t = np.einsum("ni,ni->n", e2, q) / safe
    return (np.abs(det) >= 1e-18) & (u > 0) & (v > 0) & (u + v < 1) & (t > 0) & (t < 1)
