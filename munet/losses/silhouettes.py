"""Soft silhouettes of a person from four sides, and their agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import max_pool2d

from munet.render import soft_silhouette

SIDES = ("front", "back", "east", "west")
_FAR = 50.0


@dataclass(frozen=True)
class Views:
    """Orthographic pictures around the vertical axis through the origin of the body frame.

    Attributes:
        half_extent: metres from the middle of a picture to its border.
        size: edge of a picture in pixels.
        sigma: softness of the outline in pixels.
        sides: which of SIDES are seen; a training on a CPU looks from one at a time.
    """

    half_extent: float = 1.35
    size: int = 160
    sigma: float = 0.7
    sides: tuple[int, ...] = (0, 1, 2, 3)


def four_silhouettes(
    vertices_body: Tensor, faces: Tensor, views: Views, adjacency: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Soft masks (B, 4, S, S) from azimuth 0, 180, 90 and 270 degrees (MuNet, section 3.4).

    The gradient reaches the vertices from pixels on both sides of the outline.

    Args:
        vertices_body: (B, V, 3) metres, body frame.
        faces: (F, 3) int64 with consistent winding.
        views: how they are seen.
        adjacency: of :func:`munet.render.edge_faces`, to compute it only once.
    """
    image = _seen(vertices_body.float(), views).flatten(0, 1)
    masks = soft_silhouette(image, faces, views.size, views.size, views.sigma, adjacency)
    return masks.reshape(-1, len(views.sides), views.size, views.size)


@torch.no_grad()
def point_silhouettes(points_body: Tensor, views: Views) -> Tensor:
    """Soft masks (B, 4, S, S) of a surface known by points only, for truth without a mesh, without gradient.

    Gaps up to two pixels wide between the points are closed, which keeps the outline where it is; the outline is as
    soft as that of :func:`four_silhouettes`, so that the two can be compared.

    Args:
        points_body: (B, P, 3) metres, body frame, dense enough to hit most pixels.
        views: how they are seen.
    """
    place = _seen(points_body.float(), views)[..., :2].floor().long()
    inside = ((place >= 0) & (place < views.size)).all(-1)
    column, row = place.clamp(0, views.size - 1).unbind(-1)
    hit = torch.zeros(*place.shape[:2], views.size**2, device=points_body.device)
    hit.scatter_reduce_(2, row * views.size + column, inside.to(hit.dtype), "amax")
    grid = hit.reshape(-1, len(views.sides), views.size, views.size)
    closed = 1 - max_pool2d(1 - max_pool2d(grid, 3, 1, 1), 3, 1, 1)
    return _softened(closed > 0.5, views.sigma)


def _softened(masks: Tensor, sigma: float) -> Tensor:
    """Sigmoid of the distance to the outline.

    A pixel that is hit at all belongs to the masks, so the outline runs through the centres of their border pixels.
    """
    hard = masks.cpu().numpy().reshape(-1, *masks.shape[-2:])
    signed = [np.where(mask, distance_transform_edt(mask) - 1, -distance_transform_edt(~mask)) for mask in hard]
    distance = torch.from_numpy(np.stack(signed)).float().reshape(masks.shape).to(masks.device)
    return torch.sigmoid(distance / sigma)


def _seen(points_body: Tensor, views: Views) -> Tensor:
    """Column, row and depth (B, 4, P, 3) of points from the four sides, or from those that are chosen."""
    x, y, z = points_body.unbind(-1)
    chosen = list(views.sides)
    across, towards = torch.stack([x, -x, -z, z], 1)[:, chosen], torch.stack([z, -z, x, -x], 1)[:, chosen]
    scale = views.size / (2 * views.half_extent)
    column = (across + views.half_extent) * scale
    row = ((views.half_extent - y) * scale)[:, None].expand_as(column)
    return torch.stack([column, row, _FAR - towards], -1)


def silhouette_loss(masks: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference (B,) of silhouettes (B, K, S, S)."""
    return (masks - truth).abs().mean((1, 2, 3))
