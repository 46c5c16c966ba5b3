"""The T-pose of the shape space, relaxed: no dents at shoulders and elbows, no loss of volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from default_body.elastic import Elastic, nearest_rotations, struts, surface_edges
from default_body.raster import vertex_normals
from default_body.shape import ShapeSpace, linear_map
from default_body.source import Source

Array = NDArray[np.float64]
Index = NDArray[np.int64]

REACH = 1.5


def _anchors(source: Source, turns: Array, average: csr_matrix) -> Array:
    """Firm where all bones of a vertex turn alike, soft where they differ."""
    mean = np.einsum("vb,bij->vij", source.weights, turns)
    spread = (source.weights @ (turns**2).sum((1, 2))) - (mean**2).sum((1, 2))
    firm = np.exp(-np.maximum(spread, 0) / 0.01)
    for _ in range(8):
        firm = 0.5 * firm + 0.5 * (average @ firm)
    return 0.3 * firm**3 + 0.004


def relax_shape_space(
    source: Source, space: ShapeSpace, betas: Array, turns: Array, faces: Index, average: csr_matrix
) -> ShapeSpace:
    """Replace skinned straightening by elastic straightening, for the mean and every direction of shape.

    Args:
        source: gives Anny's rest pose of the people and its weights.
        space: shape space of the people straightened by skinning.
        betas: (N, K) of the people.
        turns: (B, 3, 3) mean turns of the bones from Anny's rest pose to the T-pose.
        faces: triangles.
        average: neighbour average.
    """
    people = source.vertices[: len(betas)]
    bent, bent_dirs, _ = linear_map(betas, people - people[:, :1])
    edges = surface_edges(faces)
    inner = struts(bent, vertex_normals(bent, faces))
    strength = np.concatenate([np.ones(len(edges)), np.full(len(inner), 0.15)])
    anchors = _anchors(source, turns, average)
    first = nearest_rotations(np.einsum("vb,bij->vij", source.weights, turns))

    def relaxation(beta: Array) -> Array:
        solid = Elastic(bent + bent_dirs @ beta, np.concatenate([edges, inner]), strength, anchors, 1.0)
        straight = space.mean + space.dirs @ beta
        return solid.relax(straight, first, 10) - straight

    count = betas.shape[1]
    mean = space.mean + relaxation(np.zeros(count))
    dirs = space.dirs.copy()
    for index, unit in enumerate(np.eye(count) * REACH):
        dirs[..., index] += (relaxation(unit) - relaxation(-unit)) / (2 * REACH)
    return ShapeSpace(mean, dirs)
