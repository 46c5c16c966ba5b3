"""What a detector would say about a picture: landmarks and mask with modest errors, limbs that are missed.

Light noise and dropped limbs train better than a detector's output on renders, which is worse than on photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from munet.training.data.looks import Looks

_SEEN, _HIDDEN = 0.97, 0.35
_NEAR = 0.12
_WILD, _UNSURE = 25.0, 3.0


@dataclass(frozen=True)
class Observed:
    """Landmarks and mask as a detector gives them.

    Attributes:
        landmarks: (B, 33, 2) pixels.
        visibility: (B, 33) in [0, 1]; 0 where lost or outside the image.
        mask: (B, H, W) in [0, 1].
    """

    landmarks: Tensor
    visibility: Tensor
    mask: Tensor


def observe(looks: Looks, landmarks: Tensor, depth: Tensor, surface_depth: Tensor, mask: Tensor) -> Observed:
    """Make mistakes.

    Args:
        looks: the drawn mistakes.
        landmarks: (B, 33, 2) true pixels.
        depth: (B, 33) metres of the landmarks.
        surface_depth: (B, H, W) metres of the clothed surface, 0 where there is none.
        mask: (B, H, W) bool, true mask of what is seen.
    """
    size = mask.shape[-1]
    height = (landmarks[..., 1].amax(1) - landmarks[..., 1].amin(1))[:, None, None]
    inside = ((landmarks >= 0) & (landmarks < size)).all(-1)
    index = landmarks.long().clamp(0, size - 1)
    batch = torch.arange(len(mask), device=mask.device)[:, None]
    seen_depth = surface_depth[batch, index[..., 1], index[..., 0]]
    hidden = (depth > seen_depth + _NEAR) & (seen_depth > 0)
    visibility = torch.where(hidden, _HIDDEN, _SEEN) * inside * (looks.lost < 0.5)
    # A lost point is a wild guess: were it the truth with a low score, a network would learn to read it.
    wild = 1 + (_WILD - 1) * looks.lost + (_UNSURE - 1) * hidden
    observed = landmarks + looks.noise * height * wild[..., None]
    return Observed(observed, visibility, _rough_mask(looks, mask.to(landmarks)))


def _rough_mask(looks: Looks, mask: Tensor) -> Tensor:
    """Bend the outline by a few pixels and soften it."""
    size = mask.shape[-1]
    place = (torch.arange(size, device=mask.device) + 0.5) / size
    y, x = torch.meshgrid(place, place, indexing="ij")
    waves = looks.mask_waves[..., None, None]
    wave = ((waves[:, :, 0] * x + waves[:, :, 1] * y) * 2 * math.pi + waves[:, :, 2]).sin() * waves[:, :, 3]
    half = wave.shape[1] // 2
    shift = torch.stack([wave[:, :half].sum(1), wave[:, half:].sum(1)], -1) * (2 / 256)
    grid = torch.stack([x, y], -1) * 2 - 1 + shift
    bent = grid_sample(mask[:, None], grid, align_corners=False)
    return avg_pool2d(bent, 3, 1, 1)[:, 0]
