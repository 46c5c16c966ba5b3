"""L(S, S~): how far a predicted surface is from the true one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.losses.chamfer import chamfer, match
from munet.losses.normal_consistency import normal_consistency
from munet.losses.sampling import sample_surface


@dataclass(frozen=True)
class SurfaceErrorSettings:
    """What the surface's error is made of.

    Attributes:
        samples: points drawn on the predicted surface.
        sampled: weight of the Chamfer distance of those points.
        vertices: weight of the Chamfer distance of the vertices.
        normals: weight of the normals at the drawn points.
    """

    samples: int = 20_000
    sampled: float = 1.0
    vertices: float = 1.0
    normals: float = 0.1


def surface_error(
    surface: Tensor,
    faces: Tensor,
    true_points: Tensor,
    true_normals: Tensor,
    settings: SurfaceErrorSettings,
    generator: torch.Generator | None = None,
) -> Tensor:
    """MuNet's L_cd2 + L_n, eq. 14, with points drawn evenly on both surfaces.

    Args:
        surface: (B, V, 3) vertices.
        faces: (F, 3) int64.
        true_points: (B, N, 3) drawn evenly from the true surface.
        true_normals: (B, N, 3) there.
        settings: weights and number of points.
        generator: of random numbers.

    Returns:
        (B,).
    """
    points, normals = sample_surface(surface, faces, settings.samples, generator)
    matches = match(points, true_points)
    error = settings.sampled * chamfer(points, true_points, matches).total
    error = error + settings.normals * normal_consistency(normals, true_normals, matches)
    if settings.vertices:
        error = error + settings.vertices * chamfer(surface, true_points).total
    return error
