"""Polygons with their corners' UVs from triangles and quads. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .character import Skin

Array = NDArray[Any]
_USUAL = [0, 1, 2, 5]


@dataclass(frozen=True)
class Polygons:
    """Polygons as Blender stores them. C corners, P polygons.

    Attributes:
        corners: (C,) int32 vertex of each corner, polygon after polygon.
        starts: (P,) int32 first corner of each polygon.
        uv: (C, 2) float32 of each corner.
        plain: every corner of a polygon is another vertex, so that Blender has nothing to repair.
    """

    corners: Array
    starts: Array
    uv: Array
    plain: bool


def quad_uv(quads: Array, faces: Array, uv: Array) -> Array:
    """Collect the UVs (Q, 4, 2) of quads (Q, 4) from their triangles 2q and 2q + 1 ((F, 3), UVs (F, 3, 2))."""
    count = len(quads)
    pair_faces = faces[: 2 * count].reshape(count, 6)
    pair_uv = uv[: 2 * count].reshape(count, 6, 2)
    if np.array_equal(pair_faces.take(_USUAL, axis=1), quads):
        return pair_uv.take(_USUAL, axis=1)
    corner = (quads[:, :, None] == pair_faces[:, None, :]).argmax(axis=2)
    return np.take_along_axis(pair_uv, corner[:, :, None], axis=1)


def polygons(skin: Skin) -> Polygons:
    """Return the quads of ``skin`` and, after them, the triangles which no quad covers."""
    quads, count = skin.quads, len(skin.quads)
    triangles, triangle_uv = skin.faces[2 * count :], skin.uv[2 * count :]
    sizes = np.concatenate([np.full(count, 4), np.full(len(triangles), 3)])
    return Polygons(
        plain=_all_differ(quads) and _all_differ(triangles),
        corners=np.concatenate([quads.reshape(-1), triangles.reshape(-1)]).astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32),
        uv=np.concatenate([quad_uv(quads, skin.faces, skin.uv).reshape(-1, 2), triangle_uv.reshape(-1, 2)]).astype(
            np.float32
        ),
    )


def _all_differ(polygons: Array) -> bool:
    corners = polygons.shape[1]
    return not any((polygons[:, a] == polygons[:, b]).any() for a in range(corners) for b in range(a))
