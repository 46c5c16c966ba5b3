"""The feedback of the surface to the body: gradients flow where they must and nowhere else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from munet.losses import (
    LossSettings,
    LossWeights,
    SurfaceErrorSettings,
    Targets,
    TraceVariant,
    Views,
    four_silhouettes,
    sample_surface,
    surface_error,
    total_loss,
    trace_loss,
)
from munet.network import MuNet, MuNetOutput, NetworkInputs, Topology, TrueBody

SETTINGS = LossSettings(error=SurfaceErrorSettings(samples=300), views=Views(1.2, 32))
OF_BODY = ("body_encoder", "body_network")
OF_SURFACE = ("normal_network", "local_encoder", "surface_network")


def reached(net: MuNet, loss: Tensor) -> dict[str, float]:
    """Size of the gradient that a loss leaves in every network."""
    net.zero_grad()
    loss.backward(retain_graph=True)
    return {name: _size(part) for name, part in net.named_children()}


def _size(part: nn.Module) -> float:
    return sum(float(value.grad.abs().sum()) for value in part.parameters() if value.grad is not None)


@pytest.fixture
def truth(ball: Topology) -> TrueBody:
    body = (1.1 * ball.template_body + torch.tensor([0.05, 0.0, 0.1])).expand(2, -1, -1)
    return TrueBody(body, torch.tensor([[1.0, 0.0, 0.0]] * 2))


@pytest.fixture
def targets(ball: Topology, truth: TrueBody) -> Targets:
    clothed = 1.15 * truth.vertices_body
    points, normals = sample_surface(clothed, ball.faces, 400, torch.Generator().manual_seed(8))
    return Targets(
        body=truth.vertices_body,
        joints_image=torch.full((2, 5, 2), 0.1),
        joints_confidence=torch.ones(2, 5),
        surface_points=points,
        surface_normals=normals,
        surface_silhouettes=four_silhouettes(clothed, ball.faces, SETTINGS.views),
        normals=torch.full((2, 6, 64, 64), 3**-0.5),
        dressed=clothed,
        dressed_sure=torch.ones(clothed.shape[:2]),
    )


@pytest.fixture
def trained(net: MuNet) -> MuNet:
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.03 * torch.randn(value.shape, generator=generator))
    return net


@pytest.fixture
def output(trained: MuNet, ball: Topology, inputs: NetworkInputs, truth: TrueBody) -> MuNetOutput:
    made: MuNetOutput = trained(ball, inputs, truth=truth)
    return made


def error(surface: Tensor | None, ball: Topology, targets: Targets) -> Tensor:
    assert surface is not None
    generator = torch.Generator().manual_seed(10)
    return surface_error(
        surface, ball.faces, targets.surface_points, targets.surface_normals, SETTINGS.error, generator
    )


def test_surface_loss_reaches_every_network(
    trained: MuNet, output: MuNetOutput, ball: Topology, targets: Targets
) -> None:
    sizes = reached(trained, error(output.surface, ball, targets).mean())
    assert min(sizes.values()) > 0


def test_apart_the_surface_is_the_same_and_leaves_the_body_alone(
    trained: MuNet, output: MuNetOutput, ball: Topology, inputs: NetworkInputs, truth: TrueBody, targets: Targets
) -> None:
    made: MuNetOutput = trained(ball, inputs, truth=truth, apart=True)
    assert made.surface.equal(output.surface)
    sizes = reached(trained, error(made.surface, ball, targets).mean())
    assert all(sizes[name] == 0 for name in OF_BODY)
    assert all(sizes[name] > 0 for name in OF_SURFACE)


def test_body_loss_reaches_only_the_body(trained: MuNet, output: MuNetOutput, targets: Targets) -> None:
    sizes = reached(trained, (output.body - targets.body).abs().mean() + output.camera.square().mean())
    assert all(sizes[name] > 0 for name in OF_BODY)
    assert all(sizes[name] == 0 for name in OF_SURFACE)


def test_surface_for_body_is_the_surface(output: MuNetOutput) -> None:
    assert output.surface_for_body is not None
    torch.testing.assert_close(output.surface_for_body, output.surface)


@pytest.mark.parametrize("variant", ["body_only", "clamped"])
def test_body_feedback_reaches_only_the_body(
    trained: MuNet, output: MuNetOutput, ball: Topology, targets: Targets, variant: TraceVariant
) -> None:
    errors = [error(surface, ball, targets) for surface in (output.surface, output.surface_of_true_body)]
    low = errors[1].detach() * 0
    loss = trace_loss(errors[0], low, variant, error(output.surface_for_body, ball, targets))
    sizes = reached(trained, loss.mean())
    assert all(sizes[name] > 0 for name in OF_BODY)
    assert all(sizes[name] == 0 for name in OF_SURFACE)


def test_full_trace_has_the_gradient_of_the_surface_error(
    trained: MuNet, output: MuNetOutput, ball: Topology, targets: Targets
) -> None:
    plain = error(output.surface, ball, targets)
    baseline = error(output.surface_of_true_body, ball, targets)
    expected = reached(trained, plain.mean())
    assert reached(trained, trace_loss(plain, baseline, "full").mean()) == pytest.approx(expected)


def test_true_body_trains_only_the_surface(
    trained: MuNet, output: MuNetOutput, ball: Topology, targets: Targets
) -> None:
    sizes = reached(trained, error(output.surface_of_true_body, ball, targets).mean())
    assert all(sizes[name] == 0 for name in OF_BODY)
    assert sizes["surface_network"] > 0
    assert sizes["local_encoder"] > 0


@pytest.mark.parametrize("name", ["cloth", "trace"])
def test_mutual_terms_reach_the_body(
    trained: MuNet, output: MuNetOutput, ball: Topology, targets: Targets, name: str
) -> None:
    weights = dict.fromkeys(LossWeights.__dataclass_fields__, 0.0)
    settings = LossSettings(LossWeights(**{**weights, name: 1.0}), "body_only", SETTINGS.error, SETTINGS.views)
    loss = total_loss(output, targets, ball, _regressor(ball), settings)
    assert list(loss.terms) == [name]
    sizes = reached(trained, loss.total)
    assert sizes["body_network"] > 0
    assert (sizes["surface_network"] > 0) == (name == "cloth")


def _regressor(ball: Topology) -> Tensor:
    return torch.full((5, ball.vertex_count), 1 / ball.vertex_count)


def test_total_is_the_weighted_sum(output: MuNetOutput, ball: Topology, targets: Targets) -> None:
    loss = total_loss(output, targets, ball, _regressor(ball), SETTINGS, torch.Generator().manual_seed(1))
    weights = SETTINGS.weights
    assert set(loss.terms) == set(LossWeights.__dataclass_fields__)
    summed = sum(float(getattr(weights, name)) * float(term) for name, term in loss.terms.items())
    assert float(loss.total.detach()) == pytest.approx(summed, rel=1e-5)
    assert all(bool(term.isfinite()) for term in loss.terms.values())


def test_training_lowers_every_part(
    net: MuNet, ball: Topology, inputs: NetworkInputs, truth: TrueBody, targets: Targets
) -> None:
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    history = []
    for _ in range(20):
        optimiser.zero_grad()
        made = net(ball, inputs, truth=truth)
        loss = total_loss(made, targets, ball, _regressor(ball), SETTINGS, torch.Generator().manual_seed(1))
        loss.total.backward()
        optimiser.step()
        history.append({name: float(term) for name, term in loss.terms.items()})
    for name in ("vertices", "body_chamfer", "normal_maps", "surface", "cloth", "surface_silhouette"):
        assert history[-1][name] < 0.8 * history[0][name], name
