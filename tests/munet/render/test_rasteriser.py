"""The rasteriser against a ray caster, and the properties it promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from munet.errors import InvalidInputError
from munet.render import Fragments, project, rasterise

SIZE = 96
MATRIX = torch.tensor([[150.0, 0, SIZE / 2], [0, 150.0, SIZE / 2], [0, 0, 1]])


def _scene() -> tuple[Tensor, Tensor]:
    """Two overlapping bumpy closed meshes in front of the camera: vertices_cam (V, 3), faces (F, 3)."""
    rng = np.random.default_rng(0)
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.3)
    ball.vertices += rng.normal(scale=0.01, size=ball.vertices.shape)
    box = trimesh.creation.box(extents=(0.3, 0.5, 0.2))
    box.apply_transform(trimesh.transformations.rotation_matrix(0.7, (1, 2, 3)))
    ball.apply_translation((0.05, 0.02, 1.5))
    box.apply_translation((-0.15, -0.05, 1.4))
    both = trimesh.util.concatenate([ball, box])
    return torch.tensor(both.vertices, dtype=torch.float32), torch.tensor(np.array(both.faces), dtype=torch.int64)


def _cast_rays(vertices: Tensor, faces: Tensor, origins_xy: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Moeller-Trumbore in float64: nearest face (-1 for none) and depth along rays through pixels (N, 2)."""
    homogeneous = torch.cat([origins_xy.double(), torch.ones(len(origins_xy), 1, dtype=torch.float64)], 1)
    rays = homogeneous @ torch.linalg.inv(matrix.double()).T
    a, b, c = vertices.double()[faces].unbind(1)
    p = torch.linalg.cross(rays[:, None].expand(-1, len(faces), -1), (c - a)[None].expand(len(rays), -1, -1))
    determinant = (p * (b - a)).sum(-1)
    u = -(p * a).sum(-1) / determinant
    q = torch.linalg.cross(-a, b - a)
    v = (rays[:, None] * q).sum(-1) / determinant
    depth = (q * (c - a)).sum(-1) / determinant
    depth = torch.where((u >= 0) & (v >= 0) & (u + v <= 1) & (depth > 0), depth, torch.inf)
    nearest = depth.min(1)
    return torch.where(nearest.values.isinf(), -1, nearest.indices), nearest.values


def _render(vertices: Tensor, faces: Tensor) -> Fragments:
    return rasterise(project(MATRIX, vertices)[None], faces, SIZE, SIZE)


def test_agrees_with_ray_caster() -> None:
    vertices, faces = _scene()
    found = _render(vertices, faces)
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    centers = torch.stack([columns, rows], -1).reshape(-1, 2) + 0.5
    face, depth = _cast_rays(vertices, faces, centers, MATRIX)
    same = found.face_index.flatten() == face
    # Corners are snapped to 1/256 pixel: a centre closer than that to an edge may fall to the neighbour.
    assert same.float().mean() > 0.997
    seen = same & (face >= 0)
    assert (found.depth.flatten()[seen] - depth[seen]).abs().max() < 1e-5
    points = (found.barycentric.reshape(-1, 3, 1) * vertices[faces[face.clamp_min(0)]]).sum(1)
    rays = torch.cat([centers, torch.ones(len(centers), 1)], 1) @ torch.linalg.inv(MATRIX).T
    error = points[seen] - rays[seen] * depth[seen, None]
    assert error.abs().max() < 2e-4


def test_shared_edges_leave_no_hole_and_no_overlap() -> None:
    """A fan of random triangles that tile a square covers each pixel exactly once."""
    rng = np.random.default_rng(1)
    points = np.concatenate([[[0, 0], [64, 0], [0, 64], [64, 64]], rng.uniform(0, 64, (200, 2))])
    points[50:100] = points[50:100].round() + 0.5
    points = np.unique(np.clip(points, 0, 64), axis=0)
    from scipy.spatial import Delaunay

    faces = torch.tensor(Delaunay(np.round(points * 256) / 256).simplices, dtype=torch.int64)
    vertices = torch.tensor(np.concatenate([points, np.ones((len(points), 1))], 1), dtype=torch.float32)
    total = torch.zeros(64, 64)
    for face in faces:
        total += rasterise(vertices[None], face[None], 64, 64).mask[0]
    assert bool((total == 1).all())
    assert bool(rasterise(vertices[None], faces, 64, 64).mask.all())


def test_pixel_centres_and_orientation() -> None:
    corners = torch.tensor([[[0.0, 0, 2], [3, 0, 2], [3, 2, 2], [0, 2, 2]]])
    for faces in ([[0, 1, 2], [0, 2, 3]], [[2, 1, 0], [3, 2, 0]]):
        mask = rasterise(corners, torch.tensor(faces), 4, 5).mask[0]
        expected = torch.zeros(4, 5, dtype=torch.bool)
        expected[:2, :3] = True
        assert bool((mask == expected).all())


def test_batch_equals_single_images() -> None:
    vertices, faces = _scene()
    images = torch.stack([project(MATRIX, vertices + shift) for shift in (0.0, 0.1, -0.2)])
    together = rasterise(images, faces, SIZE, SIZE)
    for index in range(3):
        alone = rasterise(images[index : index + 1], faces, SIZE, SIZE)
        assert torch.equal(together.face_index[index], alone.face_index[0])
        assert torch.equal(together.barycentric[index], alone.barycentric[0])


def test_barycentrics_are_weights() -> None:
    found = _render(*_scene())
    assert bool((found.barycentric >= 0).all())
    assert torch.allclose(found.barycentric.sum(-1), found.mask.float(), atol=1e-6)


@pytest.mark.parametrize(
    "corners",
    [
        [[10.0, 10, 1], [20, 20, 1], [30, 30, 1]],
        [[10.0, 10, 1], [10, 10, 1], [30, 5, 1]],
        [[10.0, 10, -1], [40, 10, -1], [10, 40, -1]],
        [[10.0, 10, 1], [40, 10, -0.5], [10, 40, 1]],
        [[-30.0, -30, 1], [-10, -30, 1], [-30, -10, 1]],
        [[float("nan"), 10, 1], [40, 10, 1], [10, 40, 1]],
        [[float("inf"), 10, 1], [40, 10, 1], [10, 40, 1]],
        [[1e9, 10, 1], [40, 10, 1], [10, 40, 1]],
    ],
    ids=["collinear", "coincident", "behind", "partly-behind", "off-screen", "nan", "inf", "beyond-guard"],
)
def test_triangles_that_cover_nothing(corners: list[list[float]]) -> None:
    found = rasterise(torch.tensor([corners]), torch.tensor([[0, 1, 2]]), 64, 64)
    assert not bool(found.mask.any())
    assert bool((found.depth == 0).all())
    assert bool((found.barycentric == 0).all())


def test_empty_mesh_and_empty_batch() -> None:
    none = torch.zeros(0, 3, dtype=torch.int64)
    assert not bool(rasterise(torch.zeros(2, 5, 3), none, 8, 8).mask.any())
    assert rasterise(torch.zeros(0, 5, 3), torch.tensor([[0, 1, 2]]), 8, 8).mask.shape == (0, 8, 8)


def test_triangle_larger_than_the_image_is_cut() -> None:
    corners = torch.tensor([[[-5000.0, -5000, 1], [9000, -5000, 1], [-5000, 9000, 1]]])
    assert bool(rasterise(corners, torch.tensor([[0, 1, 2]]), 32, 48).mask.all())


def test_perspective_is_correct() -> None:
    """Halfway in the image is not halfway on a face that recedes."""
    vertices = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [2, 4, 4], [-2, 4, 4]])
    found = _render(vertices, torch.tensor([[0, 1, 2], [0, 2, 3]]))
    rows, columns = found.mask[0].nonzero(as_tuple=True)
    rays_y = (rows + 0.5 - SIZE / 2) / 150
    # Plane through the corners: z = 1 + (y + 1) * 3 / 5, met by y = rays_y * z.
    expected = 1.6 / (1 - 0.6 * rays_y)
    assert torch.allclose(found.depth[0, rows, columns], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("vertices", "faces", "size"),
    [
        (torch.zeros(5, 3), torch.zeros(1, 3, dtype=torch.int64), 8),
        (torch.zeros(1, 5, 3), torch.zeros(1, 3), 8),
        (torch.zeros(1, 5, 3), torch.tensor([[0, 1, 5]]), 8),
        (torch.zeros(1, 5, 3), torch.tensor([[0, 1, 2]]), 0),
    ],
)
def test_bad_input_is_refused(vertices: Tensor, faces: Tensor, size: int) -> None:
    with pytest.raises(InvalidInputError):
        rasterise(vertices, faces, size, size)
