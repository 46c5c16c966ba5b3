"""What the networks do in each stage, as one module whose forward pass several processes can share."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from munet.network import MuNet, MuNetOutput, Topology
from munet.training.network_batch import NetworkBatch
from munet.training.stages import TRAINED, Stage


class StagedNet(nn.Module):
    """The networks, run as a stage needs them."""

    def __init__(self, net: MuNet, topology: Topology, *, apart: bool = False) -> None:
        super().__init__()
        self.net = net
        self._topology = topology
        self._apart = apart

    def forward(self, stage: Stage, batch: NetworkBatch, rounds: int) -> MuNetOutput:
        """Run the networks that the stage trains; what it does not train is taken from the truth."""
        if stage.name == "body":
            return self._body(batch)
        if stage.name == "surface":
            return self._surface(batch)
        output: MuNetOutput = self.net(self._topology, batch.inputs, rounds, batch.truth, apart=self._apart)
        return output

    def _body(self, batch: NetworkBatch) -> MuNetOutput:
        start = self.net.turn_body(self._topology, batch.inputs)
        body, camera = self.net.estimate_body(self._topology, start, None)
        return MuNetOutput(body, camera, batch.targets.normals, body)

    def _surface(self, batch: NetworkBatch) -> MuNetOutput:
        inputs, truth = batch.inputs, batch.truth
        if inputs.body is None:
            inputs = replace(inputs, body=truth.vertices_body, camera=truth.camera)
        output: MuNetOutput = self.net(self._topology, inputs, 0)
        return output


def set_trained(net: MuNet, stage: Stage) -> dict[str, nn.Parameter]:
    """Let only the stage's networks learn; returns their parameters by name."""
    for name, part in net.named_children():
        part.requires_grad_(name in TRAINED[stage.name])
        for parameter in part.parameters():
            parameter.grad = None
    return {name: value for name, value in net.named_parameters() if value.requires_grad}


def not_finite(output: MuNetOutput) -> str | None:
    """Name of the first result that is not finite, or None."""
    for name in ("body", "camera", "normals", "surface"):
        if not bool(torch.isfinite(getattr(output, name)).all()):
            return name
    return None
