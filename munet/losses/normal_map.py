"""Agreement of normal maps."""

from __future__ import annotations

from torch import Tensor


def normal_map_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference plus mean (1 - cosine) over the true foreground (B,).

    Args:
        prediction: (B, 6, R, R) front and back normals.
        truth: (B, 6, R, R) unit normals, zero on the background.
    """
    sides, true_sides = _sides(prediction), _sides(truth)
    seen = (true_sides.square().sum(2) > 0.25).to(prediction.dtype)
    count = seen.sum((1, 2, 3)).clamp_min(1)
    difference = (sides - true_sides).abs().sum(2)
    cosine = (sides * true_sides).sum(2)
    wrong: Tensor = (seen * (difference + 1 - cosine)).sum((1, 2, 3))
    return wrong / count


def _sides(normals: Tensor) -> Tensor:
    return normals.reshape(normals.shape[0], 2, 3, *normals.shape[2:])
