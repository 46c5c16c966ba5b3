"""Chamfer distances, normals, sampling: known answers, brute force, slopes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.losses import (
    SurfaceErrorSettings,
    chamfer,
    match,
    nearest,
    normal_consistency,
    sample_surface,
    surface_error,
)
from munet.losses.nearest import _by_distance
from munet.network import Topology


def cloud(count: int, seed: int) -> Tensor:
    return torch.randn(2, count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def test_tree_and_distances_agree() -> None:
    points, targets = cloud(300, 0), cloud(400, 1)
    assert torch.equal(nearest(points, targets), _by_distance(points, targets))


def test_chamfer_equals_brute_force() -> None:
    points, truth = cloud(60, 0), cloud(90, 1)
    pairs = torch.cdist(points, truth)
    found = chamfer(points, truth)
    torch.testing.assert_close(found.to_truth, pairs.amin(2).mean(1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.to_prediction, pairs.amin(1).mean(1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.total, found.to_truth + found.to_prediction)


def test_directions_are_named() -> None:
    truth = torch.tensor([[[0.0, 0, 0], [10.0, 0, 0]]])
    found = chamfer(truth[:, :1], truth)
    assert float(found.to_truth) == pytest.approx(0, abs=1e-5)
    assert float(found.to_prediction) == pytest.approx(5, abs=1e-4)


def test_chamfer_of_equal_sets_is_zero_with_a_finite_slope() -> None:
    points = cloud(50, 0).requires_grad_()
    total = chamfer(points, points.detach()[:, torch.randperm(50)]).total.sum()
    total.backward()
    assert float(total.detach()) == 0
    assert points.grad is not None
    assert float(points.grad.abs().max()) == 0


def test_chamfer_slope_equals_finite_differences() -> None:
    points, truth = cloud(12, 0)[:1].requires_grad_(), cloud(15, 1)[:1]
    assert torch.autograd.gradcheck(lambda some: chamfer(some, truth).total, (points,))


@pytest.mark.parametrize("shape", [(2, 5), (2, 0, 3), (1, 5, 3)])
def test_wrong_sets_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError):
        nearest(torch.zeros(shape), torch.zeros(2, 4, 3))


def test_points_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="finite"):
        nearest(torch.full((1, 2, 3), math.nan), torch.zeros(1, 4, 3))


def test_normals_agree_or_oppose() -> None:
    points = cloud(30, 0)
    normals = torch.nn.functional.normalize(cloud(30, 1), dim=-1)
    found = match(points, points)
    torch.testing.assert_close(normal_consistency(normals, normals, found), torch.zeros(2, dtype=torch.double))
    torch.testing.assert_close(normal_consistency(-normals, normals, found), torch.full((2,), 4.0, dtype=torch.double))


def test_samples_lie_on_the_surface_and_look_outwards(ball: Topology) -> None:
    vertices = ball.template_body[None]
    points, normals = sample_surface(vertices, ball.faces, 2000, torch.Generator().manual_seed(0))
    assert float((points.norm(dim=-1) - 0.6).abs().max()) < 0.01
    assert float((torch.nn.functional.normalize(points, dim=-1) * normals).sum(-1).min()) > 0.98
    torch.testing.assert_close(normals.norm(dim=-1), torch.ones(1, 2000))


def test_samples_are_spread_by_area() -> None:
    vertices = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [10, 0, 0], [13, 0, 0], [10, 1, 0]]])
    points, _ = sample_surface(vertices, torch.tensor([[0, 1, 2], [3, 4, 5]]), 8000, torch.Generator().manual_seed(0))
    far = points[0, :, 0] > 5
    assert float(far.float().mean()) == pytest.approx(0.75, abs=0.02)
    torch.testing.assert_close(points[0, far].mean(0), torch.tensor([11.0, 1 / 3, 0]), atol=0.03, rtol=0)


def test_samples_follow_the_vertices(ball: Topology) -> None:
    shift = torch.zeros(3, requires_grad=True)
    points, _ = sample_surface(ball.template_body[None] + shift, ball.faces, 100, torch.Generator().manual_seed(0))
    points.sum().backward()
    torch.testing.assert_close(shift.grad, torch.full((3,), 100.0))


def test_surface_error_is_small_at_the_truth_and_grows(ball: Topology) -> None:
    truth = sample_surface(ball.template_body[None], ball.faces, 20_000, torch.Generator().manual_seed(0))
    settings = SurfaceErrorSettings(samples=2000)
    sizes = (1.0, 1.1, 1.2)
    errors = [float(surface_error(size * ball.template_body[None], ball.faces, *truth, settings)) for size in sizes]
    assert errors[0] < 0.1
    # Both Chamfer distances go both ways: four times the change of the radius, less what evenly drawn points miss.
    assert errors[2] - errors[1] == pytest.approx(4 * 0.06, rel=0.1)
