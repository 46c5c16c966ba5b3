"""The encoder of the whole picture, E_g: ResNet-50 as in the paper, or a small one that keeps the layout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from munet.network.blocks import ResidualConv, group_norm
from munet.network.config import LANDMARK_COUNT, EncoderConfig

_RESNET50_BLOCKS = (3, 4, 6, 3)
_LAYOUT_CHANNELS = 32
# Blocks after which the grid has an eighth of the picture's size.
_TO_EIGHTH = 4


class PersonEncoder(nn.Module):
    """The feature of a person: that of the picture, and the landmarks' code where the configuration has one.

    Where the configuration wants it, a map for the vertices comes from the small encoder's grid of an eighth.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.picture = ResNet50(config.in_channels) if config.kind == "resnet50" else SmallEncoder(config)
        code = config.landmark_features
        self.landmarks = LandmarkEncoder(LANDMARK_COUNT, code) if code else None
        self.features = config.features + code

    def forward(self, planes: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor | None]:
        """Encode planes (B, C, size, size) and landmarks (B, 33, 3).

        Returns:
            The feature (B, features) and the vertices' map (B, vertex_features, size / 8, size / 8), if there is one.
        """
        feature, places = self.picture(planes)
        if self.landmarks is None:
            return feature, places
        return torch.cat([feature, self.landmarks(landmarks).to(feature.dtype)], -1), places


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride) and 1x1 convolutions with batch norms, plus the input."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = 4 * width
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            if stride != 1 or channels != out
            else nn.Identity()
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 4 width, H / stride, W / stride)."""
        inner = relu(self.bn1(self.conv1(image)))
        inner = relu(self.bn2(self.conv2(inner)))
        return relu(self.bn3(self.conv3(inner)) + self.downsample(image))


class ResNet50(nn.Module):
    """ResNet-50 without its classifier, averaged over the picture: (B, C, S, S) to (B, 2048).

    He et al., "Deep Residual Learning", CVPR 2016, table 1, with the stride in the 3x3 convolution. Parameters have the
    customary names, so that weights of other programs can be read; more than three input planes need their first
    convolution extended. In ``eval`` mode the batch norms use stored statistics.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels, stages = 64, []
        for level, count in enumerate(_RESNET50_BLOCKS):
            width = 64 << level
            blocks = [Bottleneck(channels, width, 1 if level == 0 else 2)]
            blocks += [Bottleneck(4 * width, width, 1) for _ in range(count - 1)]
            channels = 4 * width
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages

    def forward(self, planes: Tensor) -> tuple[Tensor, None]:
        """Encode planes (B, C, S, S)."""
        image = nn.functional.max_pool2d(relu(self.bn1(self.conv1(planes))), 3, 2, 1)
        image = self.layer4(self.layer3(self.layer2(self.layer1(image))))
        return image.mean((2, 3)), None


class SmallEncoder(nn.Module):
    """Residual blocks at four scales; the last grid is read cell by cell, because the layout holds the pose."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        first, *rest = config.widths
        self.stem = nn.Sequential(
            nn.Conv2d(config.in_channels, first, 5, 2, 2, bias=False),
            group_norm(first),
            nn.ReLU(),
            nn.Conv2d(first, first, 3, 2, 1, bias=False),
        )
        blocks: list[nn.Module] = [ResidualConv(first, first), ResidualConv(first, first)]
        for before, width in zip(config.widths, rest, strict=False):
            blocks += [ResidualConv(before, width, 2), ResidualConv(width, width)]
        self.blocks = nn.Sequential(*blocks)
        wanted = config.vertex_features
        self.places = nn.Conv2d(config.widths[1], wanted, 1) if wanted else None
        self.norm = group_norm(config.widths[-1])
        self.squeeze = nn.Conv2d(config.widths[-1], _LAYOUT_CHANNELS, 1)
        cells = (config.size // (4 << len(rest))) ** 2
        self.head = nn.Linear(_LAYOUT_CHANNELS * cells + config.widths[-1], config.features)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor | None]:
        """Encode planes (B, C, S, S) as (B, features), with the vertices' map (B, D, S / 8, S / 8) where wanted."""
        middle = self.blocks[:_TO_EIGHTH](self.stem(planes))
        places = None if self.places is None else self.places(relu(middle))
        image = relu(self.norm(self.blocks[_TO_EIGHTH:](middle)))
        layout = relu(self.squeeze(image)).flatten(1)
        feature: Tensor = self.head(torch.cat([layout, image.mean((2, 3)).to(layout.dtype)], -1))
        return feature, places


class LandmarkEncoder(nn.Module):
    """Places and visibility of the landmarks as they are: what heat maps say, without having to find it."""

    def __init__(self, landmarks: int, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3 * landmarks, features), nn.ReLU(), nn.Linear(features, features), nn.ReLU()
        )

    def forward(self, landmarks: Tensor) -> Tensor:
        """Encode landmarks (B, L, 3): x, y, visibility; the places of hidden ones count as little as they are seen."""
        places, visibility = landmarks[..., :2], landmarks[..., 2:]
        code: Tensor = self.layers(torch.cat([places * visibility, visibility], -1).flatten(1))
        return code
