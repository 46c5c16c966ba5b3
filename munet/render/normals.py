"""Normals of faces, of vertices and of pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from munet.render.interpolation import interpolate
from munet.render.rasteriser import Fragments


def face_normals(vertices: Tensor, faces: Tensor, *, unit: bool = True) -> Tensor:
    """Normals of faces, right-hand rule over the corners.

    Args:
        vertices: (..., V, 3).
        faces: (F, 3) int64.
        unit: False leaves each normal as long as twice the area of its face.

    Returns:
        (..., F, 3); zero for faces without area.
    """
    a, b, c = (vertices[..., faces[:, corner], :] for corner in range(3))
    crossed = torch.linalg.cross(b - a, c - a)
    return normalize(crossed, dim=-1, eps=1e-20) if unit else crossed


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals of vertices: the mean of the adjacent faces' normals weighed by area.

    Args:
        vertices: (..., V, 3).
        faces: (F, 3) int64.

    Returns:
        (..., V, 3); zero for vertices without a face.
    """
    weighted = face_normals(vertices, faces, unit=False)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(-2, faces[:, corner], weighted)
    return normalize(total, dim=-1, eps=1e-20)


def normal_map(fragments: Fragments, vertices_cam: Tensor, faces: Tensor) -> Tensor:
    """Smooth unit normals at every pixel, in the frame of the vertices.

    Args:
        fragments: what each pixel sees.
        vertices_cam: (B, V, 3).
        faces: (F, 3) int64.

    Returns:
        (B, H, W, 3), zero where no face is seen.
    """
    blended = interpolate(fragments, faces, vertex_normals(vertices_cam, faces))
    return normalize(blended, dim=-1, eps=1e-20)
