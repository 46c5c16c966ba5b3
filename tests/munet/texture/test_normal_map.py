"""A normal map against the folds it was made from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from munet.geometry.camera import Camera
from munet.render import project, rasterise
from munet.surface.result import ClothedSurface
from munet.texture.normal_map import FLAT, FoldPicture, bake_normals

CAMERA = Camera(300.0, (64.0, 64.0), 128, 128)
CELLS = 24


@pytest.fixture(scope="module")
def sheet() -> ClothedSurface:
    """A square of cloth of 0.8 m, 2 m before the camera, slightly bent, all of it on one bone of the trunk."""
    across, down = np.meshgrid(np.linspace(-0.4, 0.4, CELLS + 1), np.linspace(-0.4, 0.4, CELLS + 1))
    points = np.stack([across, down, 2 + 0.3 * across**2], -1).reshape(-1, 3).astype(np.float32)
    row, column = np.divmod(np.arange(CELLS * CELLS), CELLS)
    first = row * (CELLS + 1) + column
    corners = np.stack([first, first + CELLS + 1, first + CELLS + 2, first + 1], 1)
    faces = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]]).astype(np.int32)
    uv = np.stack([across / 0.8 + 0.5, 0.5 - down / 0.8], -1).reshape(-1, 2)[faces].astype(np.float32)
    weights = np.eye(24, dtype=np.float32)[np.full(len(points), 6)]
    return ClothedSurface(points, points, weights, faces, np.zeros((0, 4), np.int32), uv, 1.0)


def seen(surface: ClothedSurface, lean: np.ndarray) -> FoldPicture:
    vertices, faces = torch.from_numpy(surface.vertices_cam)[None], torch.from_numpy(surface.faces.astype(np.int64))
    fragments = rasterise(project(torch.from_numpy(CAMERA.matrix), vertices), faces, 128, 128)
    return FoldPicture(lean.astype(np.float32), fragments.depth[0].numpy(), CAMERA)


def test_without_folds_the_map_is_flat(sheet: ClothedSurface) -> None:
    baked = bake_normals(sheet, seen(sheet, np.zeros((128, 128, 3))), 64)
    assert np.abs(baked.astype(int) - FLAT).max() <= 1


@pytest.mark.parametrize(("axis", "channel", "sign"), [(0, 0, 1), (1, 1, -1)])
def test_folds_come_back_along_u_and_v(sheet: ClothedSurface, axis: int, channel: int, sign: int) -> None:
    place = (np.arange(128) + 0.5 - 64) / 300 * 2
    wave = 0.3 * np.sin(2 * np.pi * place / 0.08)
    lean = np.zeros((128, 128, 3))
    lean[..., axis] = wave[None, :] if axis == 0 else wave[:, None]
    local = (bake_normals(sheet, seen(sheet, lean), 128).astype(float) - 128) / 127
    line = local[64, 24:104, channel] if axis == 0 else local[24:104, 64, channel]
    middle = (np.arange(24, 104) + 0.5) / 128 * 0.8 - 0.4
    expected = sign * 0.3 * np.sin(2 * np.pi * middle / 0.08)
    assert np.corrcoef(line, expected)[0, 1] > 0.9
    assert 0.8 < line.std() / expected.std() < 1.1
    assert np.abs(local[24:104, 24:104, 1 - channel]).max() < 0.1


def test_what_lies_behind_keeps_its_normals(sheet: ClothedSurface) -> None:
    picture = seen(sheet, np.full((128, 128, 3), (0.3, 0, 0)))
    hidden = FoldPicture(picture.lean, picture.depth - 0.1, CAMERA)
    assert np.abs(bake_normals(sheet, hidden, 64).astype(int) - FLAT).max() <= 1
