"""Topology, its averages, and the coarser graph."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from munet.body.graph import euler_characteristic
from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.network import SMALL, Topology, build_topology, coarsen, network_topology
from munet.network.graph_conv import GraphConv, broadcast_linear
from munet.network.joints import graph_values, joint_regressor
from munet.network.surface_network import ends_to_vertices
from munet.network.topology import sparse_apply


def volume(topology: Topology) -> float:
    a, b, c = topology.template_body[topology.faces].unbind(1)
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


def test_body_graph_is_that_of_the_paper(fine: Topology) -> None:
    assert (fine.vertex_count, fine.edge_count, len(fine.faces)) == (6890, 20664, 13776)
    assert float(fine.template_unit.abs().max()) == pytest.approx(1)


def test_neighbours_are_mutual_and_share_a_vertex(ball: Topology) -> None:
    for column in range(4):
        near = ball.neighbours[:, column]
        mutual = (ball.neighbours[near] == torch.arange(ball.edge_count)[:, None]).any(1)
        shared = (ball.edges[:, :, None] == ball.edges[near][:, None]).any(2).any(1)
        assert mutual.all()
        assert shared.all()


def test_first_and_third_neighbour_touch_opposite_ends(ball: Topology) -> None:
    a, c = ball.edges[ball.neighbours[:, 0]], ball.edges[ball.neighbours[:, 2]]
    touches_low = (a == ball.edges[:, :1]).any(1)
    assert (touches_low != (c == ball.edges[:, :1]).any(1)).all()


def test_average_is_the_mean_over_the_neighbourhood(ball: Topology) -> None:
    values = torch.randn(2, ball.vertex_count, 4)
    found = sparse_apply(ball.average, values)
    for vertex in (0, 5, 100):
        near = ball.edges[(ball.edges == vertex).any(1)].unique()
        torch.testing.assert_close(found[:, vertex], values[:, near].mean(1))


def test_graph_convolution_equals_the_dense_one(ball: Topology) -> None:
    layer = GraphConv(4, 3)
    values = torch.randn(2, ball.vertex_count, 4)
    dense = ball.average.to_dense() @ values @ layer.linear.weight.T + layer.linear.bias
    torch.testing.assert_close(layer(values, ball.average), dense)


def test_broadcast_equals_concatenation() -> None:
    layer = torch.nn.Linear(8, 6)
    near, shared = torch.randn(2, 9, 3), torch.randn(2, 5)
    joined = torch.cat([near.expand(2, 9, 3), shared[:, None].expand(2, 9, 5)], -1)
    torch.testing.assert_close(broadcast_linear(layer, near, shared), layer(joined))


def test_vertex_mean_equals_brute_force(ball: Topology) -> None:
    values = torch.randn(2, ball.edge_count, 6)
    found = ends_to_vertices(ball, values)
    for vertex in (0, 17, 161):
        low, high = ball.edges[:, 0] == vertex, ball.edges[:, 1] == vertex
        parts = torch.cat([values[:, low, :3], values[:, high, 3:]], 1)
        torch.testing.assert_close(found[:, vertex], parts.mean(1))


def test_open_mesh_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="closed manifold"):
        build_topology(torch.rand(3, 3), torch.tensor([[0, 1, 2]]))


def test_coarse_graph_is_a_closed_sphere_of_the_same_shape(fine: Topology, coarse: Topology) -> None:
    assert coarse.vertex_count == 1724
    assert euler_characteristic(coarse.faces) == 2
    assert int(coarse.neighbours.min()) >= 0
    assert volume(coarse) == pytest.approx(volume(fine), rel=0.05)
    away = (coarse.upsample(coarse.template_body[None])[0] - fine.template_body).norm(dim=1)
    assert float(away.mean()) < 0.004
    assert float(away.max()) < 0.04


def test_maps_of_the_coarse_graph_are_averages(fine: Topology, coarse: Topology) -> None:
    ones = torch.ones(1, coarse.vertex_count, 1)
    torch.testing.assert_close(coarse.upsample(ones), torch.ones(1, fine.vertex_count, 1))
    torch.testing.assert_close(sparse_apply(coarse.down, fine.template_body[None])[0], coarse.template_body)


def test_fitted_map_carries_bodies_never_seen(
    model: BodyModel, fine: Topology, coarse: Topology, fitted: Topology
) -> None:
    torch.testing.assert_close(fitted.upsample(torch.ones(1, coarse.vertex_count, 1)), torch.ones(1, 6890, 1))
    generator = torch.Generator().manual_seed(99)
    betas, pose = torch.randn(3, 10, generator=generator), 0.3 * torch.randn(3, 24, 3, generator=generator)
    wanted = graph_values(model, fine, pose_body(model, betas, pose, None).vertices)
    known = sparse_apply(coarse.down, wanted)
    away, plain = ((one.upsample(known) - wanted).norm(dim=-1) for one in (fitted, coarse))
    assert float(away.mean()) < 0.001
    assert float(plain.mean()) > 0.002
    assert float(away.max()) < 0.03


def test_configuration_chooses_the_graph(model: BodyModel, fine: Topology) -> None:
    found = network_topology(model, replace(SMALL, graph_vertices=0))
    assert torch.equal(found.faces, fine.faces)


def test_coarse_graph_is_always_the_same(ball: Topology) -> None:
    some, other = coarsen(ball, 60), coarsen(ball, 60)
    assert torch.equal(some.faces, other.faces)
    assert torch.equal(some.up.to_dense(), other.up.to_dense())


@pytest.mark.parametrize("count", [3, 163])
def test_impossible_count_is_refused(ball: Topology, count: int) -> None:
    with pytest.raises(InvalidInputError, match=str(count)):
        coarsen(ball, count)


def test_joints_follow_poses_never_seen(model: BodyModel, coarse: Topology) -> None:
    regressor = joint_regressor(model, coarse)
    generator = torch.Generator().manual_seed(99)
    betas, pose = torch.randn(4, 10, generator=generator), 0.3 * torch.randn(4, 24, 3, generator=generator)
    posed = pose_body(model, betas, pose, None)
    away = (regressor @ graph_values(model, coarse, posed.vertices) - posed.joints[:, :24]).norm(dim=-1)
    torch.testing.assert_close(regressor.sum(1), torch.ones(24))
    assert float(away.mean()) < 0.009
