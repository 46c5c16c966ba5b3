"""What a camera makes of light: exposure, blur, noise, sharpening, jpeg."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from munet.folds.relief import smoothed
from munet.training.folds.draws import Draws, spread

_BRIGHT = 0.8


def take(draws: Draws, linear: Tensor, mask: Tensor) -> Tensor:
    """Turn linear light (B, 3, N, N) into sRGB pictures (B, 3, N, N) in [0, 1] of a camera.

    Args:
        draws: random numbers.
        linear: light of the person.
        mask: (B, N, N) of the person; the rest becomes a background.
    """
    inside = mask[:, None]
    count = inside.sum((1, 2, 3), keepdim=True).clamp_min(1)
    mean = (linear * inside).sum((1, 2, 3), keepdim=True) / (3 * count)
    wanted = spread(draws.between(0.05, 0.55))[:, None]
    gain = torch.minimum(wanted / mean, _BRIGHT * 2 / mean).clamp(0.3, 6)
    scene = linear * gain
    behind = spread(draws.between(0, 1, 3)) * (1 + 0.3 * draws.clouds(6, 3)).clamp_min(0)
    scene = scene * inside + behind * (1 - inside)
    scene = _blurred(draws, scene)
    noise = draws.grain(3) * (scene.clamp_min(0) * 0.5 + 0.02).sqrt()
    scene = scene + noise * spread(0.03 * draws.between(0, 1) ** 2)[:, None]
    shown = scene.clamp(0, 1) ** (1 / spread(draws.between(1.9, 2.5))[:, None])
    curve = spread(draws.between(-0.1, 0.35))[:, None]
    shown = shown + curve * (shown * shown * (3 - 2 * shown) - shown)
    crisp = spread(draws.chance(0.4) * draws.between(0, 0.8))[:, None]
    return _jpeg(draws, (shown + crisp * (shown - smoothed(shown, 1.2))).clamp(0, 1))


def _blurred(draws: Draws, scene: Tensor) -> Tensor:
    """Lens, and photos with fewer pixels than the network's picture; one of both for the whole batch."""
    scene = smoothed(scene, float(draws.between(0, 1.2)[0]))
    shrink = float(draws.scaled(0.35, 1.4)[0])
    if shrink > 0.95:
        return scene
    small = interpolate(scene, scale_factor=shrink, mode="bilinear", antialias=True)
    return interpolate(small, size=scene.shape[-2:], mode="bicubic")


def _jpeg(draws: Draws, shown: Tensor) -> Tensor:
    quality = draws.between(40, 98)
    for index in torch.nonzero(draws.chance(0.4))[:, 0].tolist():
        picture = np.rint(shown[index].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(quality[index])])
        read = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.float32)
        shown[index] = torch.from_numpy(read.transpose(2, 0, 1) / 255)
    return shown
