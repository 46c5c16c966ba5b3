"""The edge convolution against a naive one over a tensor of five times the input."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch.nn.functional import instance_norm as torch_instance_norm

from munet.network import Topology
from munet.network.edge_conv import EdgeConv, instance_norm


def naive(layer: EdgeConv, values: Tensor, neighbours: Tensor) -> Tensor:
    taps = values.transpose(1, 2)
    a, b, c, d = (taps[:, :, neighbours[:, k]] for k in range(4))
    stacked = torch.stack([taps, a + c, b + d, (a - c).abs(), (b - d).abs()], -1)
    kernel = layer.weight.permute(1, 2, 0)[:, :, None]
    return conv2d(stacked, kernel, layer.bias)[..., 0].transpose(1, 2)


@pytest.fixture
def values(ball: Topology) -> Tensor:
    return torch.randn(2, ball.edge_count, 7, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def layer() -> EdgeConv:
    torch.manual_seed(2)
    made = EdgeConv(7, 5)
    torch.nn.init.normal_(made.bias)
    return made


def test_equals_the_naive_convolution(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    torch.testing.assert_close(layer(values, ball.neighbours), naive(layer, values, ball.neighbours))


def test_faces_of_an_edge_may_swap(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    swapped = ball.neighbours[:, [2, 3, 0, 1]]
    torch.testing.assert_close(layer(values, ball.neighbours), layer(values, swapped))


def test_order_inside_a_face_matters(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    turned = ball.neighbours[:, [1, 0, 3, 2]]
    assert (layer(values, ball.neighbours) - layer(values, turned)).abs().max() > 0.1


def test_edges_may_be_renumbered(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    order = torch.randperm(ball.edge_count, generator=torch.Generator().manual_seed(4))
    place = torch.argsort(order)
    renumbered = layer(values[:, order], place[ball.neighbours[order]])
    torch.testing.assert_close(renumbered, layer(values, ball.neighbours)[:, order])


def test_samples_of_a_batch_do_not_mix(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    together = layer(values, ball.neighbours)
    torch.testing.assert_close(together[:1], layer(values[:1], ball.neighbours))


@pytest.mark.parametrize(("chunk", "save"), [(100, False), (0, True), (37, True)])
def test_pieces_and_checkpoints_change_nothing(
    ball: Topology, values: Tensor, layer: EdgeConv, chunk: int, save: bool
) -> None:
    layer = layer.double()

    def gradients(conv: EdgeConv) -> list[Tensor]:
        start = values.double().requires_grad_()
        out = conv(start, ball.neighbours)
        out.square().sum().backward()
        found = [out.detach(), start.grad, conv.weight.grad, conv.bias.grad]
        conv.zero_grad()
        return [value.clone() for value in found if value is not None]

    expected = gradients(layer)
    layer.chunk_edges, layer.save_memory = chunk, save
    for found, wanted in zip(gradients(layer), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_checkpoints_keep_less(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    def kept(save: bool) -> int:
        layer.save_memory = save
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: sizes.append(tensor.numel()) or tensor, lambda t: t
        ):
            layer(values.clone().requires_grad_(), ball.neighbours)
        return sum(sizes)

    assert kept(save=True) * 3 < kept(save=False)


def test_gradient_equals_finite_differences(ball: Topology) -> None:
    layer = EdgeConv(2, 2).double()
    values = torch.randn(1, ball.edge_count, 2, dtype=torch.double, requires_grad=True)
    weight = torch.randn(1, ball.edge_count, 2, dtype=torch.double)

    def scalar(some: Tensor) -> Tensor:
        return (layer(some, ball.neighbours) * weight).sum()

    direction = torch.randn_like(values)
    scalar(values).backward()
    assert values.grad is not None
    step = 1e-6
    numeric = (scalar(values + step * direction) - scalar(values - step * direction)) / (2 * step)
    torch.testing.assert_close((values.grad * direction).sum(), numeric.detach(), rtol=1e-6, atol=1e-6)


def test_bfloat16_is_close(ball: Topology, values: Tensor, layer: EdgeConv) -> None:
    exact = layer(values, ball.neighbours)
    with torch.autocast("cpu", torch.bfloat16):
        rough = instance_norm(layer(values, ball.neighbours))
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - instance_norm(exact)).abs().mean() < 0.02


def test_instance_norm_is_the_known_one(values: Tensor) -> None:
    expected = torch_instance_norm(values.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(instance_norm(values), expected)
