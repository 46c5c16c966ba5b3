"""Vertices, joints, edges, smoothness, normals, and L_trace; slopes of every smooth term."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.losses import (
    Matches,
    TraceVariant,
    cloth_loss,
    dressed_loss,
    edge_length,
    joint_loss,
    laplacian_loss,
    normal_consistency,
    normal_map_loss,
    reprojection_loss,
    silhouette_loss,
    trace_loss,
    vertex_loss,
)
from munet.network import Topology
from munet.network.camera import project

CAMERA = torch.tensor([[1.1, 0.1, -0.2], [0.8, -0.3, 0.05]])


def test_truth_costs_nothing(ball: Topology) -> None:
    vertices = ball.template_body.expand(2, -1, -1)
    joints = torch.randn(2, 24, 3)
    zero = torch.zeros(2)
    torch.testing.assert_close(vertex_loss(vertices, vertices), zero)
    torch.testing.assert_close(joint_loss(joints, joints), zero)
    torch.testing.assert_close(edge_length(vertices, ball.edges, vertices), zero)
    torch.testing.assert_close(laplacian_loss(vertices, ball.average, vertices), zero)
    torch.testing.assert_close(reprojection_loss(joints, CAMERA, project(joints, CAMERA, None)), zero)


def test_known_sizes(ball: Topology) -> None:
    vertices = ball.template_body.expand(2, -1, -1)
    torch.testing.assert_close(vertex_loss(vertices + 0.1, vertices), torch.full((2,), 0.1))
    joints = torch.zeros(2, 4, 3)
    torch.testing.assert_close(joint_loss(joints + 0.2, joints), torch.full((2,), 0.04))
    lengths = (ball.template_body[ball.edges[:, 0]] - ball.template_body[ball.edges[:, 1]]).norm(dim=1)
    torch.testing.assert_close(edge_length(vertices, ball.edges)[0], lengths.square().mean())
    torch.testing.assert_close(edge_length(2 * vertices, ball.edges, vertices)[0], lengths.square().mean())


def test_joints_without_a_label_do_not_count() -> None:
    joints, confidence = torch.zeros(1, 3, 3), torch.tensor([[1.0, 0.0, 1.0]])
    wrong = joints.clone()
    wrong[0, 1] = 100
    torch.testing.assert_close(joint_loss(wrong, joints, confidence), torch.zeros(1))
    torch.testing.assert_close(joint_loss(joints + 1, joints, confidence), torch.ones(1))


def test_reprojection_trains_the_camera() -> None:
    joints, camera = torch.randn(2, 24, 3), CAMERA.clone().requires_grad_()
    reprojection_loss(joints, camera, torch.zeros(2, 24, 2)).sum().backward()
    assert camera.grad is not None
    assert float(camera.grad.abs().min()) > 0


def test_laplacian_ignores_place_and_sees_bumps(ball: Topology) -> None:
    vertices = ball.template_body[None]
    torch.testing.assert_close(
        laplacian_loss(vertices + 5, ball.average), laplacian_loss(vertices, ball.average), atol=1e-6, rtol=1e-3
    )
    bumpy = vertices.clone()
    bumpy[0, 7] *= 1.2
    assert float(laplacian_loss(bumpy, ball.average, vertices)) > 1e-5


def test_references_are_constants(ball: Topology) -> None:
    vertices = (1.1 * ball.template_body[None]).requires_grad_()
    body = ball.template_body[None].clone().requires_grad_()
    total = edge_length(vertices, ball.edges, body) + laplacian_loss(vertices, ball.average, body)
    total.sum().backward()
    assert vertices.grad is not None
    assert body.grad is None


def test_smooth_terms_have_the_slope_of_finite_differences(ball: Topology) -> None:
    start = ball.template_body[None].double()
    edges, average = ball.edges, ball.average
    direction = torch.randn(start.shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    # The Laplacian is quadratic and computed in float32: a long step is exact there.
    for loss, step in (
        (lambda some: edge_length(some, edges, 0.9 * start).sum(), 1e-5),
        (lambda some: edge_length(some, edges).sum(), 1e-5),
        (lambda some: laplacian_loss(some, average, 0.9 * start).sum(), 1e-2),
    ):
        vertices = start.clone().requires_grad_()
        loss(vertices).backward()
        assert vertices.grad is not None
        numeric = (loss(start + step * direction) - loss(start - step * direction)) / (2 * step)
        assert float((vertices.grad * direction).sum()) == pytest.approx(float(numeric), rel=2e-3)


SMALL = torch.rand(2, 5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.double)
OTHER = torch.rand(2, 5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.double) + 1.5
MAPS = torch.rand(1, 6, 4, 4, generator=torch.Generator().manual_seed(3), dtype=torch.double)
MATCHES = Matches(torch.tensor([[1, 0, 4, 2, 2]] * 2), torch.tensor([[3, 3, 0, 1, 2]] * 2))


@pytest.mark.parametrize(
    ("loss", "start"),
    [
        (lambda some: vertex_loss(some, OTHER), SMALL),
        (lambda some: joint_loss(some, OTHER, SMALL[..., 0].clone()), SMALL),
        (lambda some: dressed_loss(some, OTHER, SMALL[..., 0].clone()), SMALL),
        (lambda some: reprojection_loss(some, CAMERA.double(), OTHER[..., :2]), SMALL),
        (lambda some: reprojection_loss(SMALL, some, OTHER[..., :2], None, 2 * CAMERA.double().abs()), CAMERA.double()),
        (lambda some: normal_consistency(some, OTHER, MATCHES), SMALL),
        (lambda some: normal_map_loss(some, -MAPS), MAPS),
        (lambda some: cloth_loss(some, MAPS[:, :4] - 2, MAPS[:, :4] + 3, MAPS[:, :4]), MAPS[:, :4]),
        (lambda some: cloth_loss(MAPS[:, :4] + 2, some, MAPS[:, :4] + 3, MAPS[:, :4]), MAPS[:, :4]),
        (lambda some: silhouette_loss(some, MAPS[:, :4] + 1), MAPS[:, :4]),
    ],
    ids=["vertices", "joints", "dressed", "points", "camera", "normals", "maps", "surface", "body", "outline"],
)
def test_slopes_are_those_of_finite_differences(loss: Callable[[Tensor], Tensor], start: Tensor) -> None:
    assert torch.autograd.gradcheck(loss, (start.clone().requires_grad_(),))


def test_a_dressed_vertex_counts_as_far_as_it_is_sure() -> None:
    truth, sure = torch.zeros(1, 3, 3), torch.tensor([[1.0, 0.5, 0.0]])
    moved = torch.tensor([[[0.3, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 9.0]]])
    torch.testing.assert_close(dressed_loss(moved, truth, sure), torch.tensor([0.4]), atol=1e-5, rtol=0)
    torch.testing.assert_close(dressed_loss(truth, truth, sure), torch.zeros(1))


def test_normal_maps_count_only_the_foreground() -> None:
    truth = torch.zeros(2, 6, 8, 8)
    truth[:, 2, :4], truth[:, 5, :4] = 1, -1
    prediction = truth.clone()
    prediction[:, :, 4:] = 0.3
    torch.testing.assert_close(normal_map_loss(prediction, truth), torch.zeros(2))
    torch.testing.assert_close(normal_map_loss(-truth, truth), torch.full((2,), 4.0))


def test_trace_is_the_difference_and_its_baseline_is_a_constant() -> None:
    error, baseline = torch.tensor([3.0, 1.0], requires_grad=True), torch.tensor([2.0, 2.0], requires_grad=True)
    for_body = torch.tensor([3.0, 1.0], requires_grad=True)
    wanted: dict[TraceVariant, list[float]] = {"full": [1, -1], "body_only": [1, -1], "clamped": [1, 0]}
    for variant, values in wanted.items():
        loss = trace_loss(error, baseline, variant, for_body)
        assert loss.tolist() == values
        loss.sum().backward()
    assert baseline.grad is None
    assert error.grad is not None
    assert error.grad.tolist() == [1, 1]
    assert for_body.grad is not None
    assert for_body.grad.tolist() == [2, 1]


@pytest.mark.parametrize("variant", ["body_only", "clamped", "other"])
def test_trace_needs_its_error(variant: TraceVariant) -> None:
    with pytest.raises(InvalidInputError, match=variant):
        trace_loss(torch.ones(1), torch.ones(1), variant)
