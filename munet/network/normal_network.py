"""Front and back normal maps of the clothed person, from the picture and the body's own normals."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle

from munet.network.blocks import ResidualConv, group_norm
from munet.network.camera import project
from munet.render import interpolate as interpolate_values
from munet.render import rasterise, vertex_normals

# RGB, mask, body normals of front and back.
_PLANES = 10
# Depths around this value change by so little that weights inside a face are those of the picture, and float32 still
# orders them to 0.1 mm.
_FAR = 50.0
# Raw normals much shorter than this stay short, which bounds the slope where the body shows nothing.
_SOFT_LENGTH = 0.05


class NormalNetwork(nn.Module):
    """A U-Net that changes the body's normals into the clothing's; it starts by leaving them as they are.

    The condition on the body is that of ICON (Xiu et al., CVPR 2022, section 3.1), with both sides in one network.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4 * _PLANES, widths[0], 3, 1, 1)
        self.down_blocks = nn.ModuleList(ResidualConv(width, width) for width in widths)
        self.shrinks = nn.ModuleList(nn.Conv2d(before, after, 3, 2, 1) for before, after in itertools.pairwise(widths))
        self.lifts = nn.ModuleList(nn.Conv2d(after, before, 1) for before, after in itertools.pairwise(widths))
        self.up_blocks = nn.ModuleList(ResidualConv(width, width) for width in widths[:-1])
        last = nn.Conv2d(widths[0], 24, 3, 1, 1)
        self.out = nn.Sequential(group_norm(widths[0]), nn.ReLU(), last)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, rgb: Tensor, mask: Tensor, body_normals: Tensor) -> Tensor:
        """Estimate normals.

        Args:
            rgb: (B, 3, R, R) in [0, 1], R a multiple of 16.
            mask: (B, 1, R, R).
            body_normals: (B, 6, R, R) front and back normals of the body.

        Returns:
            (B, 6, R, R) front and back, of unit length times the mask; shorter where the network does not know.
        """
        planes = torch.cat([(2 * rgb - 1) * mask, mask, body_normals], 1)
        image = self.stem(pixel_unshuffle(planes, 2))
        kept = []
        for number, block in enumerate(self.down_blocks):
            image = block(image if number == 0 else self.shrinks[number - 1](image))
            kept.append(image)
        for number in reversed(range(len(self.up_blocks))):
            lifted = interpolate(self.lifts[number](image), scale_factor=2.0, mode="bilinear", align_corners=False)
            image = self.up_blocks[number](kept[number] + lifted)
        raw = body_normals + pixel_shuffle(self.out(image), 2).float()
        return torch.cat([_shortened(side) for side in raw.chunk(2, 1)], 1) * mask


def _shortened(raw: Tensor) -> Tensor:
    return raw * torch.rsqrt(raw.square().sum(1, keepdim=True) + _SOFT_LENGTH**2)


@torch.no_grad()
def body_normal_maps(
    vertices_body: Tensor, faces: Tensor, camera: Tensor, size: int, intrinsics: Tensor | None = None
) -> Tensor:
    """Normals of the nearest and of the farthest surface of a body behind every pixel, without gradient.

    Args:
        vertices_body: (B, V, 3) metres, body frame.
        faces: (F, 3) int64.
        camera: (B, 3) weak perspective.
        size: edge of the maps in pixels.
        intrinsics: (B, 3) for the pinhole camera that the weak one stands for.

    Returns:
        (B, 6, size, size) front and back unit normals, body frame, zero on the background.
    """
    return body_maps(vertices_body, faces, camera, size, intrinsics)[:, :6]


@torch.no_grad()
def body_maps(
    vertices_body: Tensor, faces: Tensor, camera: Tensor, size: int, intrinsics: Tensor | None = None
) -> Tensor:
    """:func:`body_normal_maps` and the heights of both surfaces, without gradient.

    Returns:
        (B, 8, size, size): front and back normals, then metres from the pelvis towards the viewer of the nearest and
        of the farthest surface; zero on the background.
    """
    body = vertices_body.float()
    place = None if intrinsics is None else intrinsics.float()
    pixels = (project(body, camera.float(), place) + 1) * (size / 2)
    values = torch.cat([vertex_normals(body, faces), body[..., 2:]], -1)
    sides = []
    for towards in (1, -1):
        fragments = rasterise(torch.cat([pixels, _FAR - towards * body[..., 2:]], -1), faces, size, size)
        sides.append(interpolate_values(fragments, faces, values).permute(0, 3, 1, 2))
    front, back = sides
    normals = [nn.functional.normalize(side[:, :3], dim=1, eps=1e-20) for side in (front, back)]
    return torch.cat([*normals, front[:, 3:], back[:, 3:]], 1)
