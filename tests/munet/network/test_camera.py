"""Cameras and the planes of the encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from munet.errors import InvalidInputError
from munet.network import NetworkInputs
from munet.network.camera import (
    crop_intrinsics,
    from_ndc,
    pinhole_translation,
    project_pinhole,
    project_weak,
    to_ndc,
    weak_camera,
)
from munet.network.inputs import check_inputs, edge_map, encoder_planes, heat_maps
from munet.render import project

CAMERA = torch.tensor([[1.1, 0.1, -0.2], [0.8, -0.3, 0.05]])


def test_ndc_and_back() -> None:
    points = torch.randn(2, 50, 3)
    torch.testing.assert_close(from_ndc(to_ndc(points, CAMERA), CAMERA), points)


def test_agrees_with_graphcmr_turned_up() -> None:
    raw = torch.randn(1, 20, 3)
    scale, shift_x, shift_y = 0.9, 0.2, -0.1
    seen = scale * (raw[..., :2] + torch.tensor([shift_x, shift_y]))
    body = raw * torch.tensor([1.0, -1.0, -1.0])
    torch.testing.assert_close(project_weak(body, torch.tensor([[scale, shift_x, -shift_y]])), seen)


def test_pinhole_agrees_with_weak_perspective_at_the_depth_of_the_origin() -> None:
    flat = torch.randn(2, 20, 3) * torch.tensor([1.0, 1.0, 0.0])
    intrinsics = torch.tensor([[3.0, 0.1, -0.2], [5.0, 0.0, 0.4]])
    torch.testing.assert_close(project_pinhole(flat, CAMERA, intrinsics), project_weak(flat, CAMERA))


def test_long_lens_is_weak_perspective() -> None:
    points = torch.rand(2, 20, 3) - 0.5
    long_lens = torch.tensor([[1e5, 0.1, -0.2], [1e5, 0.0, 0.4]])
    torch.testing.assert_close(
        project_pinhole(points, CAMERA, long_lens), project_weak(points, CAMERA), atol=1e-3, rtol=0
    )


def test_translation_puts_the_body_before_the_camera() -> None:
    intrinsics = torch.tensor([[3.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    torch.testing.assert_close(pinhole_translation(CAMERA, intrinsics)[:, 2], 3 / CAMERA[:, 0])


def test_true_camera_of_a_known_lens() -> None:
    intrinsics = torch.tensor([[3.0, 0.1, -0.2], [5.0, 0.0, 0.4]])
    translation = pinhole_translation(CAMERA, intrinsics)
    torch.testing.assert_close(weak_camera(translation, intrinsics), CAMERA)


def test_agrees_with_pixels() -> None:
    matrix = torch.tensor([[[300.0, 0.0, 100.0], [0.0, 300.0, 140.0], [0.0, 0.0, 1.0]]])
    translation, points = torch.tensor([[0.2, -0.1, 2.5]]), torch.rand(1, 20, 3) - 0.5
    intrinsics = crop_intrinsics(matrix, 256)
    seen = project_pinhole(points, weak_camera(translation, intrinsics), intrinsics)
    pixels = project(matrix, points * torch.tensor([1.0, -1.0, -1.0]) + translation[:, None])[..., :2]
    torch.testing.assert_close(seen, pixels / 128 - 1)


def test_nearer_points_look_larger() -> None:
    points = torch.tensor([[[0.5, 0.0, 0.4], [0.5, 0.0, -0.4]]])
    seen = project_pinhole(points, torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[3.0, 0.0, 0.0]]))
    assert float(seen[0, 0, 0]) > 0.5 > float(seen[0, 1, 0])


def test_heat_map_peaks_at_its_landmark() -> None:
    landmarks = torch.zeros(1, 33, 3)
    landmarks[0, 4] = torch.tensor([2 * 40.5 / 64 - 1, 2 * 10.5 / 64 - 1, 0.7])
    maps = heat_maps(landmarks, 64)
    assert divmod(int(maps[0, 4].argmax()), 64) == (10, 40)
    assert float(maps[0, 4].max()) == pytest.approx(0.7)
    assert float(maps[0, 5].max()) == 0


def test_edges_are_where_brightness_changes() -> None:
    rgb = torch.zeros(1, 3, 32, 32)
    rgb[..., 16:] = 1
    edges = edge_map(rgb, torch.ones(1, 1, 32, 32))[0, 0]
    assert float(edges[5, 15]) > 0.8
    assert float(edges[5, 3]) < 1e-5


def test_planes_come_in_order(inputs: NetworkInputs) -> None:
    planes = encoder_planes(inputs, ("mask", "depth", "normals", "rgb"), 64, None)
    assert planes.shape == (2, 8, 64, 64)
    torch.testing.assert_close(planes[:, :1], inputs.mask)
    assert float(planes[:, 1:5].abs().max()) == 0


def test_smaller_planes_keep_the_mean(inputs: NetworkInputs) -> None:
    planes = encoder_planes(inputs, ("mask",), 32, None)
    assert float(planes.mean()) == pytest.approx(float(inputs.mask.mean()), abs=1e-3)


def test_wrong_shapes_are_named(inputs: NetworkInputs) -> None:
    with pytest.raises(InvalidInputError, match="mask"):
        check_inputs(replace(inputs, mask=torch.ones(2, 64, 64)), 64)
    with pytest.raises(InvalidInputError, match="rgb"):
        check_inputs(inputs, 128)
