"""Distance of a surface's vertices from where they belong."""

from __future__ import annotations

from torch import Tensor

from munet.losses.chamfer import distance


def dressed_loss(surface: Tensor, truth: Tensor, sure: Tensor) -> Tensor:
    """Mean distance (B,) of vertices from their places on the true clothes; not one of the paper's losses.

    Args:
        surface: (B, V, 3) metres.
        truth: (B, V, 3) of :func:`munet.training.dressed_graph.dressed_graph`.
        sure: (B, V) weights in [0, 1].
    """
    return (sure * distance(surface, truth)).sum(1) / sure.sum(1).clamp_min(1)
