"""Normals, interpolation and silhouettes: known answers and gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from munet.errors import InvalidInputError
from munet.render import (
    barycentric_coordinates,
    edge_faces,
    face_normals,
    interpolate,
    interpolate_corners,
    normal_map,
    project,
    rasterise,
    silhouette,
    soft_silhouette,
    vertex_normals,
)

SIZE = 48
MATRIX = torch.tensor([[60.0, 0, 24], [0, 60, 24], [0, 0, 1]], dtype=torch.float64)


def _ball(subdivisions: int = 2) -> tuple[Tensor, Tensor]:
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=0.5)
    vertices = torch.tensor(ball.vertices * [1, 0.8, 1] + [0.03, -0.02, 2.0], dtype=torch.float64)
    return vertices, torch.tensor(np.array(ball.faces), dtype=torch.int64)


def _directional_error(function: Callable[[Tensor], Tensor], point: Tensor, step: float) -> float:
    """Relative difference of the gradient along a few random directions from central differences."""
    point = point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(point), point)
    generator = torch.Generator().manual_seed(0)
    errors = []
    for _ in range(4):
        direction = torch.randn(point.shape, generator=generator, dtype=point.dtype)
        ahead, behind = function(point.detach() + step * direction), function(point.detach() - step * direction)
        numeric = float((ahead - behind) / (2 * step))
        errors.append(abs(float((gradient * direction).sum()) - numeric) / max(abs(numeric), 1e-3))
    return max(errors)


def test_face_normals_of_a_box_point_outwards() -> None:
    box = trimesh.creation.box()
    normals = face_normals(torch.tensor(box.vertices.copy()), torch.tensor(np.array(box.faces)))
    assert np.allclose(normals.numpy(), box.face_normals, atol=1e-9)


def test_vertex_normals_equal_the_area_weighted_mean() -> None:
    vertices, faces = _ball()
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    expected = np.zeros_like(mesh.vertices)
    np.add.at(expected, mesh.faces.ravel(), np.repeat(mesh.face_normals * mesh.area_faces[:, None], 3, 0))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(vertex_normals(vertices[None], faces)[0].numpy(), expected, atol=1e-9)


def test_normal_map_of_a_sphere_points_from_its_centre() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    vertices = torch.tensor(ball.vertices)[None] + torch.tensor([0, 0, 2.0])
    faces = torch.tensor(np.array(ball.faces))
    fragments = rasterise(project(MATRIX, vertices), faces, SIZE, SIZE)
    points = interpolate(fragments, faces, vertices)
    expected = torch.nn.functional.normalize(points - torch.tensor([0, 0, 2.0]), dim=-1)
    found = normal_map(fragments, vertices, faces)
    assert (found - expected)[fragments.mask].abs().max() < 0.01
    assert bool((found[~fragments.mask] == 0).all())


def test_interpolation_reproduces_linear_functions() -> None:
    vertices, faces = _ball()
    fragments = rasterise(project(MATRIX, vertices[None]), faces, SIZE, SIZE)
    depth = interpolate(fragments, faces, vertices[:, 2:])[..., 0]
    assert torch.allclose(depth, fragments.depth, atol=1e-6)
    corners = interpolate_corners(fragments, vertices[faces])
    assert torch.allclose(corners, interpolate(fragments, faces, vertices), atol=1e-12)


def test_interpolation_refuses_another_batch() -> None:
    vertices, faces = _ball()
    fragments = rasterise(project(MATRIX, vertices[None]), faces, SIZE, SIZE)
    with pytest.raises(InvalidInputError):
        interpolate(fragments, faces, vertices.expand(2, -1, -1))


def test_gradient_of_interpolated_values() -> None:
    vertices, faces = _ball(1)
    fragments = rasterise(project(MATRIX, vertices[None]), faces, SIZE, SIZE)
    weights = torch.rand(1, SIZE, SIZE, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def loss(points: Tensor) -> Tensor:
        fresh = barycentric_coordinates(fragments, project(MATRIX, points[None]), faces)
        values = interpolate(fresh, faces, vertices.sin())
        return (weights * (values + normal_map(fresh, points[None], faces))).sum() + fresh.depth.sum()

    assert _directional_error(loss, vertices, 1e-6) < 1e-4


def test_barycentrics_equal_those_of_the_rasteriser() -> None:
    vertices, faces = _ball()
    image = project(MATRIX, vertices[None])
    fragments = rasterise(image, faces, SIZE, SIZE)
    fresh = barycentric_coordinates(fragments, image, faces)
    assert torch.allclose(fresh.barycentric, fragments.barycentric, atol=0.05)
    assert torch.allclose(fresh.depth, fragments.depth, atol=1e-9)


def test_soft_silhouette_is_the_signed_distance_to_a_circle() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=1.0)
    flat = torch.tensor(ball.vertices * [12.0, 12.0, 0.1] + [24, 24, 1.0])[None]
    faces = torch.tensor(np.array(ball.faces))
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    expected = torch.sigmoid((12 - torch.hypot(rows + 0.5 - 24, columns + 0.5 - 24.0).double()) / 1.5)
    assert (soft_silhouette(flat, faces, SIZE, SIZE, sigma=1.5)[0] - expected).abs().max() < 0.02
    assert torch.equal(silhouette(rasterise(flat, faces, SIZE, SIZE))[0] > 0, expected > 0.5)


def test_soft_silhouette_gradient_on_both_sides_of_the_outline() -> None:
    vertices, faces = _ball()
    hard = rasterise(project(MATRIX, vertices[None]), faces, SIZE, SIZE).mask
    for side in (hard, ~hard):

        def loss(points: Tensor, side: Tensor = side) -> Tensor:
            return soft_silhouette(project(MATRIX, points[None]), faces, SIZE, SIZE, sigma=2.0)[side].sum()

        assert _directional_error(loss, vertices, 1e-5) < 0.02


def test_soft_silhouette_ignores_contours_inside_the_outline() -> None:
    """A small ball in front of a big one has a contour of its own, but no outline."""
    vertices, faces = _ball()
    both = torch.cat([vertices, (vertices - vertices.mean(0)) * 0.2 + torch.tensor([0, 0, 1.2])])
    alone = soft_silhouette(project(MATRIX, vertices[None]), faces, SIZE, SIZE)
    joint = soft_silhouette(project(MATRIX, both[None]), torch.cat([faces, faces + len(vertices)]), SIZE, SIZE)
    assert torch.allclose(alone, joint, atol=1e-6)


def test_soft_silhouette_pulls_a_shape_onto_a_mask() -> None:
    vertices, faces = _ball()
    target = silhouette(rasterise(project(MATRIX, vertices[None] + torch.tensor([0.15, 0.1, 0])), faces, SIZE, SIZE))
    shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([shift], lr=0.02)
    for _ in range(40):
        optimiser.zero_grad()
        soft = soft_silhouette(project(MATRIX, vertices[None] + shift), faces, SIZE, SIZE, sigma=2.0)
        (soft - target).square().sum().backward()
        optimiser.step()
    assert torch.allclose(shift[:2], torch.tensor([0.15, 0.1], dtype=torch.float64), atol=0.01)


def test_edge_faces_of_closed_and_open_meshes() -> None:
    _, faces = _ball()
    edges, sides = edge_faces(faces)
    assert len(edges) == len(faces) * 3 // 2
    assert bool((sides[:, 0] != sides[:, 1]).all())
    _, single = edge_faces(torch.tensor([[0, 1, 2]]))
    assert bool((single == 0).all())


def test_soft_silhouette_of_nothing_is_empty() -> None:
    _, faces = _ball()
    behind = torch.full((2, int(faces.max()) + 1, 3), -1.0)
    assert not bool(soft_silhouette(behind, faces, 8, 8).any())


def test_project_known_point_and_bad_input() -> None:
    point = project(MATRIX, torch.tensor([[[0.5, -0.25, 2.0]]], dtype=torch.float64))
    assert point.flatten().tolist() == [39.0, 16.5, 2.0]
    with pytest.raises(InvalidInputError):
        project(MATRIX, torch.zeros(3, 2, dtype=torch.float64))
