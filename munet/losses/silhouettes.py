"""Soft silhouettes of a person from four sides, and their agreement."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

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
    """

    half_extent: float = 1.35
    size: int = 128
    sigma: float = 1.0


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
    x, y, z = vertices_body.float().unbind(-1)
    across, towards = torch.stack([x, -x, -z, z], 1), torch.stack([z, -z, x, -x], 1)
    scale = views.size / (2 * views.half_extent)
    column = (across + views.half_extent) * scale
    row = ((views.half_extent - y) * scale)[:, None].expand_as(column)
    image = torch.stack([column, row, _FAR - towards], -1).flatten(0, 1)
    masks = soft_silhouette(image, faces, views.size, views.size, views.sigma, adjacency)
    return masks.reshape(-1, len(SIDES), views.size, views.size)


def silhouette_loss(masks: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference (B,) of silhouettes (B, K, S, S)."""
    return (masks - truth).abs().mean((1, 2, 3))
