"""G_v: from the template graph and a feature of the picture to the body graph and the camera."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from munet.network.config import BodyConfig
from munet.network.graph_conv import GraphResidual, VertexNorm, broadcast_linear, group_count
from munet.network.topology import Topology


class BodyNetwork(nn.Module):
    """Ten layers over the vertices: a linear one, eight graph residual blocks, a linear one (MuNet, section 3.3).

    Every vertex starts from its place in the unit template and the feature of the picture. The last layer moves the
    vertices of the template in metres. The camera is read from the mean over the vertices, so the parameters do not
    depend on how many there are.
    """

    def __init__(self, features: int, config: BodyConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.first = nn.Linear(3 + features, widths[0])
        self.blocks = nn.ModuleList(GraphResidual(before, after) for before, after in itertools.pairwise(widths))
        self.shape_norm = VertexNorm(group_count(widths[-1]), widths[-1])
        self.shape = nn.Linear(widths[-1], 3)
        camera_width = widths[config.camera_layer - 1]
        self.camera_norm = VertexNorm(group_count(camera_width), camera_width)
        self.camera = nn.Linear(camera_width, 3)
        for layer in (self.shape, self.camera):
            nn.init.uniform_(layer.weight, -1e-2, 1e-2)
            nn.init.zeros_(layer.bias)

    def forward(self, topology: Topology, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Predict a batch of bodies.

        Args:
            topology: of the graph.
            feature: (B, features) of the picture.

        Returns:
            Vertices (B, V, 3) in metres, body frame, and cameras (B, 3): scale (positive), tx, ty as in
            :mod:`munet.network.camera`; both float32.
        """
        template = topology.template_unit[None].to(feature.dtype)
        values = broadcast_linear(self.first, template, feature)
        for number, block in enumerate(self.blocks, start=2):
            values = block(values, topology.average)
            if number == self.config.camera_layer:
                camera = _exact(self.camera, relu(self.camera_norm(values)).float().mean(1))
        moved = _exact(self.shape, relu(self.shape_norm(values)))
        scale = torch.exp(camera[:, :1].clamp(-4, 4))
        return topology.template_body + moved, torch.cat([scale, camera[:, 1:]], -1)


def _exact(layer: nn.Linear, values: Tensor) -> Tensor:
    """Apply a last layer in float32: bfloat16 would round vertices to millimetres and cameras to pixels."""
    with torch.autocast(values.device.type, enabled=False):
        result: Tensor = layer(values.float())
    return result
