"""Points spread evenly over a surface, differentiable in its vertices."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.losses.chamfer import pick
from munet.render import face_normals


def sample_surface(
    vertices: Tensor, faces: Tensor, count: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw points with a density that is the same everywhere on the surface.

    Args:
        vertices: (B, V, 3).
        faces: (F, 3) int64.
        count: points of each surface.
        generator: of random numbers, on the device of the vertices.

    Returns:
        Points (B, count, 3) and the unit normals (B, count, 3) of their faces. The choice of faces and the places in
        them carry no gradient.
    """
    batch = vertices.shape[0]
    normals = face_normals(vertices, faces, unit=False)
    areas = normals.detach().norm(dim=-1)
    chosen = torch.multinomial(areas + areas.new_tensor(1e-20), count, replacement=True, generator=generator)
    random = torch.rand(batch, count, 2, generator=generator, device=vertices.device, dtype=vertices.dtype)
    root, share = random[..., 0].sqrt(), random[..., 1]
    weights = torch.stack([1 - root, root * (1 - share), root * share], -1)
    corners = torch.stack([pick(vertices, faces[:, corner][chosen]) for corner in range(3)], -2)
    points = (weights[..., None] * corners).sum(-2)
    return points, torch.nn.functional.normalize(pick(normals, chosen), dim=-1, eps=1e-12)
