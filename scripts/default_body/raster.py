"""A small z-buffer renderer for contact sheets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rotation_y(degrees: float) -> Array:
    """Rotation about the vertical axis."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _pixels(corners: Array, width: int, height: int) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
    """Samples of triangles (F, 3, 2): face of each sample, its barycentrics, and its pixel."""
    low = np.floor(corners.min(1)).astype(int)
    size = np.ceil(corners.max(1)).astype(int) - low + 1
    faces, bary, pixels = [], [], []
    for extent in np.unique(np.minimum(size.max(1), 256)):
        chosen = np.nonzero(np.minimum(size.max(1), 256) == extent)[0]
        grid = np.stack(np.meshgrid(np.arange(extent), np.arange(extent)), -1).reshape(-1, 2)
        points = low[chosen, None] + grid
        a, b, c = (corners[chosen, k, None] for k in range(3))
        cross = lambda u, v: u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]  # noqa: E731
        area = cross(b - a, c - a)
        area = np.where(np.abs(area) < 1e-12, 1e-12, area)
        centre = points + 0.5
        w1, w2 = cross(centre - a, c - a) / area, cross(b - a, centre - a) / area
        weights = np.stack([1 - w1 - w2, w1, w2], -1)
        inside = (weights >= -1e-9).all(-1) & (points >= 0).all(-1) & (points < [width, height]).all(-1)
        rows, columns = np.nonzero(inside)
        faces.append(chosen[rows])
        bary.append(weights[rows, columns])
        hit = points[rows, columns]
        pixels.append(hit[:, 1] * width + hit[:, 0])
    return np.concatenate(faces), np.concatenate(bary), np.concatenate(pixels)


def vertex_normals(vertices: Array, faces: NDArray[np.int64]) -> Array:
    """Area-weighted unit normals."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def shade(
    vertices: Array,
    faces: NDArray[np.int64],
    *,
    yaw: float = 0.0,
    size: tuple[int, int] = (400, 500),
    centre: tuple[float, float] = (0.0, 0.0),
    span: float = 2.1,
    colours: Array | None = None,
    flat: bool = False,
) -> NDArray[np.uint8]:
    """Orthographic view of a mesh, camera on +z of the turned body; ``span`` metres fill the height."""
    width, height = size
    turned = vertices @ rotation_y(yaw).T
    scale = height / span
    screen = np.stack(
        [width / 2 + (turned[:, 0] - centre[0]) * scale, height / 2 - (turned[:, 1] - centre[1]) * scale], -1
    )
    face, bary, pixel = _pixels(screen[faces], width, height)
    depth = (bary * turned[faces[face], 2]).sum(1)
    order = np.argsort(depth, kind="stable")
    if flat:
        a, b, c = (turned[faces[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)[face]
    else:
        normal = (vertex_normals(turned, faces)[faces[face]] * bary[..., None]).sum(1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    light = np.array([-0.45, 0.55, 0.7]) / np.linalg.norm([-0.45, 0.55, 0.7])
    lit = 0.18 + 0.82 * np.clip(normal @ light, 0, 1) * 0.9 + 0.1 * np.clip(normal[:, 2], 0, 1)
    base = np.full((len(face), 3), 0.8) if colours is None else (colours[faces[face]] * bary[..., None]).sum(1)
    base = np.where(normal[:, 2:] < 0, [0.9, 0.2, 0.2], base)
    image = np.full((height * width, 3), 0.93)
    image[pixel[order]] = (base * lit[:, None])[order]
    return (np.clip(image, 0, 1).reshape(height, width, 3) ** (1 / 1.6) * 255).astype(np.uint8)
