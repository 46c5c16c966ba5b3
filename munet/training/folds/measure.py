"""How far estimated folds are from the true ones."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.folds.network import FoldNet
from munet.folds.relief import folded, slopes
from munet.training.folds.bases import People
from munet.training.folds.patches import Patches, make_patches


def errors(height: Tensor, patches: Patches) -> dict[str, float]:
    """Errors of heights (B, N, N) in pixels.

    Returns:
        ``folds``: mean 1 - cosine between estimated and true normals on pictures with folds; ``without``: the same of
        the smooth base; ``slope``: size of the estimated slopes there; ``true``: of the true lean; ``dye``: size of
        the slopes on pictures where only dye is seen, which should be none.
    """
    slope = slopes(height)
    found = folded(patches.base, slope)
    with_folds = patches.weight * (1 - patches.flat[:, None, None])
    plain = patches.weight * patches.flat[:, None, None]
    size = (slope**2).sum(1).sqrt()
    true = ((patches.normals - patches.base) ** 2).sum(1).sqrt()
    return {
        "folds": _mean(1 - (found * patches.normals).sum(1), with_folds),
        "without": _mean(1 - (patches.base * patches.normals).sum(1), with_folds),
        "slope": _mean(size, with_folds),
        "true": _mean(true, with_folds),
        "dye": _mean(size, plain),
    }


@torch.no_grad()
def validate(net: FoldNet, heights: Tensor, people: People, batches: int = 6, size: int = 192) -> dict[str, float]:
    """Mean errors on batches that no training draws: half of the pictures show nothing but dye."""
    sums: dict[str, float] = {}
    for number in range(batches):
        patches = make_patches(heights, people, 9_000_001, number, 16, size, flat=0.5)
        height = net(patches.planes.contiguous(memory_format=torch.channels_last))
        for name, value in errors(height, patches).items():
            sums[name] = sums.get(name, 0.0) + value / batches
    return sums


def _mean(values: Tensor, weight: Tensor) -> float:
    return float((values * weight).sum() / weight.sum().clamp_min(1))
