"""Closest points on a triangle surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def closest_on_triangles(points: Array, corners: Array) -> Array:
    """Barycentrics (..., 3) of the closest points of triangles (..., 3, 3) to points (..., 3).

    Ericson, "Real-Time Collision Detection", 2005, section 5.1.5.
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    inner = _inside(points, a, b, c)
    edges = [_on_edge(points, a, b), _on_edge(points, b, c), _on_edge(points, c, a)]
    zero = np.zeros_like(edges[0])
    options = [
        inner,
        np.stack([1 - edges[0], edges[0], zero], -1),
        np.stack([zero, 1 - edges[1], edges[1]], -1),
        np.stack([edges[2], zero, 1 - edges[2]], -1),
    ]
    bary = np.stack(options, -2)
    distance = np.linalg.norm(np.einsum("...ok,...kd->...od", bary, corners) - points[..., None, :], axis=-1)
    distance[..., 0] = np.where((inner < 0).any(-1), np.inf, distance[..., 0])
    best = distance.argmin(-1)
    chosen: Array = np.take_along_axis(bary, best[..., None, None], -2)[..., 0, :]
    return chosen


def _on_edge(p: Array, a: Array, b: Array) -> Array:
    edge = b - a
    along: Array = np.clip(((p - a) * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-20), 0, 1)
    return along


def _inside(p: Array, a: Array, b: Array, c: Array) -> Array:
    u, v, w = b - a, c - a, p - a
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    wu, wv = (w * u).sum(-1), (w * v).sum(-1)
    area = np.maximum(uu * vv - uv * uv, 1e-24)
    s, t = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    return np.stack([1 - s - t, s, t], -1)


def closest_on_surface(points: Array, vertices: Array, faces: Index, candidates: int = 24) -> tuple[Index, Array]:
    """Closest surface point of each point (P, 3): face (P,) and barycentrics (P, 3).

    The closest triangle is searched among the ``candidates`` with the nearest centres, which is exact where
    triangles are of similar size.
    """
    corners = vertices[faces]
    count = min(candidates, len(faces))
    _, near = cKDTree(corners.mean(1)).query(points, k=count)
    near = near.reshape(len(points), count)
    bary = closest_on_triangles(points[:, None], corners[near])
    reached = np.einsum("pck,pckd->pcd", bary, corners[near])
    best = np.linalg.norm(reached - points[:, None], axis=-1).argmin(1)
    rows = np.arange(len(points))
    return near[rows, best], np.clip(bary[rows, best], 0, 1)
