"""Pixel-aligned features, E_l: two hourglass filters over the picture and the normal maps, read at the vertices."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, interpolate

from munet.network.blocks import ResidualConv, group_norm
from munet.network.config import FilterConfig
from munet.network.inputs import outline_distance, resize

_GAP = 0.3


class LocalMaps(NamedTuple):
    """Feature maps over the crop: coarse (B, C, h, h) and fine (B, D, H, H).

    ``scene`` (B, 3, R, R), where vertices are to know it: distance to the outline and the heights of the body's nearest
    and farthest surface in metres.
    """

    coarse: Tensor
    fine: Tensor
    scene: Tensor | None = None


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

    def __init__(self, config: FilterConfig, planes: int) -> None:
        super().__init__()
        self.config = config
        quarter, half, width = max(config.width // 4, 8), max(config.width // 2, 8), config.width
        self.stem = nn.Sequential(
            nn.Conv2d(planes, quarter, 7, 2, 3, bias=False),
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
        """Filter planes (B, C, R, R), resized to the filter's own size: (B, out, size / shrink, size / shrink)."""
        image = self.stem(resize(planes, self.config.size))
        for number, (stack, top) in enumerate(zip(self.stacks, self.tops, strict=True)):
            high = top(stack(image))
            features: Tensor = self.outs[number](high)
            if number < len(self.backs):
                image = image + self.throughs[number](high) + self.backs[number](features)
        return features


class LocalEncoder(nn.Module):
    """The coarse and the fine filter."""

    def __init__(self, coarse: FilterConfig, fine: FilterConfig, planes: int) -> None:
        super().__init__()
        self.coarse = HourglassFilter(coarse, planes)
        self.fine = HourglassFilter(fine, planes)

    def forward(self, rgb: Tensor, mask: Tensor, normals: Tensor, of_body: Tensor | None = None) -> LocalMaps:
        """Filter the picture.

        Args:
            rgb: (B, 3, R, R) in [0, 1].
            mask: (B, 1, R, R).
            normals: (B, 6, R, R) front and back normals.
            of_body: (B, 8, R, R) of :func:`munet.network.normal_network.body_maps`, for networks that are informed.
        """
        planes = [(2 * rgb - 1) * mask, normals, mask]
        if of_body is None:
            together = torch.cat(planes, 1)
            return LocalMaps(self.coarse(together), self.fine(together))
        outline = outline_distance(mask)
        together = torch.cat([*planes, outline, of_body], 1)
        return LocalMaps(self.coarse(together), self.fine(together), torch.cat([outline, of_body[:, 6:]], 1))


def sample_maps(maps: LocalMaps, points_image: Tensor) -> Tensor:
    """Bilinear features (B, P, C + D) at image points (B, P, 2) in [-1, 1]; zero outside the crop.

    MuNet, eq. 11, with the neighbourhood of bilinear interpolation. Differentiable in the maps and in the points.
    """
    return torch.cat([read_map(maps.coarse, points_image), read_map(maps.fine, points_image)], -1)


def read_map(image: Tensor, points_image: Tensor) -> Tensor:
    """Bilinear values (B, P, C) of a map (B, C, H, W) at image points (B, P, 2) in [-1, 1]; zero outside the crop."""
    grid = points_image[:, :, None].float()
    read = grid_sample(image.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return read[..., 0].transpose(1, 2)


def informed_values(scene: Tensor, points_image: Tensor, vertices_body: Tensor, template_unit: Tensor) -> Tensor:
    """What vertices know besides the features (B, V, 6).

    Args:
        scene: of :class:`LocalMaps`.
        points_image: (B, V, 2) where the vertices are seen.
        vertices_body: (B, V, 3) metres, body frame.
        template_unit: (V, 3).

    Returns:
        Place on the template, distance to the outline, height of the nearest surface over the vertex and of the vertex
        over the farthest (30 cm is 1).
    """
    outline, nearest, farthest = read_map(scene, points_image).unbind(-1)
    height = vertices_body[..., 2]
    gaps = torch.stack([nearest - height, height - farthest], -1) / _GAP
    template = template_unit.expand(len(scene), -1, -1)
    return torch.cat([template, outline[..., None], gaps.clamp(-1, 1)], -1)


def _top(width: int) -> nn.Sequential:
    return nn.Sequential(ResidualConv(width, width), nn.Conv2d(width, width, 1), group_norm(width), nn.ReLU())
