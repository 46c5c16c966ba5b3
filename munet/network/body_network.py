"""G_v: from the template graph and a feature of the picture to the body graph and the camera."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from munet.network.config import BodyConfig
from munet.network.graph_conv import GraphResidual, VertexNorm, broadcast_linear, group_count
from munet.network.topology import Topology

# Weights of the last layers at the start: the template wants to be moved, a given body is nearly right.
_START, _GIVEN_START = 1e-2, 1e-4


class BodyNetwork(nn.Module):
    """Ten layers over the vertices: a linear one, eight graph residual blocks, a linear one (MuNet, section 3.3).

    Every vertex starts from its place in the unit template and the feature of the picture. The last layer moves the
    vertices of the template, or of the body that is given to start from, in metres. The camera is read from the mean
    over the vertices, so the parameters do not depend on how many there are.
    """

    def __init__(self, features: int, config: BodyConfig, local: int = 0) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.first = nn.Linear(3 * (1 + config.given) + local + features, widths[0])
        self.blocks = nn.ModuleList(GraphResidual(before, after) for before, after in itertools.pairwise(widths))
        self.shape_norm = VertexNorm(group_count(widths[-1]), widths[-1])
        self.shape = nn.Linear(widths[-1], 3)
        camera_width = widths[config.camera_layer - 1]
        self.camera_norm = VertexNorm(group_count(camera_width), camera_width)
        self.camera = nn.Linear(camera_width, 3)
        for layer in (self.shape, self.camera):
            bound = _GIVEN_START if config.given else _START
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        topology: Topology,
        feature: Tensor,
        start: Tensor | None = None,
        camera: Tensor | None = None,
        local: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict a batch of bodies.

        Args:
            topology: of the graph.
            feature: (B, features) of the picture.
            start: (B, V, 3) metres, body frame, vertices that are moved; those of the template without.
            camera: (B, 3) that is changed; scale 1 in the middle without.
            local: (B, V, L) what the vertices see of the picture, where the configuration has it.

        Returns:
            Vertices (B, V, 3) in metres, body frame, and cameras (B, 3): scale (positive), tx, ty as in
            :mod:`munet.network.camera`; both float32.
        """
        body = topology.template_body[None] if start is None else start
        known = [topology.template_unit[None].expand(len(feature), -1, -1)]
        known += [body.expand(len(feature), -1, -1)] if self.config.given else []
        known += [] if local is None else [local]
        values = broadcast_linear(self.first, torch.cat([value.to(feature.dtype) for value in known], -1), feature)
        for number, block in enumerate(self.blocks, start=2):
            values = block(values, topology.average)
            if number == self.config.camera_layer:
                change = _exact(self.camera, relu(self.camera_norm(values)).float().mean(1))
        moved = _exact(self.shape, relu(self.shape_norm(values)))
        before = change.new_tensor([[1.0, 0, 0]]) if camera is None else camera.float()
        scale = before[:, :1] * torch.exp(change[:, :1].clamp(-4, 4))
        return body.float() + moved, torch.cat([scale, before[:, 1:] + change[:, 1:]], -1)


def _exact(layer: nn.Linear, values: Tensor) -> Tensor:
    """Apply a last layer in float32: bfloat16 would round vertices to millimetres and cameras to pixels."""
    with torch.autocast(values.device.type, enabled=False):
        result: Tensor = layer(values.float())
    return result
