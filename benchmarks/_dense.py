"""A result whose clothed surface has many more vertices than the backend makes, for benchmarks. NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_INFLUENCES = 4
_SHARE = 0.02


def dense_surface(arrays: dict[str, Array], parts: int) -> dict[str, Array]:
    """Return ``arrays`` of a person with each quad of the clothed surface cut into ``parts`` times ``parts`` quads.

    Places, weights and UVs are bilinear on the quad; each vertex gets exactly four weights, small ones from the bones
    above those that move it.
    """
    quads, uv = arrays["surface_quads"].astype(np.int64), arrays["surface_uv"]
    pair = arrays["surface_faces"][: 2 * len(quads)].reshape(len(quads), 6)
    corner = (quads[:, :, None] == pair[:, None, :]).argmax(axis=2)
    quad_uv = np.take_along_axis(uv[: 2 * len(quads)].reshape(len(quads), 6, 2), corner[:, :, None], axis=1)
    shares, cells = _grid(parts)
    points = _shared_points(quads, shares, len(arrays["surface_vertices"]))
    first = np.unique(points, return_index=True)[1]
    row, place = np.divmod(first, len(shares))

    def spread(name: str) -> Array:
        return np.einsum("nk,nkc->nc", shares[place], arrays[name][quads[row]].astype(np.float64)).astype(np.float32)

    new_quads = points.reshape(len(quads), -1)[:, cells].reshape(-1, 4)
    new_uv = np.einsum("pk,qkc->qpc", shares, quad_uv.astype(np.float64))[:, cells].reshape(-1, 4, 2)
    made = {f"surface_{name}": spread(f"surface_{name}") for name in ("vertices", "rest_vertices", "weights")}
    made["surface_weights"] = four_weights(made["surface_weights"], arrays["bone_parents"])
    made["surface_quads"] = new_quads.astype(np.int32)
    made["surface_faces"] = np.stack([new_quads[:, [0, 1, 2]], new_quads[:, [0, 2, 3]]], 1).reshape(-1, 3).astype("i4")
    made["surface_uv"] = np.stack([new_uv[:, [0, 1, 2]], new_uv[:, [0, 2, 3]]], 1).reshape(-1, 3, 2).astype("f4")
    return {**arrays, **made}


def _grid(parts: int) -> tuple[Array, Array]:
    """Return the bilinear shares (P, 4) of a quad's corners at its grid points, and its cells (C, 4)."""
    steps = np.arange(parts + 1)
    v, u = (axis.reshape(-1) / parts for axis in np.meshgrid(steps, steps, indexing="ij"))
    shares = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
    low = (np.arange(parts)[:, None] * (parts + 1) + np.arange(parts)).reshape(-1)
    return shares, np.stack([low, low + 1, low + parts + 2, low + parts + 1], axis=1)


def _shared_points(quads: Array, shares: Array, count: int) -> Array:
    """Return a number (Q * P,) for each grid point of each quad, the same where quads share the point."""
    used = shares > 1e-9
    keys = np.full((len(quads), len(shares), 4), -1, dtype=np.int64)
    order = np.argsort(quads, axis=1)
    for point, (share, of) in enumerate(zip(shares, used, strict=True)):
        if of.all():
            keys[:, point, 0], keys[:, point, 1] = np.arange(len(quads)), point + count
            continue
        part = np.round(share * 840).astype(np.int64)
        kept = of[order]
        keys[:, point] = np.where(kept, np.take_along_axis(quads, order, 1) * 1024 + part[order], -1)
        keys[:, point] = np.sort(keys[:, point], axis=1)
    _, numbers = np.unique(keys.reshape(-1, 4), axis=0, return_inverse=True)
    return numbers.reshape(-1)


def four_weights(weights: Array, parents: Array) -> Array:
    """Return ``weights`` (V, J) with exactly four bones for each vertex, sum 1."""
    rows, kept = np.arange(len(weights)), weights.copy()
    order = np.argsort(-kept, axis=1)
    np.put_along_axis(kept, order[:, _INFLUENCES:], 0, axis=1)
    bone = order[:, 0]
    for _ in range(len(parents)):
        few = (kept > 0).sum(axis=1) < _INFLUENCES
        if not few.any():
            break
        bone = np.where(parents[bone] >= 0, parents[bone], order[rows, np.minimum((kept > 0).sum(axis=1), 3)])
        fresh = few & (kept[rows, bone] == 0)
        kept[rows[fresh], bone[fresh]] = _SHARE
    return (kept / kept.sum(axis=1, keepdims=True)).astype(np.float32)
