"""What the fold network sees: shading freed from exposure and, as far as that goes, from dye; mask; smooth normals."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.folds.relief import smoothed

PIXELS_PER_METRE = 512.0
"""Scale of the pictures: folds have a size, and the network knows it."""
PLANES = 10
# Pixels over which brightness is averaged, from a crease to half a trunk.
_NEAR, _AROUND, _FAR = 6.0, 20.0, 48.0
_DARK = 0.02
_LUMA = (0.2126, 0.7152, 0.0722)
_GAMMA = 2.2


def planes_of(image: Tensor, mask: Tensor, normals: Tensor) -> Tensor:
    """Planes (B, PLANES, H, W) of a picture, zero outside the mask.

    Args:
        image: (B, 3, H, W) sRGB in [0, 1], at ``PIXELS_PER_METRE``.
        mask: (B, H, W) in [0, 1] of the person.
        normals: (B, 3, H, W) of the person without folds, camera frame.

    Returns:
        Brightness against three surroundings, the nearest also by its own contrast; colour against its surroundings;
        the mask; normals.
    """
    light = image.clamp(0, 1) ** _GAMMA
    luma = (light * light.new_tensor(_LUMA)[:, None, None]).sum(1)
    values = torch.cat([luma[:, None], light], 1).add(_DARK).log()
    bright, red, green, blue = values.unbind(1)
    signals = torch.stack([bright, red - green, blue - green], 1)
    near = _within(signals[:, :1], mask, _NEAR)
    around = _within(signals, mask, _AROUND)
    far = _within(signals[:, :1], mask, _FAR)
    edge = signals[:, :1] - near
    middle = signals - around
    contrast = _within(middle[:, :1] ** 2, mask, _AROUND).clamp_min(0).sqrt()
    shown = [
        3 * edge,
        middle[:, :1] / (contrast + 0.04),
        2 * middle[:, :1],
        signals[:, :1] - far,
        3 * middle[:, 1:],
    ]
    inside = mask[:, None]
    return torch.cat([torch.cat(shown, 1).clamp(-4, 4) * inside, inside, normals * inside], 1)


def _within(values: Tensor, mask: Tensor, sigma: float) -> Tensor:
    """Mean of pictures (B, C, H, W) around each pixel, over the mask alone."""
    inside = mask[:, None]
    return smoothed(values * inside, sigma) / smoothed(inside, sigma).clamp_min(1e-3)
