"""The preview and the pictures it is made of."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from munet.perception.observation import Photo
from munet.preview import framing, render_preview
from munet.reconstruction import Reconstruction
from munet.render.picture import PictureMesh, camera_picture, over, parallel_picture, sample_texture, turned

MATRIX = np.array([[400.0, 0, 100], [0, 400, 150], [0, 0, 1]], np.float32)


def _ball(x: float = 0.0, z: float = 3.0) -> PictureMesh:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.5)
    vertices = (ball.vertices + np.array([x, 0, z])).astype(np.float32)
    return PictureMesh(vertices, np.array(ball.faces, np.int32))


def _person(x: float = 0.0, z: float = 3.0) -> Reconstruction:
    ball = _ball(x, z)
    vertices, faces = ball.vertices_cam, ball.faces
    weights = np.zeros((len(vertices), 24), np.float32)
    weights[:, 15] = vertices[:, 1] < -0.2
    weights[:, 0] = 1 - weights[:, 15]
    zeros, uv = np.zeros((24, 3), np.float32), np.zeros((len(faces), 3, 2), np.float32)
    mesh = {"vertices": vertices, "faces": faces, "rest_vertices": vertices, "weights": weights, "uv": uv,
            "quads": np.zeros((0, 4), np.int32)}  # fmt: skip
    return Reconstruction(
        joints=zeros, pose=zeros, betas=zeros[0], translation=zeros[0], camera_matrix=MATRIX * [[2], [2], [1]],
        image_size=np.array([400, 600]), body_corrective=zeros, body_shape_dirs=zeros,
        texture=np.full((64, 64, 3), (200, 30, 30), np.uint8), bone_names=zeros, bone_parents=zeros, bone_heads=zeros,
        bone_tails=zeros, bone_rotations=zeros, joint_shape_dirs=zeros, box=zeros[0], body_model="", silhouette_iou=1.0,
        landmark_error=0.0, **{f"body_{k}": v for k, v in mesh.items()},
        **{f"surface_{k}": v for k, v in mesh.items()},
    )  # fmt: skip


def _photo(width: int = 200, height: int = 300) -> Photo:
    image = np.full((height, width, 3), (20, 90, 20), np.uint8)
    return Photo(image, (2 * width, 2 * height), 0.5, None, "green", "0")


def _reddish(picture: NDArray[np.uint8]) -> float:
    values = picture.astype(int)
    return float((values[..., 0] > values[..., 1] + 60).mean())


@pytest.mark.parametrize("persons", [0, 1, 3])
def test_preview_shows_everybody(persons: int) -> None:
    picture = render_preview(_photo(), [_person(0.2 * i, 3 + i) for i in range(persons)])
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[0] <= 1200
    assert picture.shape[1] <= 3400
    assert (_reddish(picture) > 0.02) == (persons > 0)


@pytest.mark.parametrize(("width", "height"), [(900, 100), (100, 900)])
def test_preview_of_panoramas_and_towers(width: int, height: int) -> None:
    assert render_preview(_photo(width, height), [_person()]).shape[1] <= 3400


def test_camera_picture_lies_where_the_camera_says() -> None:
    picture = camera_picture(_ball(), MATRIX, 300, 200)
    rows, columns = np.nonzero(picture[..., 3] > 0.5)
    assert abs(columns.mean() + 0.5 - 100) < 0.5
    assert abs(rows.mean() + 0.5 - 150) < 0.5
    radius = 400 * 0.5 / np.sqrt(9 - 0.25)
    assert abs((picture[..., 3]).sum() - np.pi * radius**2) < 0.02 * np.pi * radius**2


def test_parallel_picture_keeps_scale_from_all_sides() -> None:
    ball = _ball()
    areas = [
        parallel_picture(ball, yaw, np.array([0, 0, 3], np.float32), 100, 120, 120)[..., 3].sum()
        for yaw in (0.0, np.pi / 2, np.pi)
    ]
    assert np.allclose(areas, np.pi * 50**2, rtol=0.01)


def test_turning_by_half_a_turn_shows_the_back() -> None:
    points = turned(np.array([[0.1, 0.2, 0.3]], np.float32), np.pi, np.zeros(3, np.float32))
    assert np.allclose(points, [[-0.1, 0.2, -0.3]], atol=1e-6)


def test_framing_holds_the_mesh_from_all_sides() -> None:
    vertices = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32) * [0.5, 1, 2]
    center, scale = framing(vertices.astype(np.float32), 300, 200)
    for yaw in np.linspace(0, np.pi, 7):
        points = turned(vertices.astype(np.float32), float(yaw), center) * scale
        assert np.abs(points[:, 0]).max() <= 100
        assert np.abs(points[:, 1]).max() <= 150


def test_texture_is_read_the_right_way_up() -> None:
    texture = np.zeros((4, 4, 3), np.uint8)
    texture[0, 3] = 255
    uv = np.array([[[0.875, 0.875], [0.125, 0.125]]])
    assert np.allclose(sample_texture(texture, uv)[0], [[1, 1, 1], [0, 0, 0]])


def test_over_blends_by_coverage() -> None:
    picture = np.array([[[0.5, 0, 0, 0.5]]], np.float32)
    assert np.allclose(over(picture, np.ones((1, 1, 3), np.float32)), [[[1, 0.5, 0.5]]])
