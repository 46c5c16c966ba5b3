"""Distance between vertices of the same topology."""

from __future__ import annotations

from torch import Tensor


def vertex_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """MuNet's L_v: mean absolute difference (B,) of coordinates (B, V, 3), as in HMR and in the authors' trainer."""
    return (prediction - truth).abs().mean((1, 2))
