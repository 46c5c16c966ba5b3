"""The edge convolution of MeshCNN over five taps, without a tensor of five times the input."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.utils.checkpoint import checkpoint

TAPS = 5


class EdgeConv(nn.Module):
    """Convolution of edge values with (e, a + c, b + d, |a - c|, |b - d|).

    Hanocka et al., "MeshCNN: A Network with an Edge", SIGGRAPH 2019, section 4; MuNet, eq. 8. The value does not
    change when the two faces at an edge swap places, for then (a, b) and (c, d) swap.

    The five products are added up one after another and, with ``chunk_edges``, for that many edges at a time, so that
    the largest intermediate is as large as one tap of one chunk. With ``save_memory`` the taps are gathered again in
    the backward pass instead of being kept.
    """

    def __init__(self, in_channels: int, out_channels: int, *, chunk_edges: int = 0, save_memory: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(TAPS, out_channels, in_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.chunk_edges = chunk_edges
        self.save_memory = save_memory
        deviation = (2.0 / (in_channels * TAPS)) ** 0.5
        nn.init.normal_(self.weight, std=deviation)

    def forward(self, values: Tensor, neighbours: Tensor) -> Tensor:
        """Convolve.

        Args:
            values: (B, E, C) of the edges.
            neighbours: (E, 4) int64 (a, b, c, d).

        Returns:
            (B, E, D).
        """
        edge_count = values.shape[1]
        size = self.chunk_edges or edge_count
        parts = [
            self._part(values, neighbours, start, min(start + size, edge_count)) for start in range(0, edge_count, size)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def _part(self, values: Tensor, neighbours: Tensor, start: int, end: int) -> Tensor:
        if self.save_memory and torch.is_grad_enabled():
            part: Tensor = checkpoint(
                _convolve, values, neighbours, start, end, self.weight, self.bias, use_reentrant=False
            )
            return part
        return _convolve(values, neighbours, start, end, self.weight, self.bias)


def _convolve(values: Tensor, neighbours: Tensor, start: int, end: int, weight: Tensor, bias: Tensor) -> Tensor:
    near = neighbours[start:end]
    total = linear(values[:, start:end], weight[0], bias)
    for first, second, even, odd in ((0, 2, 1, 3), (1, 3, 2, 4)):
        one, other = values.index_select(1, near[:, first]), values.index_select(1, near[:, second])
        total = total + linear(one + other, weight[even])
        total = total + linear((one - other).abs(), weight[odd])
    return total


def instance_norm(values: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalise every channel of (B, E, C) over the edges of its own sample, without parameters.

    Ulyanov et al., "Instance Normalization", 2016. The statistics are taken in float32.
    """
    exact = values.float()
    variance, mean = torch.var_mean(exact, 1, correction=0, keepdim=True)
    return ((exact - mean) * torch.rsqrt(variance + eps)).to(values.dtype)
