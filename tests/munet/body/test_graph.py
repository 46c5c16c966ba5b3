"""The coarse level: manifold, maps, edge neighbours."""

from __future__ import annotations

import pytest
import torch

from munet.body.graph import edge_neighbours, euler_characteristic, face_edges
from munet.body.model import BodyModel
from munet.errors import InvalidInputError

TETRAHEDRON = torch.tensor([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


def test_graph_is_a_closed_sphere(model: BodyModel) -> None:
    graph = model.graph
    assert graph is not None
    counts = torch.bincount(face_edges(graph.faces)[1].reshape(-1))
    assert int(counts.min()) == int(counts.max()) == 2
    assert euler_characteristic(graph.faces) == 2
    assert 6500 < graph.vertex_count < 7500
    assert len(torch.unique(graph.faces)) == graph.vertex_count


def test_maps_are_averages_and_nearly_invert_each_other(model: BodyModel) -> None:
    graph = model.graph
    assert graph is not None
    ones = torch.ones(model.vertex_count, 1)
    assert torch.allclose(graph.down @ ones, torch.ones(graph.vertex_count, 1), atol=1e-5)
    assert torch.allclose(graph.up @ torch.ones(graph.vertex_count, 1), ones, atol=1e-5)
    coarse = graph.down @ model.template
    skin = model.parts == 0
    error = (graph.up @ coarse - model.template)[skin].norm(dim=1)
    assert float(error.mean()) < 0.001
    assert float(error.max()) < 0.008


def test_graph_faces_wind_outward(model: BodyModel) -> None:
    graph = model.graph
    assert graph is not None
    a, b, c = (graph.down @ model.template)[graph.faces].unbind(1)
    assert (a * torch.linalg.cross(b, c)).sum() > 0


def test_edge_neighbours_of_a_tetrahedron() -> None:
    edges, _ = face_edges(TETRAHEDRON)
    neighbours = edge_neighbours(TETRAHEDRON)
    assert edges.shape == (6, 2)
    for edge, around in zip(edges.tolist(), neighbours.tolist(), strict=True):
        touching = {i for i, other in enumerate(edges.tolist()) if len(set(edge) & set(other)) == 1}
        assert set(around) == touching


def test_every_edge_of_the_body_has_four_neighbours(model: BodyModel) -> None:
    graph = model.graph
    assert graph is not None
    neighbours, edges = graph.edge_neighbours(), graph.edges()
    assert neighbours.shape == (len(edges), 4)
    shared = (edges[neighbours][:, :, :, None] == edges[:, None, None, :]).any(-1).sum(-1)
    assert bool((shared == 1).all())


def test_open_mesh_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="closed"):
        edge_neighbours(TETRAHEDRON[:3])
