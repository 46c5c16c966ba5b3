"""G_e with residual blocks: what the small configuration learns with little data."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, leaky_relu

from munet.network.config import SurfaceConfig
from munet.network.edge_conv import EdgeConv
from munet.network.surface_network import ends_to_vertices
from munet.network.topology import Topology
from munet.render import vertex_normals

# A distance along the normal and a displacement for either end of an edge.
_OUT = 8
_VERTEX_WIDTH = 48
# Metres that an output of 1 stands for: about the thickness of clothes.
_UNIT = 0.05
_START = 1e-6


class ResidualSurface(nn.Module):
    """Eleven edge convolutions, displacement almost zero at initialisation.

    Three things differ from the paper's network (:class:`munet.network.surface_network.SurfaceNetwork`). Layers add to
    what came before, so few steps reach all of them. Norms are taken over the channels of one edge: the instance norm
    over all edges of a person takes away how thick the clothes are on the whole. And the outputs are a distance along
    the normal and a rest, in metres, because cloth mostly lies farther out.
    """

    def __init__(self, values: int, config: SurfaceConfig) -> None:
        super().__init__()
        self.describe = nn.Linear(values + 6, _VERTEX_WIDTH)
        widths = (*config.encoder, *config.decoder)
        self.first = EdgeConv(2 * _VERTEX_WIDTH, widths[0], save_memory=config.save_memory)
        self.blocks = nn.ModuleList(
            EdgeConv(width, width, chunk_edges=config.chunk_edges, save_memory=config.save_memory)
            for width in widths[1:]
        )
        self.last = EdgeConv(widths[-1], _OUT)
        nn.init.uniform_(self.last.weight, -_START, _START)

    def forward(self, topology: Topology, vertices_ndc: Tensor, features: Tensor) -> Tensor:
        """Displace a batch of bodies.

        Args:
            topology: of the graph.
            vertices_ndc: (B, V, 3) body in NDC (x right, y up, z towards the viewer).
            features: (B, V, L) local features of the vertices.

        Returns:
            (B, V, 3) displacement in metres, float32.
        """
        normals = vertex_normals(vertices_ndc, topology.faces)
        of_vertex = self.describe(torch.cat([normals, features.to(normals.dtype), vertices_ndc], -1))
        low, high = topology.edges.unbind(1)
        start = torch.cat([of_vertex.index_select(1, low), of_vertex.index_select(1, high)], -1)
        values = self.first(leaky_relu(start, 0.01), topology.neighbours)
        for block in self.blocks:
            values = values + block(_activated(values), topology.neighbours)
        out = self.last(_activated(values), topology.neighbours).float()
        moved = _UNIT * ends_to_vertices(topology, out)
        return normals * moved[..., :1] + moved[..., 1:]


def _activated(values: Tensor) -> Tensor:
    return leaky_relu(layer_norm(values, values.shape[-1:]), 0.01)
