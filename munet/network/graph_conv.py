"""Graph convolutions over vertices: the blocks of GraphCMR at full resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from munet.network.topology import sparse_apply


class GraphConv(nn.Module):
    """Average over the neighbourhood, then a linear map: H' = A H W + b (Kipf & Welling, ICLR 2017; MuNet, eq. 7)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, out_channels)
        bound = (6.0 / (channels + out_channels)) ** 0.5
        nn.init.uniform_(self.linear.weight, -bound, bound)
        nn.init.zeros_(self.linear.bias)

    def forward(self, values: Tensor, average: Tensor) -> Tensor:
        """Convolve values (B, V, C) with the sparse average (V, V): (B, V, D)."""
        mixed: Tensor = self.linear(sparse_apply(average, values))
        return mixed


class VertexNorm(nn.Module):
    """GroupNorm of (B, V, C): statistics over the channels of a group and all vertices."""

    def __init__(self, groups: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)

    def forward(self, values: Tensor) -> Tensor:
        """Normalise (B, V, C)."""
        normed: Tensor = self.norm(values.transpose(1, 2))
        return normed.transpose(1, 2)


class GraphResidual(nn.Module):
    """Norm, ReLU, linear, norm, ReLU, graph convolution, norm, ReLU, linear; plus the input.

    Kolotouros et al., "Convolutional Mesh Regression for Single-Image Human Shape Reconstruction", CVPR 2019,
    section 3.2. Layers 2 to 9 of MuNet's body network.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.norm_in = VertexNorm(group_count(channels), channels)
        self.narrow = nn.Linear(channels, half)
        self.norm_narrow = VertexNorm(group_count(half), half)
        self.conv = GraphConv(half, half)
        self.norm_conv = VertexNorm(group_count(half), half)
        self.widen = nn.Linear(half, out_channels)
        self.skip = nn.Identity() if channels == out_channels else nn.Linear(channels, out_channels)

    def forward(self, values: Tensor, average: Tensor) -> Tensor:
        """Map values (B, V, C) to (B, V, D)."""
        inner = self.narrow(relu(self.norm_in(values)))
        inner = self.conv(relu(self.norm_narrow(inner)), average)
        inner = self.widen(relu(self.norm_conv(inner)))
        total: Tensor = self.skip(values) + inner
        return total


def group_count(channels: int) -> int:
    """Groups of about 8 channels that divide ``channels``."""
    return next(groups for groups in range(max(channels // 8, 1), 0, -1) if channels % groups == 0)


def broadcast_linear(layer: nn.Linear, per_vertex: Tensor, per_sample: Tensor) -> Tensor:
    """Apply ``layer`` to the concatenation of (B, V, C) and (B, D) copied to every vertex, without the copies."""
    split = per_vertex.shape[-1]
    near = torch.nn.functional.linear(per_vertex, layer.weight[:, :split])
    shared = torch.nn.functional.linear(per_sample, layer.weight[:, split:], layer.bias)
    return near + shared[:, None]
