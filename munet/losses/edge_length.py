"""Length of edges."""

from __future__ import annotations

from torch import Tensor

from munet.losses.chamfer import distance


def edge_length(vertices: Tensor, edges: Tensor, reference: Tensor | None = None) -> Tensor:
    """Mean squared length of edges, or of its change against a reference.

    The first is the term of the authors' trainer, which shrinks the mesh; the second keeps the triangles as they are.

    Args:
        vertices: (B, V, 3).
        edges: (E, 2) int64.
        reference: (B, V, 3), usually the body under the surface, not trained by this term.

    Returns:
        (B,).
    """
    if reference is None:
        return (vertices[:, edges[:, 0]] - vertices[:, edges[:, 1]]).square().sum(-1).mean(1)
    change = _lengths(vertices, edges) - _lengths(reference.detach(), edges)
    return change.square().mean(1)


def _lengths(vertices: Tensor, edges: Tensor) -> Tensor:
    return distance(vertices[:, edges[:, 0]], vertices[:, edges[:, 1]])
