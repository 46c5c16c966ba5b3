"""The rasteriser: which face is seen in which pixel, where on that face, and how far away."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.render.coverage import covered_pixels

NEAR_METRES = 1e-3
_CHUNK_PIXELS = 1 << 20


@dataclass(frozen=True)
class Fragments:
    """What each pixel sees.

    Attributes:
        face_index: (B, H, W) int64 nearest face, -1 where there is none.
        barycentric: (B, H, W, 3) perspective-correct weights of the face's corners, zero where there is none.
        depth: (B, H, W) metres along the optical axis, zero where there is none.
    """

    face_index: Tensor
    barycentric: Tensor
    depth: Tensor

    @property
    def mask(self) -> Tensor:
        """(B, H, W) bool: the pixel sees a face."""
        return self.face_index >= 0


@torch.no_grad()
def rasterise(vertices_image: Tensor, faces: Tensor, height: int, width: int) -> Fragments:
    """Find the nearest face of every pixel.

    Both sides of a face are seen. Faces with a corner nearer than ``NEAR_METRES`` or behind the camera are left out
    as a whole; faces that end outside the image are cut at its border. At equal depth the lower face index wins.
    No gradient flows through the result: see :func:`munet.render.interpolation.barycentric_coordinates`.

    Args:
        vertices_image: (B, V, 3) x and y in pixels (centres at integer + 0.5), depth in metres.
        faces: (F, 3) int64 vertex indices, shared by the batch.
        height: rows of the image.
        width: columns of the image.

    Returns:
        The fragments, in the dtype and on the device of ``vertices_image``.

    Raises:
        InvalidInputError: a shape, an index or the image size is wrong.
    """
    _validate(vertices_image, faces, height, width)
    batch, face_count = vertices_image.shape[0], faces.shape[0]
    corners = vertices_image[:, faces].reshape(batch * face_count, 3, 3)
    in_front = (corners[..., 2] > NEAR_METRES).all(1)
    usable = torch.where(in_front[:, None, None], corners[..., :2], torch.inf)
    triangle, row, column = covered_pixels(usable, height, width)
    image = torch.div(triangle, max(face_count, 1), rounding_mode="floor")
    pixel = (image * height + row) * width + column
    nearest = _nearest_triangle(corners, triangle, pixel, row, column, batch * height * width)
    return _fragments(corners, nearest, (batch, height, width), face_count)


def _validate(vertices_image: Tensor, faces: Tensor, height: int, width: int) -> None:
    if vertices_image.dim() != 3 or vertices_image.shape[-1] != 3 or not vertices_image.is_floating_point():
        raise InvalidInputError(
            "vertices_image must be a floating point tensor (B, V, 3).",
            detail=f"found {tuple(vertices_image.shape)} {vertices_image.dtype}",
        )
    if faces.dim() != 2 or faces.shape[-1] != 3 or faces.dtype != torch.int64:
        raise InvalidInputError("faces must be (F, 3) int64.", detail=f"found {tuple(faces.shape)} {faces.dtype}")
    if height < 1 or width < 1:
        raise InvalidInputError("The image must have pixels.", detail=f"found {width} x {height}")
    if faces.numel() and not (int(faces.min()) >= 0 and int(faces.max()) < vertices_image.shape[1]):
        raise InvalidInputError(
            "faces point to vertices that do not exist.",
            detail=f"expected 0 to {vertices_image.shape[1] - 1}, found {int(faces.min())} to {int(faces.max())}",
        )


def _nearest_triangle(
    corners: Tensor, triangle: Tensor, pixel: Tensor, row: Tensor, column: Tensor, pixels: int
) -> Tensor:
    """Triangle (pixels,) with the greatest inverse depth at each pixel, -1 where none covers it."""
    inverse = _inverse_depth(corners, triangle, row, column)
    best = inverse.new_zeros(pixels).scatter_reduce_(0, pixel, inverse, "amax")
    wins = (inverse >= best[pixel]).nonzero()[:, 0]
    none = corners.shape[0]
    winner = torch.full((pixels,), none, dtype=torch.int64, device=corners.device)
    winner.scatter_reduce_(0, pixel[wins], triangle[wins], "amin")
    return torch.where(winner == none, -1, winner)


def _inverse_depth(corners: Tensor, triangle: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Inverse depth at pixel centres: affine over the image within a triangle, kept between its corners' values."""
    inverse = 1 / corners[..., 2]
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0])[:, :2].T, (corners[:, 2] - corners[:, 0])[:, :2].T
    area = ax * by - ay * bx
    scale = torch.where(area == 0, 0.0, 1 / area)
    da, db = inverse[:, 1] - inverse[:, 0], inverse[:, 2] - inverse[:, 0]
    step_x, step_y = (da * by - db * ay) * scale, (db * ax - da * bx) * scale
    base = inverse[:, 0] - step_x * (corners[:, 0, 0] - 0.5) - step_y * (corners[:, 0, 1] - 0.5)
    value = base[triangle] + step_x[triangle] * column + step_y[triangle] * row
    return torch.clamp(value, inverse.amin(1)[triangle], inverse.amax(1)[triangle])


def _fragments(corners: Tensor, nearest: Tensor, shape: tuple[int, int, int], face_count: int) -> Fragments:
    _, height, width = shape
    barycentric, depth = corners.new_zeros(len(nearest), 3), corners.new_zeros(len(nearest))
    # In pieces, because the corners gathered for every pixel of a big texture would take most of the memory.
    for part in torch.split((nearest >= 0).nonzero()[:, 0], _CHUNK_PIXELS):
        centers = torch.stack([part % width, torch.div(part, width, rounding_mode="floor") % height], -1) + 0.5
        weights, part_depth = perspective_weights(corners[nearest[part]], centers.to(corners.dtype))
        weights = weights.clamp_min(0)
        barycentric[part] = weights / weights.sum(-1, keepdim=True)
        depth[part] = part_depth
    face_index = torch.where(nearest >= 0, nearest % max(face_count, 1), -1)
    return Fragments(face_index.reshape(shape), barycentric.reshape(*shape, 3), depth.reshape(shape))


def perspective_weights(corners: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Perspective-correct barycentric weights of image points in triangles, differentiable.

    Args:
        corners: (N, 3, 3) corners: x, y in pixels, depth in metres.
        centers: (N, 2) points in pixels.

    Returns:
        Weights (N, 3) that sum to 1, and depth (N,).
    """
    rays = corners[..., :2] - centers[:, None]
    x, y = rays.unbind(-1)
    areas = torch.stack(
        [
            x[:, 1] * y[:, 2] - y[:, 1] * x[:, 2],
            x[:, 2] * y[:, 0] - y[:, 2] * x[:, 0],
            x[:, 0] * y[:, 1] - y[:, 0] * x[:, 1],
        ],
        -1,
    )
    total = areas.sum(-1, keepdim=True)
    degenerate = total.abs() < 1e-12
    flat = torch.where(degenerate, 1 / 3, areas / torch.where(degenerate, torch.ones_like(total), total))
    scaled = flat / corners[..., 2]
    inverse = scaled.sum(-1, keepdim=True)
    return scaled / inverse, 1 / inverse[..., 0]
