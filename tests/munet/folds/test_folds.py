"""Folds: heights and normals, what the network sees, and what the shipped network says about known relief."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from munet.errors import ModelMissingError
from munet.fitting.result import BodyFit
from munet.folds.look import see_folds
from munet.folds.network import load_folds, read_folds
from munet.folds.planes import PLANES, planes_of
from munet.folds.relief import folded, slopes, smoothed
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.surface.result import ClothedSurface

SIZE = 192
TOWARDS = torch.tensor([0.0, 0.0, -1.0])[None, :, None, None].expand(1, 3, SIZE, SIZE)
LAMP = torch.tensor([-0.6, -0.4, -0.69])


def lit(normals: torch.Tensor) -> torch.Tensor:
    light = 0.35 + 0.65 * (normals * LAMP[:, None, None]).sum(1, keepdim=True).clamp_min(0)
    return ((0.5 * light).clamp(0, 1) ** (1 / 2.2)).expand(-1, 3, -1, -1)


def test_normals_of_a_slope_are_exact_for_a_frontal_base() -> None:
    place = torch.arange(SIZE, dtype=torch.float32)
    height = (0.3 * place[None, None, :] - 0.2 * place[None, :, None]).expand(1, SIZE, SIZE)
    found = folded(TOWARDS, slopes(height))[0, :, 50, 60]
    expected = np.array([-0.3, 0.2, -1]) / np.linalg.norm([-0.3, 0.2, -1])
    assert np.allclose(found, expected, atol=1e-5)


def test_a_base_seen_from_the_side_only_turns_in_its_own_plane() -> None:
    base = torch.tensor([0.8, 0.0, -0.6])[None, :, None, None].expand(1, 3, 8, 8)
    along = torch.zeros(1, 2, 8, 8)
    along[:, 1] = 0.4
    found = folded(base, along)
    assert torch.allclose(found.norm(dim=1), torch.ones(1, 8, 8), atol=1e-6)
    assert torch.allclose(found[0, 1], torch.full((8, 8), -0.4 / 1.16**0.5), atol=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 15.0])
def test_blur_is_a_gaussian(sigma: float) -> None:
    noise = np.random.default_rng(0).normal(size=(1, 160, 140))
    picture = gaussian_filter(noise, (0, 3, 3)).astype(np.float32)
    expected = gaussian_filter(picture[0].astype(np.float64), sigma, mode="nearest")
    found = smoothed(torch.from_numpy(picture), sigma)[0].numpy()
    assert np.abs(found - expected)[40:-40, 40:-40].max() < 0.1 * np.abs(expected).max()


def test_planes_do_not_know_the_exposure_and_end_at_the_mask() -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.4 + 0.4
    mask = torch.zeros(1, 64, 64)
    mask[:, 8:56, 8:56] = 1
    base = TOWARDS[..., :64, :64]
    planes = planes_of(image, mask, base)
    darker = planes_of(image * 0.8, mask, base)
    assert planes.shape == (1, PLANES, 64, 64)
    assert float((planes - darker)[:, :3].abs().max()) < 0.15
    assert float(planes[..., :8].abs().max()) == 0


def test_damaged_weights_are_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "folds.safetensors"
    broken.write_bytes(b"no weights")
    with pytest.raises(ModelMissingError):
        read_folds(broken)


def a_sheet() -> ClothedSurface:
    across, down = np.meshgrid(np.linspace(-0.3, 0.3, 13), np.linspace(-0.3, 0.3, 13))
    points = np.stack([across, down, np.full_like(down, 2)], -1).reshape(-1, 3).astype(np.float32)
    first = (np.arange(12)[:, None] * 13 + np.arange(12)).ravel()
    corners = np.stack([first, first + 13, first + 14, first + 1], 1)
    faces = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]]).astype(np.int32)
    uv = np.stack([across / 0.6 + 0.5, 0.5 - down / 0.6], -1).reshape(-1, 2)[faces].astype(np.float32)
    weights = np.eye(24, dtype=np.float32)[np.full(len(points), 6)]
    return ClothedSurface(points, points, weights, faces, np.zeros((0, 4), np.int32), uv, 1.0)


def test_folds_are_seen_inside_the_mask_only() -> None:
    camera = Camera(600.0, (128.0, 128.0), 256, 256)
    image = np.full((256, 256, 3), 120, np.uint8)
    place = torch.arange(256, dtype=torch.float32)
    height = (1.5 * torch.sin(place * 2 * np.pi / 16 + (place / 30).sin()[:, None])).expand(1, 256, 256)
    base = TOWARDS[..., :1, :1].expand(1, 3, 256, 256)
    image[:] = (lit(folded(base, slopes(height)))[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    mask = np.zeros((256, 256), np.float32)
    mask[:, :128] = 1
    photo = Photo(image, (256, 256), 1.0, None, "ripples.png", "0" * 64)
    nothing = np.zeros((33, 2), np.float32)
    person = PersonObservation(np.array([38, 38, 218, 218], np.float32), 1.0, nothing, np.zeros((33, 3), np.float32),
                               np.zeros(33, np.float32), mask)  # fmt: skip
    joints = np.zeros((24, 3), np.float32)
    fit = BodyFit(np.zeros(10, np.float32), joints, joints[0], camera, joints, joints, np.ones(24, np.bool_), 0.0)
    picture = see_folds(load_folds(), a_sheet(), fit, photo, person)
    assert picture.camera.width % 16 == 0
    half = round(float(picture.camera.center[0]))
    assert np.abs(picture.lean[:, half + 8 :]).max() == 0
    assert np.abs(picture.lean[:, 20 : half - 20]).max() > 0.005
