"""Distance between joints in space."""

from __future__ import annotations

from torch import Tensor


def joint_loss(prediction: Tensor, truth: Tensor, confidence: Tensor | None = None) -> Tensor:
    """MuNet's L_J: mean squared difference (B,) of joints (B, J, 3).

    Args:
        prediction: joints, regressed from the predicted vertices.
        truth: joints.
        confidence: (B, J) in [0, 1]; joints without a label have 0. The mean is over the confidence.
    """
    squared = (prediction - truth).square().mean(-1)
    if confidence is None:
        return squared.mean(1)
    return (confidence * squared).sum(1) / confidence.sum(1).clamp_min(1e-6)
