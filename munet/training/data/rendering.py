"""Pixels of clothed and naked bodies, from the front and from the back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from munet.render import Fragments, barycentric_coordinates, interpolate, project, rasterise

_BEHIND = -1.0


@dataclass(frozen=True)
class Side:
    """What the camera sees of a surface, or what is farthest from it.

    Attributes:
        fragments: faces, barycentrics and depth.
        normals: (B, H, W, 3) unit, camera frame; towards the camera in front, away from it at the back; zero outside.
    """

    fragments: Fragments
    normals: Tensor


def hidden_where_unworn(vertices_cam: Tensor, worn: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Move the vertices of groups that nobody wears behind the camera, where the rasteriser leaves them out.

    Args:
        vertices_cam: (B, N, 3) metres, group after group.
        worn: (B, G) bool.
        sizes: vertices of each of the G groups.
    """
    per_vertex = torch.cat([worn[:, i : i + 1].expand(-1, size) for i, size in enumerate(sizes)], 1)
    depth = torch.where(per_vertex, vertices_cam[..., 2], _BEHIND)
    return torch.cat([vertices_cam[..., :2], depth[..., None]], -1)


def front_side(vertices_cam: Tensor, normals_cam: Tensor, faces: Tensor, matrix: Tensor, size: int) -> Side:
    """Nearest surface of every pixel.

    Args:
        vertices_cam: (B, N, 3) metres.
        normals_cam: (B, N, 3) unit.
        faces: (F, 3) int64.
        matrix: (B, 3, 3) camera in pixels.
        size: edge of the pictures in pixels.
    """
    image = project(matrix, vertices_cam)
    fragments = rasterise(image, faces, size, size)
    return Side(fragments, _facing(fragments, normals_cam, faces, matrix, towards=True))


def back_side(vertices_cam: Tensor, normals_cam: Tensor, faces: Tensor, matrix: Tensor, size: int) -> Side:
    """Farthest surface of every pixel.

    The rasteriser keeps the greatest inverse depth; an affine map of inverse depth that turns the order round stays
    linear over the image, so its choice is exact. Arguments as for :func:`front_side`.
    """
    image = project(matrix, vertices_cam)
    depth = image[..., 2:]
    seen = depth > 0
    nearest = torch.where(seen, depth, torch.inf).amin((1, 2), keepdim=True)
    turned = torch.where(seen, 1 / (2 / nearest - 1 / depth), _BEHIND)
    chosen = rasterise(torch.cat([image[..., :2], turned], -1), faces, size, size)
    fragments = barycentric_coordinates(chosen, image, faces)
    return Side(fragments, _facing(fragments, normals_cam, faces, matrix, towards=False))


def rays(matrix: Tensor, size: int) -> Tensor:
    """Directions (B, H, W, 3) through the pixel centres with depth 1, camera frame."""
    place = torch.arange(size, device=matrix.device) + 0.5
    y, x = torch.meshgrid(place, place, indexing="ij")
    focal, center = matrix[:, 0, 0, None, None], matrix[:, :2, 2]
    return torch.stack(
        [
            (x - center[:, 0, None, None]) / focal,
            (y - center[:, 1, None, None]) / focal,
            torch.ones_like(x) * focal / focal,
        ],
        -1,
    )


def _facing(fragments: Fragments, normals_cam: Tensor, faces: Tensor, matrix: Tensor, *, towards: bool) -> Tensor:
    """Normals of the seen side: thin cloth has one set of faces and two sides."""
    normals = normalize(interpolate(fragments, faces, normals_cam), dim=-1, eps=1e-12)
    along = (normals * rays(matrix, normals.shape[1])).sum(-1, keepdim=True)
    wrong = along > 0 if towards else along < 0
    return torch.where(wrong, -normals, normals)
