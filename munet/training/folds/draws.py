"""Random numbers for batches of pictures."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate


class Draws:
    """Numbers for B pictures of N pixels from one seed."""

    def __init__(self, seed: int, step: int, count: int, size: int) -> None:
        self.random = torch.Generator().manual_seed(seed * 1_000_003 + step)
        self.count, self.size = count, size

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers (B, *shape)."""
        return low + (high - low) * torch.rand(self.count, *shape, generator=self.random)

    def scaled(self, low: float, high: float) -> Tensor:
        """Numbers (B,) whose logarithm is uniform."""
        return self.between(math.log(low), math.log(high)).exp()

    def normal(self, *shape: int) -> Tensor:
        """Normal numbers (B, *shape)."""
        return torch.randn(self.count, *shape, generator=self.random)

    def chance(self, share: float) -> Tensor:
        """1 with a probability, else 0: (B,)."""
        return (torch.rand(self.count, generator=self.random) < share).float()

    def pick(self, choices: int) -> Tensor:
        """Whole numbers (B,) below ``choices``."""
        return torch.randint(0, choices, (self.count,), generator=self.random)

    def clouds(self, cells: int, channels: int = 1) -> Tensor:
        """Smooth noise (B, channels, N, N) of deviation about 1, as coarse as ``cells`` along an edge."""
        coarse = torch.randn(self.count, channels, cells + 3, cells + 3, generator=self.random)
        # Finer than its grid it is bicubic; the margin keeps the border free of its edge.
        grown = interpolate(coarse, size=self.size + 2, mode="bicubic", align_corners=True)
        return 1.3 * grown[..., 1:-1, 1:-1]

    def grain(self, channels: int = 1) -> Tensor:
        """White noise (B, channels, N, N)."""
        return self.normal(channels, self.size, self.size)

    def grid(self) -> tuple[Tensor, Tensor]:
        """Places x and y (N, N) of the pixels from the middle, in pixels."""
        place = torch.arange(self.size, dtype=torch.float32) - (self.size - 1) / 2
        down, across = torch.meshgrid(place, place, indexing="ij")
        return across, down


def spread(values: Tensor) -> Tensor:
    """Numbers (B, ...) with two axes for pixels."""
    return values[..., None, None]
