"""Colours of texels taken from the photo, with the confidence that the photo really shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from munet.render import vertex_normals
from munet.texture.atlas import Texels
from munet.texture.visibility import View, smooth_ramp

Floats = NDArray[np.float32]

# Cosines between normal and line of sight: nothing is taken below the first, everything above the second.
_GRAZING = (0.12, 0.42)
_ROW = 4096


@dataclass(frozen=True)
class Seen:
    """Colours from the photo.

    Attributes:
        colour: (N, 3) float32 sRGB 0 to 255; meaningless where ``weight`` is 0.
        weight: (N,) float32 in [0, 1].
    """

    colour: Floats
    weight: Floats


@dataclass(frozen=True)
class Projected:
    """Vertices as the camera sees them: pixel of the photo, depth, cosine of normal and line of sight: (S, 4)."""

    values: Floats

    def of(self, vertices: NDArray[np.int64]) -> Projected:
        """Return the same surface with every vertex replaced by another one (its mirror image, for instance)."""
        return Projected(self.values[vertices])


def project_vertices(vertices_cam: Floats, faces: NDArray[np.int32], view: View) -> Projected:
    """Project a surface (S, 3), (G, 3) into the photo of ``view``."""
    normals = vertex_normals(torch.from_numpy(vertices_cam), torch.from_numpy(faces.astype(np.int64))).numpy()
    away = vertices_cam / np.maximum(np.linalg.norm(vertices_cam, axis=1, keepdims=True), 1e-9)
    cosine = -(normals * away).sum(1, keepdims=True)
    ahead = np.maximum(vertices_cam[:, 2:], 1e-3)
    pixels = view.camera.project(np.concatenate([vertices_cam[:, :2], ahead], 1))
    return Projected(np.concatenate([pixels, vertices_cam[:, 2:], cosine], 1).astype(np.float32))


def sample_photo(texels: Texels, projected: Projected, view: View, image: NDArray[np.uint8]) -> Seen:
    """Take the colour of every texel from the photo.

    Args:
        texels: of the surface.
        projected: its vertices in the photo.
        view: what the photo shows.
        image: (H, W, 3) uint8 photo.

    Returns:
        Colours and confidences.
    """
    colour = np.zeros((len(texels.index), 3), np.float32)
    weight = np.zeros(len(texels.index), np.float32)
    turned = projected.values[:, 3] > _GRAZING[0]
    first, second, third = texels.corners.T
    candidates = np.flatnonzero(turned[first] | turned[second] | turned[third])
    values = texels.pick(candidates).carry(projected.values)
    pixel, depth, cosine = values[:, :2], values[:, 2], values[:, 3]
    trust = lookup(view.trust, pixel, cv2.INTER_LINEAR) * smooth_ramp(cosine, *_GRAZING)
    trust *= depth <= lookup(view.limit, pixel, cv2.INTER_NEAREST)
    found = np.flatnonzero(trust > 0)
    weight[candidates[found]] = trust[found]
    photo_pixel = pixel[found] / np.float32(view.scale) + np.array([view.left, view.top], np.float32)
    colour[candidates[found]] = lookup(image, photo_pixel, cv2.INTER_LINEAR)
    return Seen(colour, weight)


def lookup(image: NDArray[Any], pixel: Floats, interpolation: int) -> Floats:
    """Values of an image at pixels (N, 2), pixel centres at integer + 0.5; (N,) or (N, channels)."""
    count = len(pixel)
    rows = -(-count // _ROW)
    # OpenCV wants a two-dimensional list of places and puts pixel centres at integers.
    places = np.full((2, rows * _ROW), -1e4, np.float32)
    places[:, :count] = pixel.T - 0.5
    x, y = places.reshape(2, rows, _ROW)
    if count == 0:
        return np.zeros((0, *image.shape[2:]), np.float32)
    border = cv2.BORDER_REPLICATE if image.ndim == 3 else cv2.BORDER_CONSTANT
    found = np.asarray(cv2.remap(image, x, y, interpolation, borderMode=border), np.float32)
    return found.reshape(rows * _ROW, *image.shape[2:])[:count]
