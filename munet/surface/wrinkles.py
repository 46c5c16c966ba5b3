"""Relief from normals: folds that a normal map shows, added to a surface that already has the right outline."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from munet.surface.operators import Floats, factorise, unit
from munet.surface.solve import Mesh

# Waves longer than about six times this come from the outline, shorter ones from the normals.
ANCHOR_METRES = 0.05
LARGEST_METRES = 0.015


def follow_normals(mesh: Mesh, vertices: Floats, directions: Floats, target_normals: Floats, locked: Floats) -> Floats:
    """Move vertices along given directions until edges lie across the target normals.

    Linear least squares over the edges: an edge between i and j of the moved surface is perpendicular to the mean of
    their target normals (Nehab et al., "Efficiently Combining Positions and Normals for Precise 3D Geometry", 2005).

    Args:
        mesh: operators of the surface.
        vertices: (V, 3) metres.
        directions: (V, 3) unit vectors along which vertices move.
        target_normals: (V, 3) unit vectors, zero where nothing is known.
        locked: (V,) in [0, 1]: vertices that stay.

    Returns:
        Moved vertices (V, 3).
    """
    i, j = mesh.pairs.T
    known = (np.linalg.norm(target_normals, axis=1) > 0.5).astype(np.float64)
    normal = unit(target_normals[i] + target_normals[j]) * (known[i] * known[j])[:, None]
    strength = np.sqrt(-np.asarray(mesh.laplace[i, j]).ravel())
    slope_i = strength * np.einsum("ei,ei->e", normal, directions[i])
    slope_j = strength * np.einsum("ei,ei->e", normal, directions[j])
    edge, size = np.arange(len(i)), (len(i), len(vertices))
    rows = sparse.csr_array((slope_i, (edge, i)), size) - sparse.csr_array((slope_j, (edge, j)), size)
    residual = strength * np.einsum("ei,ei->e", normal, vertices[j] - vertices[i])
    anchor = mesh.areas * (1 / ANCHOR_METRES**2 + 1e6 * locked)
    solve = factorise(rows.T @ rows + sparse.diags_array(anchor))
    along = np.clip(solve(rows.T @ residual), -LARGEST_METRES, LARGEST_METRES)
    moved: Floats = vertices + along[:, None] * directions
    return moved
