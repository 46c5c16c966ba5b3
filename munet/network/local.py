"""Pixel-aligned features, E_l: two hourglass filters over the picture and the normal maps, read at the vertices."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, interpolate

from munet.network.blocks import ResidualConv, group_norm
from munet.network.config import FilterConfig
from munet.network.inputs import resize

# RGB, front normals, back normals and mask.
LOCAL_PLANES = 10


class LocalMaps(NamedTuple):
    """Feature maps over the crop: coarse (B, C, h, h) and fine (B, D, H, H)."""

    coarse: Tensor
    fine: Tensor


class Hourglass(nn.Module):
    """A residual path at full size plus one that halves, works, and doubles (Newell et al., ECCV 2016)."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.keep = ResidualConv(width, width)
        self.down = ResidualConv(width, width)
        self.inner = Hourglass(width, depth - 1) if depth > 1 else ResidualConv(width, width)
        self.up = ResidualConv(width, width)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        low = self.down(nn.functional.avg_pool2d(image, 2))
        low = self.up(self.inner(low))
        doubled = interpolate(low, image.shape[-2:], mode="bilinear", align_corners=False)
        total: Tensor = self.keep(image) + doubled
        return total


class HourglassFilter(nn.Module):
    """Stem and stacked hourglasses: the filter of PIFuHD (Saito et al., CVPR 2020), with group norms."""

    def __init__(self, config: FilterConfig) -> None:
        super().__init__()
        self.config = config
        quarter, half, width = max(config.width // 4, 8), max(config.width // 2, 8), config.width
        self.stem = nn.Sequential(
            nn.Conv2d(LOCAL_PLANES, quarter, 7, 2, 3, bias=False),
            ResidualConv(quarter, half),
            nn.AvgPool2d(2) if config.shrink == 4 else nn.Identity(),
            ResidualConv(half, half),
            ResidualConv(half, width),
        )
        self.stacks = nn.ModuleList(Hourglass(width, config.depth) for _ in range(config.stacks))
        self.tops = nn.ModuleList(_top(width) for _ in range(config.stacks))
        self.outs = nn.ModuleList(nn.Conv2d(width, config.out, 1) for _ in range(config.stacks))
        self.backs = nn.ModuleList(nn.Conv2d(config.out, width, 1) for _ in range(config.stacks - 1))
        self.throughs = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(config.stacks - 1))

    def forward(self, planes: Tensor) -> Tensor:
        """Filter planes (B, 10, R, R), resized to the filter's own size: (B, out, size / shrink, size / shrink)."""
        image = self.stem(resize(planes, self.config.size))
        for number, (stack, top) in enumerate(zip(self.stacks, self.tops, strict=True)):
            high = top(stack(image))
            features: Tensor = self.outs[number](high)
            if number < len(self.backs):
                image = image + self.throughs[number](high) + self.backs[number](features)
        return features


class LocalEncoder(nn.Module):
    """The coarse and the fine filter."""

    def __init__(self, coarse: FilterConfig, fine: FilterConfig) -> None:
        super().__init__()
        self.coarse = HourglassFilter(coarse)
        self.fine = HourglassFilter(fine)

    def forward(self, rgb: Tensor, mask: Tensor, normals: Tensor) -> LocalMaps:
        """Features of rgb (B, 3, R, R), mask (B, 1, R, R) and front and back normals (B, 6, R, R)."""
        planes = torch.cat([(2 * rgb - 1) * mask, normals, mask], 1)
        return LocalMaps(self.coarse(planes), self.fine(planes))


def sample_maps(maps: LocalMaps, points_image: Tensor) -> Tensor:
    """Bilinear features (B, P, C + D) at image points (B, P, 2) in [-1, 1]; zero outside the crop.

    MuNet, eq. 11, with the neighbourhood of bilinear interpolation. Differentiable in the maps and in the points.
    """
    grid = points_image[:, :, None].float()
    read = [
        grid_sample(features.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)[..., 0]
        for features in maps
    ]
    return torch.cat(read, 1).transpose(1, 2)


def _top(width: int) -> nn.Sequential:
    return nn.Sequential(ResidualConv(width, width), nn.Conv2d(width, width, 1), group_norm(width), nn.ReLU())
