"""The UV atlas of a surface as a list of texels, each with its face and its place on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from munet.errors import InvalidInputError
from munet.render.coverage import covered_pixels

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Texels:
    """Texels covered by the atlas, N of them.

    Attributes:
        size: edge of the square texture in pixels.
        index: (N,) int64 flat position in the texture, first row at the top.
        corners: (N, 3) int64 vertex indices of the texel's face.
        weights: (N, 3) float32 barycentric.
    """

    size: int
    index: NDArray[np.int64]
    corners: NDArray[np.int64]
    weights: Floats

    def carry(self, values: Floats) -> Floats:
        """Interpolate vertex values (S, C) at the texels: (N, C)."""
        result = values[self.corners[:, 0]] * self.weights[:, :1]
        for corner in (1, 2):
            result += values[self.corners[:, corner]] * self.weights[:, corner : corner + 1]
        return result

    def pick(self, chosen: NDArray[np.int64]) -> Texels:
        """Return only the texels at the positions ``chosen`` of this list."""
        return Texels(self.size, self.index[chosen], self.corners[chosen], self.weights[chosen])

    def gather(self, values: Floats, weights: Floats, vertices: int) -> tuple[Floats, Floats]:
        """Average texel values (N, C) with ``weights`` (N,) at the vertices: means (S, C) and weight sums (S,)."""
        share = (self.weights * weights[:, None]).ravel()
        corner = self.corners.ravel()
        total = np.bincount(corner, share, vertices)
        sums = [np.bincount(corner, share * np.repeat(column, 3), vertices) for column in values.T]
        means = np.stack(sums, 1) / np.maximum(total, 1e-9)[:, None]
        return means.astype(np.float32), total.astype(np.float32)

    def area(self, vertices: int) -> Floats:
        """Texels that belong to each vertex, shared by their barycentric weights: (S,)."""
        return np.bincount(self.corners.ravel(), self.weights.ravel(), vertices).astype(np.float32)


def texels_of(faces: NDArray[np.int32], uv: Floats, size: int) -> Texels:
    """Rasterise an atlas.

    Args:
        faces: (G, 3) vertex indices.
        uv: (G, 3, 2) per face corner, origin bottom left.
        size: edge of the texture in pixels.

    Returns:
        The texels whose centre is covered.

    Raises:
        InvalidInputError: the UVs do not belong to the faces.
    """
    if uv.shape != (len(faces), 3, 2):
        raise InvalidInputError(
            "UVs must have one pair per face corner.", detail=f"expected {(len(faces), 3, 2)}, found {uv.shape}"
        )
    corners = np.stack([uv[..., 0], 1 - uv[..., 1]], -1).astype(np.float32) * np.float32(size)
    covered = covered_pixels(torch.from_numpy(corners), size, size)
    owner = np.full(size * size, -1, np.int64)
    # Where islands overlap by mistake the lower face wins: it is written last.
    owner[(covered.row * size + covered.column).numpy()[::-1]] = covered.triangle.numpy()[::-1]
    index = np.flatnonzero(owner >= 0)
    face = owner[index]
    return Texels(size, index, faces[face].astype(np.int64), _barycentric(corners, face, index, size))


def _barycentric(corners: Floats, face: NDArray[np.int64], index: NDArray[np.int64], size: int) -> Floats:
    """Weights (N, 3) of texel centres in their triangles of ``corners`` (G, 3, 2)."""
    first, along, across = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    scale = np.where(np.abs(area) < 1e-12, 0, 1 / np.where(area == 0, 1, area))[:, None]
    second = np.stack([across[:, 1], -across[:, 0]], 1) * scale
    third = np.stack([-along[:, 1], along[:, 0]], 1) * scale
    row, column = np.divmod(index, size)
    place = np.stack([column, row], 1).astype(np.float32) + np.float32(0.5) - first[face]
    weights = np.empty((len(index), 3), np.float32)
    weights[:, 1] = (place * second[face]).sum(1)
    weights[:, 2] = (place * third[face]).sum(1)
    weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
    np.maximum(weights, 0, out=weights)
    weights /= weights.sum(1, keepdims=True)
    return weights
