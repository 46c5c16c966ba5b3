"""Distances and normals of surfaces against trimesh, scipy and known answers."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from munet.errors import InvalidInputError
from munet.evaluation.distances import Surface, point_distances
from munet.evaluation.normal_views import view_errors
from munet.evaluation.surface_metrics import (
    Mesh,
    align_surface,
    chamfer_points,
    point_to_surface,
    sample_surface,
    silhouette_iou,
    surface_errors,
)


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh.checked(shape.vertices, shape.faces, "shape")


@pytest.fixture(scope="module")
def ball() -> Mesh:
    return as_mesh(trimesh.creation.icosphere(subdivisions=4, radius=1.0))


def uneven() -> trimesh.Trimesh:
    """Tiny and huge faces side by side: a box of 12 faces beside a fine ball."""
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.05)
    return trimesh.util.concatenate([ball, trimesh.creation.box((3.0, 0.01, 2.0)).apply_translation([0.0, 0.4, 0.2])])


def test_distances_are_trimeshs() -> None:
    mesh = uneven()
    points = np.random.default_rng(0).uniform(-2, 2, (400, 3))
    _, wanted, _ = trimesh.proximity.closest_point(mesh, points)
    distance, face = Surface(mesh.vertices, mesh.faces).closest(points)
    assert np.allclose(distance, wanted, atol=1e-9)
    on_face = trimesh.triangles.closest_point(mesh.triangles[face], points)
    assert np.allclose(np.linalg.norm(on_face - points, axis=1), distance, atol=1e-9)


def test_distances_far_away_are_exact(ball: Mesh) -> None:
    points = np.random.default_rng(1).normal(size=(50, 3))
    points *= 20 / np.linalg.norm(points, axis=1, keepdims=True)
    _, wanted, _ = trimesh.proximity.closest_point(trimesh.Trimesh(ball.vertices, ball.faces), points)
    assert np.allclose(Surface(ball.vertices, ball.faces).closest(points)[0], wanted, atol=1e-9)


def test_point_distances_are_scipys() -> None:
    random = np.random.default_rng(2)
    start, goal = random.normal(size=(60, 3)), random.normal(size=(45, 3))
    table = cdist(start, goal)
    assert np.allclose(point_distances(start, goal), table.min(1))
    forth, back, both = chamfer_points(start, goal)
    assert np.allclose([forth, back], [table.min(1).mean() * 100, table.min(0).mean() * 100])
    assert np.isclose(both, (forth + back) / 2)


def test_chamfer_of_balls_in_balls(ball: Mesh) -> None:
    errors = surface_errors(Mesh(ball.vertices * 0.9, ball.faces), ball, samples=2000)
    assert np.isclose(errors.prediction_to_truth, 10, atol=0.05)
    assert np.isclose(errors.truth_to_prediction, 10, atol=0.05)
    assert np.isclose(errors.chamfer, (errors.prediction_to_truth + errors.truth_to_prediction) / 2)
    assert errors.normal_cosine_error < 1e-3
    assert np.isclose(point_to_surface(ball.vertices * 1.1, ball), 10, atol=0.05)


def test_directions_have_their_names(ball: Mesh) -> None:
    """Half a ball predicted: nothing superfluous, half is missing."""
    half = Mesh(ball.vertices, ball.faces[ball.vertices[ball.faces].mean(1)[:, 1] > 0])
    errors = surface_errors(half, ball, samples=2000)
    assert errors.prediction_to_truth < 1e-6
    assert errors.truth_to_prediction > 20
    swapped = surface_errors(ball, half, samples=2000)
    assert swapped.truth_to_prediction < 1e-6
    assert swapped.prediction_to_truth > 20


def test_surfaces_may_move_together(ball: Mesh) -> None:
    other = as_mesh(trimesh.creation.box((1.5, 1.2, 1.0)))
    turn, shift = Rotation.from_euler("xyz", [1, 2, 3]).as_matrix(), np.array([5.0, 1.0, 2.0])
    moved = [Mesh(mesh.vertices @ turn.T + shift, mesh.faces) for mesh in (ball, other)]
    first, second = surface_errors(ball, other, 500), surface_errors(*moved, 500)
    assert np.isclose(first.chamfer, second.chamfer)
    assert np.isclose(first.normal_cosine_error, second.normal_cosine_error)


def test_turned_inside_out_is_twice_wrong(ball: Mesh) -> None:
    inside_out = Mesh(ball.vertices, ball.faces[:, ::-1].copy())
    errors = surface_errors(inside_out, ball, samples=500)
    assert errors.chamfer < 1e-6
    assert np.isclose(errors.normal_cosine_error, 2, atol=1e-3)
    views = view_errors(inside_out, ball, pixels=64)
    assert np.isclose(views.cosine, 2, atol=1e-2)
    assert views.silhouette_iou == 1


def test_samples_are_uniform_and_repeatable() -> None:
    box = as_mesh(trimesh.creation.box((1.0, 1.0, 8.0)))
    points, _ = sample_surface(box, 4000, seed=5)
    share = (np.isclose(np.abs(points[:, 2]), 4)).mean()
    assert np.isclose(share, 2 / 34, atol=0.01)
    assert np.array_equal(points, sample_surface(box, 4000, seed=5)[0])


def test_nothing_is_aligned_unasked(ball: Mesh) -> None:
    moved = Mesh(ball.vertices + np.array([0.5, 0, 0]), ball.faces)
    assert surface_errors(moved, ball, samples=500).chamfer > 10
    assert align_surface(moved, ball, "none").translation.tolist() == [0, 0, 0]
    for alignment, roots in (("centroid", None), ("root", (np.array([0.5, 0, 0]), np.zeros(3)))):
        aligned = moved.moved(align_surface(moved, ball, alignment, roots))
        assert surface_errors(aligned, ball, samples=500).chamfer < 1


def test_scale_is_aligned_only_when_asked(ball: Mesh) -> None:
    small = Mesh(ball.vertices * 0.7 + 2, ball.faces)
    kept = align_surface(small, ball, "centroid")
    assert kept.scale == 1
    scaled = align_surface(small, ball, "centroid_scale")
    assert np.isclose(scaled.scale, 1 / 0.7)
    assert np.array_equal(scaled.rotation, np.eye(3))


def test_views_of_the_same_surface_agree(ball: Mesh) -> None:
    errors = view_errors(ball, ball, pixels=64)
    assert errors.silhouette_iou == 1
    assert errors.cosine < 1e-9
    assert errors.l2 < 1e-9


def test_views_know_the_normals_of_a_ball(ball: Mesh) -> None:
    """A flat disc facing the viewer against a ball: the mean of 1 - z over the disc is 1/3."""
    disc = trimesh.creation.cylinder(radius=1.0, height=1e-4, sections=256)
    errors = [view_errors(as_mesh(disc), ball, pixels=128)]
    turned = as_mesh(disc.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [0, 1, 0])))
    errors.append(view_errors(turned, ball, pixels=128))
    # Two of four views see the disc, the others an edge of no width: there every pixel of the ball counts 1.
    for error in errors:
        assert np.isclose(error.cosine, (1 / 3 + 1) / 2, atol=0.02)
        assert np.isclose(error.silhouette_iou, 0.5, atol=0.01)


def test_views_charge_the_missing(ball: Mesh) -> None:
    small = Mesh(ball.vertices * 0.5, ball.faces)
    errors = view_errors(small, ball, pixels=96)
    assert np.isclose(errors.silhouette_iou, 0.25, atol=0.02)
    assert errors.cosine > 0.74
    assert errors.l2_econ < errors.l2, "the background dilutes ECON's number"


def test_silhouette_iou() -> None:
    mask = np.zeros((4, 4), bool)
    mask[:2] = True
    assert silhouette_iou(mask, mask) == 1
    assert silhouette_iou(mask, np.roll(mask, 1, 0)) == pytest.approx(1 / 3)
    assert silhouette_iou(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 1
    with pytest.raises(InvalidInputError):
        silhouette_iou(mask, mask[:2])
    with pytest.raises(InvalidInputError):
        silhouette_iou(mask, mask.astype(float))


def test_bad_surfaces_are_refused(ball: Mesh) -> None:
    with pytest.raises(InvalidInputError):
        Mesh.checked(np.full((3, 3), np.nan), np.array([[0, 1, 2]]), "a")
    with pytest.raises(InvalidInputError, match="below 3"):
        Mesh.checked(np.zeros((3, 3)), np.array([[0, 1, 3]]), "a")
    with pytest.raises(InvalidInputError, match="integers"):
        Mesh.checked(np.zeros((3, 3)), np.zeros((1, 3)), "a")
    with pytest.raises(InvalidInputError, match="sampled"):
        surface_errors(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]])), ball)
    with pytest.raises(InvalidInputError, match="root"):
        align_surface(ball, ball, "root")
    with pytest.raises(InvalidInputError, match="unknown"):
        align_surface(ball, ball, "icp")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="render"):
        view_errors(ball, ball, pixels=0)
