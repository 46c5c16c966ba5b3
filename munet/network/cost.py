"""What the networks cost: parameters, operations, seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from munet.body.tree import JOINTS
from munet.network.config import LANDMARK_COUNT, NetworkConfig
from munet.network.inputs import NetworkInputs
from munet.network.munet import create_munet
from munet.network.rig import GivenPose
from munet.network.topology import Topology


@dataclass(frozen=True)
class Cost:
    """Cost of one person.

    Attributes:
        parameters: number of parameters of every network.
        gigaflops: of one forward pass of every network, a multiplication with its addition counted as two.
        seconds: of the whole forward pass, the fastest of the repetitions.
    """

    parameters: dict[str, int]
    gigaflops: dict[str, float]
    seconds: float


@torch.no_grad()
def measure_cost(config: NetworkConfig, topology: Topology, rounds: int = 1, repetitions: int = 3) -> Cost:
    """Run the networks on the CPU with as many threads as torch is set to."""
    net = create_munet(config).eval()
    size = config.image_size
    inputs = NetworkInputs(torch.rand(1, 3, size, size), torch.ones(1, 1, size, size), torch.rand(1, LANDMARK_COUNT, 3))
    if config.body.evidence:
        inputs = replace(inputs, **_resting(topology))
    counter = FlopCounterMode(display=False, depth=2)
    with counter:
        net(topology, inputs, rounds)
    counts = counter.get_flop_counts()
    names = [name for name, _ in net.named_children()]
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        net(topology, inputs, rounds)
        times.append(time.perf_counter() - start)
    return Cost(
        parameters={name: sum(value.numel() for value in part.parameters()) for name, part in net.named_children()},
        gigaflops={name: sum(counts[f"MuNet.{name}"].values()) / 1e9 for name in names},
        seconds=min(times),
    )


def _resting(topology: Topology) -> dict[str, Any]:
    """A body at rest in the middle of the picture."""
    turns = torch.eye(3).expand(1, JOINTS, 3, 3)
    pose = GivenPose(turns, torch.zeros(1, JOINTS, 3), torch.zeros(1, LANDMARK_COUNT, 3), torch.zeros(1, 10))
    return {"body": topology.template_body[None], "camera": torch.tensor([[1.0, 0.0, 0.0]]), "pose": pose}
