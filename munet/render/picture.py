"""Pictures of meshes for the eye: textured or clay, softly lit, anti-aliased, from any side or over a photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.render.interpolation import interpolate, interpolate_corners
from munet.render.normals import vertex_normals
from munet.render.projection import project
from munet.render.rasteriser import Fragments, rasterise

Floats = NDArray[np.float32]

_SUPERSAMPLING = 2
# Far enough that perspective inside a triangle does not show in parallel views.
_PARALLEL_DEPTH = 100.0
# The light comes from the upper left behind the camera.
_LIGHT = np.array([-0.45, -0.65, -0.62], np.float32)


@dataclass(frozen=True)
class PictureMesh:
    """A mesh to take pictures of.

    Attributes:
        vertices_cam: (V, 3) metres, camera frame (y down).
        faces: (F, 3).
        colour: one colour (3,) float32 in [0, 1], used without a texture.
        uv: (F, 3, 2) per face corner, origin bottom left, or None.
        texture: (T, T, 3) uint8, first row at v = 1, or None.
    """

    vertices_cam: Floats
    faces: NDArray[np.int32]
    colour: tuple[float, float, float] = (0.74, 0.72, 0.70)
    uv: Floats | None = None
    texture: NDArray[np.uint8] | None = None


def turned(vertices_cam: Floats, yaw: float, center: Floats) -> Floats:
    """Turn points (V, 3) by ``yaw`` radians about the vertical axis through ``center`` (3,), which becomes 0."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    rotation = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]], np.float32)
    return np.asarray((vertices_cam - center) @ rotation.T, np.float32)


def parallel_picture(
    mesh: PictureMesh, yaw: float, center: Floats, pixels_per_metre: float, height: int, width: int
) -> Floats:
    """Picture of a mesh in parallel projection.

    Args:
        mesh: what to show; only the outer side of its faces is drawn.
        yaw: radians by which it is turned about the vertical axis through ``center``.
        center: (3,) point shown in the middle.
        pixels_per_metre: scale.
        height: rows.
        width: columns.

    Returns:
        (height, width, 4) float32 in [0, 1]: colour multiplied by coverage, and coverage.
    """
    points = turned(mesh.vertices_cam, yaw, center)
    scale = pixels_per_metre * _SUPERSAMPLING
    image = np.concatenate([points[:, :2] * scale, points[:, 2:] + _PARALLEL_DEPTH], 1)
    image[:, :2] += np.array([width, height], np.float32) * (_SUPERSAMPLING / 2)
    return _picture(mesh, points, torch.from_numpy(image.astype(np.float32)), height, width)


def camera_picture(mesh: PictureMesh, camera_matrix: Floats, height: int, width: int) -> Floats:
    """Picture of a mesh through a camera (3, 3), to lie over a photo of ``height`` x ``width``; as above."""
    matrix = camera_matrix.astype(np.float32) * np.array([[_SUPERSAMPLING], [_SUPERSAMPLING], [1]], np.float32)
    image = project(torch.from_numpy(matrix), torch.from_numpy(mesh.vertices_cam.astype(np.float32)))
    return _picture(mesh, mesh.vertices_cam, image, height, width)


def over(picture: Floats, background: Floats, opacity: float = 1.0) -> Floats:
    """Lay a picture (H, W, 4) over a background (H, W, 3) in [0, 1]."""
    return np.asarray(picture[..., :3] * opacity + background * (1 - picture[..., 3:] * opacity), np.float32)


def _picture(mesh: PictureMesh, points: Floats, image: Tensor, height: int, width: int) -> Floats:
    faces = torch.from_numpy(mesh.faces.astype(np.int64))
    shown = _facing(image, faces)
    normals = vertex_normals(torch.from_numpy(np.ascontiguousarray(points, np.float32)), faces)
    faces = faces[shown]
    rows, columns = height * _SUPERSAMPLING, width * _SUPERSAMPLING
    fragments = rasterise(image[None], faces, rows, columns)
    light = _lighting(interpolate(fragments, faces, normals)[0].numpy(), textured=mesh.texture is not None)
    colour = _surface_colour(mesh, fragments, shown) * light[..., None]
    coverage = fragments.mask[0].numpy().astype(np.float32)[..., None]
    full = np.concatenate([np.clip(colour, 0, 1) * coverage, coverage], -1)
    return np.asarray(cv2.resize(full, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _facing(image: Tensor, faces: Tensor) -> Tensor:
    """Faces (K,) whose outer side is seen; the inner sides of closed meshes never are."""
    x, y = image[faces, :2].unbind(-1)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])
    return (area < 0).nonzero()[:, 0]


def _lighting(normals: Floats, *, textured: bool) -> Floats:
    """Half-Lambert brightness; gentle on textures, which already carry the photo's light."""
    lambert = (normals @ _LIGHT) * 0.5 + 0.5
    light = 0.78 + 0.3 * lambert if textured else 0.3 + 0.8 * lambert**1.5
    return np.asarray(light, np.float32)


def _surface_colour(mesh: PictureMesh, fragments: Fragments, shown: Tensor) -> Floats:
    if mesh.uv is None or mesh.texture is None:
        return np.array(mesh.colour, np.float32)
    place = interpolate_corners(fragments, torch.from_numpy(np.asarray(mesh.uv, np.float32))[shown])[0].numpy()
    return sample_texture(mesh.texture, place)


def sample_texture(texture: NDArray[np.uint8], uv: NDArray[Any]) -> Floats:
    """Colours (H, W, 3) in [0, 1] of a texture at UVs (H, W, 2), bilinear, first row of the texture at v = 1."""
    rows, columns = texture.shape[:2]
    x = (uv[..., 0] * columns - 0.5).astype(np.float32)
    y = ((1 - uv[..., 1]) * rows - 0.5).astype(np.float32)
    found = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32) / np.float32(255)
