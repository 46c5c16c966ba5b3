"""A textured figure in front of a camera, made of a few rounded pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.render import interpolate_corners, project, rasterise
from munet.surface.result import ClothedSurface

SIZE = 320
BACKGROUND = (255, 0, 255)


@dataclass(frozen=True)
class Scene:
    """A figure, the photo of it and the texture it was painted with."""

    surface: ClothedSurface
    fit: BodyFit
    photo: Photo
    observation: PersonObservation
    texture: NDArray[np.uint8]


def tube(rings: int, around: int) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Closed ellipsoid with a seam at the back: unit vertices, faces, UVs inside [0.02, 0.98]."""
    angle = np.arange(around) * 2 * np.pi / around
    height = np.linspace(-1, 1, rings + 2)[1:-1]
    radius = np.sqrt(1 - height**2)
    ring = np.stack(
        [np.outer(radius, -np.sin(angle)), np.repeat(height[:, None], around, 1), np.outer(radius, -np.cos(angle))], -1
    ).reshape(-1, 3)
    vertices = np.concatenate([ring, [[0, -1, 0], [0, 1, 0]]])
    faces, uv = [], []

    def corner(row: int, step: int) -> tuple[float, float]:
        return 0.02 + 0.96 * step / around, 0.02 + 0.96 * (row + 1) / (rings + 1)

    for step in range(around):
        after = (step + 1) % around
        for row in range(rings - 1):
            a, b = row * around + step, row * around + after
            c, d = b + around, a + around
            faces += [[a, b, c], [a, c, d]]
            ca, cb, cc, cd = corner(row, step), corner(row, step + 1), corner(row + 1, step + 1), corner(row + 1, step)
            uv += [[ca, cb, cc], [ca, cc, cd]]
        bottom, top = rings * around, rings * around + 1
        faces += [[step, bottom, after], [(rings - 1) * around + step, (rings - 1) * around + after, top]]
        uv += [
            [corner(0, step), corner(-1, step), corner(0, step + 1)],
            [corner(rings - 1, step), corner(rings - 1, step + 1), corner(rings, step)],
        ]
    return vertices.astype(np.float32), np.array(faces, np.int32), np.array(uv, np.float32)


def surface_of(rest: NDArray[np.float32], faces: NDArray[np.int32], uv: NDArray[np.float32]) -> ClothedSurface:
    """Place a T-pose 3 m in front of the camera, facing it; the upper fifth is head."""
    weights = np.zeros((len(rest), 24), np.float32)
    head = rest[:, 1] > 0.5
    weights[head, 15] = 1
    weights[~head, 3] = 1
    cam = rest * np.array([1, -1, -1], np.float32) + np.array([0, 0, 3], np.float32)
    return ClothedSurface(cam, rest, weights, faces, np.zeros((0, 4), np.int32), uv, 1.0)


def photograph(surface: ClothedSurface, texture: NDArray[np.uint8]) -> Scene:
    """Render a surface with a texture before a magenta background."""
    camera = Camera(430.0, (SIZE / 2, SIZE / 2), SIZE, SIZE)
    points = project(torch.tensor(camera.matrix), torch.tensor(surface.vertices_cam))[None]
    fragments = rasterise(points, torch.tensor(surface.faces).long(), SIZE, SIZE)
    uv = interpolate_corners(fragments, torch.tensor(surface.uv))[0].numpy()
    size = len(texture)
    column = np.clip((uv[..., 0] * size).astype(int), 0, size - 1)
    row = np.clip(((1 - uv[..., 1]) * size).astype(int), 0, size - 1)
    seen = fragments.mask[0].numpy()
    image = np.where(seen[..., None], texture[row, column], np.array(BACKGROUND, np.uint8)).astype(np.uint8)
    zeros = np.zeros((24, 3), np.float32)
    fit = BodyFit(
        np.zeros(10, np.float32), zeros, zeros[0], camera, surface.vertices_cam, zeros, np.ones(24, np.bool_), 0.0
    )
    observation = PersonObservation(
        np.array([0, 0, SIZE, SIZE], np.float32), 1.0, np.zeros((33, 2), np.float32), np.zeros((33, 3), np.float32),
        np.ones(33, np.float32), seen.astype(np.float32),
    )  # fmt: skip
    return Scene(surface, fit, Photo(image, (SIZE, SIZE), 1.0, None, "figure", "0"), observation, texture)


def checker(size: int, squares: int) -> NDArray[np.uint8]:
    """Two greens in a checkerboard, darkened towards the bottom."""
    cell = np.arange(size) * squares // size
    board = (cell[:, None] + cell) % 2 == 0
    colours = np.where(board[..., None], np.array([40, 200, 60]), np.array([30, 90, 140]))
    return colours.astype(np.uint8)
