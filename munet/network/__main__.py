"""Print what the networks cost: ``python -m munet.network --config small``."""

from __future__ import annotations

import argparse
import sys

import torch

from munet.body.default import load_default_body
from munet.network.config import CONFIGS
from munet.network.cost import Cost, measure_cost
from munet.network.graph_of import network_topology


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description="Parameters, operations and CPU seconds of MuNet's networks.")
    parser.add_argument("--config", choices=sorted(CONFIGS), default="small")
    parser.add_argument("--rounds", type=int, default=1, help="how often the body is predicted (1 to 3)")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = CONFIGS[arguments.config]
    topology = network_topology(load_default_body(), config)
    sys.stdout.write(_table(measure_cost(config, topology, arguments.rounds)))


def _table(cost: Cost) -> str:
    rows = [f"{'network':18}{'parameters':>12}{'GFLOP':>10}"]
    rows += [f"{name:18}{count:12,}{cost.gigaflops[name]:10.2f}" for name, count in cost.parameters.items()]
    rows += [f"{'all':18}{sum(cost.parameters.values()):12,}{sum(cost.gigaflops.values()):10.2f}"]
    return "\n".join([*rows, f"forward pass of one person: {cost.seconds:.2f} s", ""])


if __name__ == "__main__":
    main()
