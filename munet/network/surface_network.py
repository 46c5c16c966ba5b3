"""G_e: from edge features of the body graph to the displacement of its vertices."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from munet.network.config import SurfaceConfig
from munet.network.edge_conv import EdgeConv, instance_norm
from munet.network.topology import Topology
from munet.render import vertex_normals

# Two displacements of three coordinates, one for either end of an edge.
_OUT = 6
_START = 1e-8


class SurfaceNetwork(nn.Module):
    """Eleven edge convolutions (MuNet, section 3.3, eq. 8), displacement almost zero at initialisation.

    Every layer but the last is followed by a leaky ReLU and an instance norm; the decoder layers see the input once
    more. The six values of an edge are the displacements of its lower and its higher vertex; a vertex moves by the mean
    over its edges.
    """

    def __init__(self, local_features: int, config: SurfaceConfig) -> None:
        super().__init__()
        inputs = 2 * (local_features + 6)
        widths = (inputs, *config.encoder)
        self.encoder = nn.ModuleList(_conv(before, after, config) for before, after in itertools.pairwise(widths))
        befores = (config.encoder[-1], *config.decoder[:-1])
        self.decoder = nn.ModuleList(
            _conv(inputs + before, after, config) for before, after in zip(befores, config.decoder, strict=True)
        )
        self.last = _conv(config.decoder[-1], _OUT, config)
        nn.init.uniform_(self.last.weight, -_START, _START)

    def forward(self, topology: Topology, vertices_ndc: Tensor, features: Tensor) -> Tensor:
        """Displace a batch of bodies.

        Args:
            topology: of the graph.
            vertices_ndc: (B, V, 3) body in NDC (x right, y up, z towards the viewer).
            features: (B, V, L) local features of the vertices.

        Returns:
            (B, V, 3) displacement in NDC, float32.
        """
        start = edge_features(topology, vertices_ndc, features)
        values = start
        for layer in self.encoder:
            values = instance_norm(leaky_relu(layer(values, topology.neighbours), 0.01))
        for layer in self.decoder:
            joined = torch.cat([start.to(values.dtype), values], -1)
            values = instance_norm(leaky_relu(layer(joined, topology.neighbours), 0.01))
        return ends_to_vertices(topology, self.last(values, topology.neighbours).float())


def edge_features(topology: Topology, vertices_ndc: Tensor, features: Tensor) -> Tensor:
    """Descriptors (B, E, 2 (L + 6)) of edges: normal, features and place of the lower vertex, then of the higher.

    MuNet, eq. 9 and 10.
    """
    normals = vertex_normals(vertices_ndc, topology.faces)
    of_vertex = torch.cat([normals, features.to(normals.dtype), vertices_ndc], -1)
    low, high = topology.edges.unbind(1)
    return torch.cat([of_vertex.index_select(1, low), of_vertex.index_select(1, high)], -1)


def ends_to_vertices(topology: Topology, values: Tensor) -> Tensor:
    """Mean (B, V, C) over the edges at each vertex of the half of (B, E, 2 C) that is meant for it."""
    low, high = topology.edges.unbind(1)
    first, second = values.chunk(2, -1)
    total = values.new_zeros(values.shape[0], topology.vertex_count, first.shape[-1])
    total = total.index_add(1, low, first).index_add(1, high, second)
    return total / topology.degree[:, None]


def _conv(before: int, after: int, config: SurfaceConfig) -> EdgeConv:
    return EdgeConv(before, after, chunk_edges=config.chunk_edges, save_memory=config.save_memory)
