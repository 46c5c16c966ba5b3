"""Smoothness of a surface over its body."""

from __future__ import annotations

from torch import Tensor

from munet.network.topology import sparse_apply


def laplacian_loss(vertices: Tensor, average: Tensor, reference: Tensor | None = None) -> Tensor:
    """Mean squared distance (B,) of vertices from the mean of their neighbourhood, or of its change.

    Sorkine, "Differential Representations for Mesh Processing", 2006, uniform weights.

    Args:
        vertices: (B, V, 3).
        average: (V, V) sparse of :class:`munet.network.topology.Topology`.
        reference: (B, V, 3) whose own differences are wanted, not trained by this term; plane neighbourhoods without.
    """
    differences = vertices - sparse_apply(average, vertices)
    if reference is not None:
        differences = differences - (reference - sparse_apply(average, reference)).detach()
    return differences.square().sum(-1).mean(1)
