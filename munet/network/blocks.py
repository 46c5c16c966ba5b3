"""Convolution blocks shared by the image networks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from munet.network.graph_conv import group_count


def group_norm(channels: int) -> nn.GroupNorm:
    """Norm with groups of about 8 channels; a sample's result does not depend on the rest of its batch."""
    return nn.GroupNorm(group_count(channels), channels)


class ResidualConv(nn.Module):
    """Norm, ReLU, 3x3 convolution, twice, plus the input (He et al., "Identity Mappings", ECCV 2016)."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1 = group_norm(channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, stride, 1, bias=False)
        self.norm2 = group_norm(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        same = channels == out_channels and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(channels, out_channels, 1, stride, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, D, H / stride, W / stride)."""
        inner = self.conv1(relu(self.norm1(image)))
        inner = self.conv2(relu(self.norm2(inner)))
        total: Tensor = self.skip(image) + inner
        return total
