"""Two processes that share a batch learn what one process learns from all of it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed

from munet.body.model import BodyModel
from munet.network import CONFIGS, NetworkConfig, Topology
from munet.training.data.generate import TrainingBatch
from munet.training.data.splits import Split
from munet.training.loop import Training
from munet.training.parallel import Team
from munet.training.people import Ahead, People
from munet.training.stages import Plan, Stage, config_of

Losses = list[dict[str, float]]
DRAWN = {"surface", "surface_of_true_body", "total", "gradient"}


class Again:
    """The people of a batch again and again; unlike a closure it can be sent to another process."""

    def __init__(self, made: TrainingBatch) -> None:
        self.made = made

    def __call__(self, split: Split, indices: Sequence[int]) -> TrainingBatch:
        """Make a batch."""
        rows = [(index + (split == "val")) % len(self.made.index) for index in indices]
        return TrainingBatch(**{entry.name: getattr(self.made, entry.name)[rows] for entry in fields(TrainingBatch)})


def learn(
    team: Team, store: Path, plan: Plan, config: NetworkConfig, model: BodyModel, topology: Topology, people: People
) -> Losses:
    """Losses of all steps of a plan, of one process of a team."""
    torch.set_num_threads(1)
    CONFIGS[config.name] = config
    if team.size > 1:
        distributed.init_process_group("gloo", init_method=store.as_uri(), rank=team.rank, world_size=team.size)
    training, ahead = Training(plan, model, team, topology=topology), Ahead(people, team.device)
    try:
        return [training.advance(ahead) for _ in range(plan.steps)]
    finally:
        ahead.close()
        if team.size > 1:
            distributed.destroy_process_group()


def report(queue: Queue[Losses], work: Callable[..., Losses], *arguments: Any) -> None:
    """Do work in a process of its own."""
    queue.put(work(*arguments))


@pytest.mark.slow
def test_two_processes_learn_like_one(
    plan: Plan, model: BodyModel, topology: Topology, made: TrainingBatch, tmp_path: Path
) -> None:
    short = replace(plan, stages=(Stage("body", 1), Stage("joint", 1, rounds=2)), surface_samples=3000)
    shared = (tmp_path / "store", short, config_of(short), model, topology, Again(made))
    teams = [Team(rank, 2, torch.device("cpu")) for rank in range(2)]
    context = multiprocessing.get_context("spawn")
    queue: Queue[Losses] = context.Queue()
    processes = [context.Process(target=report, args=(queue, learn, team, *shared), daemon=True) for team in teams]
    for process in processes:
        process.start()
    alone = learn(Team(0, 1, torch.device("cpu")), *shared)
    together = [queue.get(timeout=300) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert together[0] == together[1]
    for found, wanted in zip(together[0], alone, strict=True):
        # Every process draws points of its own on the surfaces, and L_trace is a small difference of two such errors.
        for name in wanted.keys() - {"trace"}:
            assert found[name] == pytest.approx(wanted[name], rel=0.03 if name in DRAWN else 2e-3, abs=1e-6), name
