"""Silhouettes from four sides and the clothing's contour."""

from __future__ import annotations

import math

import pytest
import torch
import trimesh
from torch import Tensor

from munet.losses import Views, cloth_loss, four_silhouettes, point_silhouettes, sample_surface, silhouette_loss
from munet.network import Topology

VIEWS = Views(half_extent=1.0, size=64, sigma=1.0)


def masks(ball: Topology, vertices: Tensor) -> Tensor:
    return four_silhouettes(vertices, ball.faces, VIEWS)


def test_ball_looks_the_same_from_everywhere(ball: Topology) -> None:
    seen = masks(ball, ball.template_body[None])
    assert seen.shape == (1, 4, 64, 64)
    for side in range(1, 4):
        torch.testing.assert_close(seen[:, side], seen[:, 0], atol=0.05, rtol=0)
    area = float(seen[0, 0].sum()) * (2 / 64) ** 2
    assert area == pytest.approx(math.pi * 0.36, rel=0.02)


def test_sides_are_where_they_are_named() -> None:
    box = trimesh.creation.box(extents=(0.4, 1.0, 0.8))
    box.apply_translation((0.2, 0.0, 0.4))
    vertices, faces = torch.tensor(box.vertices).float()[None], torch.tensor(box.faces).long()
    front, back, east, west = four_silhouettes(vertices, faces, VIEWS)[0]

    def columns(mask: Tensor) -> tuple[float, float]:
        inside = (mask[32] > 0.5).nonzero()[:, 0]
        return float(inside.min()) / 32 - 1, float(inside.max() + 1) / 32 - 1

    # From the front x points right, from the back left; from the east (at +x) what is in front lies on the left.
    assert columns(front) == pytest.approx((0.0, 0.4), abs=0.04)
    assert columns(back) == pytest.approx((-0.4, 0.0), abs=0.04)
    assert columns(east) == pytest.approx((-0.8, 0.0), abs=0.04)
    assert columns(west) == pytest.approx((0.0, 0.8), abs=0.04)


@pytest.mark.parametrize("inner", [True, False])
def test_slope_exists_on_both_sides_of_the_outline(ball: Topology, inner: bool) -> None:
    vertices = ball.template_body[None].clone().requires_grad_()
    seen = masks(ball, vertices)
    inside = seen.detach() > 0.5
    (seen * (inside if inner else ~inside)).sum().backward()
    assert vertices.grad is not None
    assert float((vertices.grad * ball.template_body).sum()) > 1


def test_slope_equals_finite_differences(ball: Topology) -> None:
    def area(scale: Tensor) -> Tensor:
        return masks(ball, ball.template_body[None] * scale).mean()

    scale = torch.ones((), requires_grad=True)
    area(scale).backward()
    assert scale.grad is not None
    numeric = (area(torch.tensor(1.02)) - area(torch.tensor(0.98))) / 0.04
    assert float(scale.grad) == pytest.approx(float(numeric), rel=0.1)


def test_outline_moves_towards_the_truth(ball: Topology) -> None:
    truth = masks(ball, ball.template_body[None] + torch.tensor([0.05, 0.0, 0.0])).detach()
    shift = torch.zeros(3, requires_grad=True)
    loss = silhouette_loss(masks(ball, ball.template_body[None] + shift), truth)
    loss.sum().backward()
    assert shift.grad is not None
    assert float(shift.grad[0]) < -0.01
    assert float(shift.grad[1:].abs().max()) < 0.1 * float(shift.grad[0].abs())
    torch.testing.assert_close(silhouette_loss(truth, truth), torch.zeros(1))


def test_points_and_mesh_have_the_same_outline(ball: Topology) -> None:
    points, _ = sample_surface(ball.template_body[None], ball.faces, 8000, torch.Generator().manual_seed(0))
    found, wanted = point_silhouettes(points, VIEWS), masks(ball, ball.template_body[None])
    assert float(found.mean()) == pytest.approx(float(wanted.mean()), rel=0.05)
    assert float((found - wanted).abs().mean()) < 0.01


def test_cloth_is_zero_at_the_truth_and_where_both_are_wrong_alike(ball: Topology) -> None:
    body, surface = masks(ball, ball.template_body[None]), masks(ball, 1.2 * ball.template_body[None])
    torch.testing.assert_close(cloth_loss(surface, body, surface, body), torch.zeros(1))
    assert float(cloth_loss(body, body, surface, body)) > 0.05


def test_cloth_moves_surface_and_body_apart(ball: Topology) -> None:
    truth = [masks(ball, size * ball.template_body[None]).detach() for size in (1.3, 1.0)]
    sizes = torch.tensor([1.1, 1.0], requires_grad=True)
    surface, body = (masks(ball, size * ball.template_body[None]) for size in sizes)
    cloth_loss(surface, body, *truth).sum().backward()
    assert sizes.grad is not None
    assert float(sizes.grad[0]) < 0 < float(sizes.grad[1])
