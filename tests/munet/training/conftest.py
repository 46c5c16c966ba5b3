"""A tiny configuration, four people made once, and a plan of six steps through all stages."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch

from munet.body.default import load_default_body
from munet.body.model import BodyModel
from munet.network import CONFIGS, SMALL, Topology, network_topology
from munet.network.config import BodyConfig, FilterConfig, SurfaceConfig
from munet.network.evidence import SHARED
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.data.splits import Split
from munet.training.loop import Training
from munet.training.parallel import Team
from munet.training.people import People
from munet.training.stages import Plan, Stage

TINY = replace(
    SMALL,
    name="tiny",
    image_size=64,
    graph_vertices=400,
    encoder=replace(SMALL.encoder, size=64, widths=(8, 8, 16, 16), features=32, vertex_features=8),
    coarse=FilterConfig(64, 4, 16, 8, 1, 2),
    fine=FilterConfig(64, 2, 8, 4, 1, 1),
    normal_widths=(8, 8, 16, 16),
    body=BodyConfig(
        (32, 32, 32, 16, 16), camera_layer=3, given=True, evidence=tuple(SHARED), pose_width=16, pose_hidden=8
    ),
    surface=SurfaceConfig((16, 16), (16,), 0, save_memory=False, kind="residual"),
)
# The same without a body to start from: everything has to be found.
TEMPLATE = replace(TINY, name="template", body=replace(TINY.body, given=False, evidence=()))
MADE = 4


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setitem(CONFIGS, "tiny", TINY)
    monkeypatch.setitem(CONFIGS, "template", TEMPLATE)


@pytest.fixture(scope="session")
def model() -> BodyModel:
    return load_default_body()


@pytest.fixture(scope="session")
def topology(model: BodyModel) -> Topology:
    return network_topology(model, TINY)


@pytest.fixture(scope="session")
def made(model: BodyModel) -> TrainingBatch:
    torch.set_num_threads(1)
    return Generator(0, size=64, points=800, model=model).batch("train", range(MADE))


@pytest.fixture
def people(made: TrainingBatch) -> People:
    """The four people again and again."""

    def batch(split: Split, indices: Sequence[int]) -> TrainingBatch:
        rows = [(index + (split == "val")) % MADE for index in indices]
        return TrainingBatch(**{entry.name: getattr(made, entry.name)[rows] for entry in fields(TrainingBatch)})

    return batch


@pytest.fixture
def plan() -> Plan:
    stages = (Stage("body", 2), Stage("surface", 2), Stage("joint", 2, rounds=2))
    return Plan("tiny", stages, batch=2, points=800, view_size=32, surface_samples=300)


@pytest.fixture
def begin(model: BodyModel, topology: Topology) -> Callable[..., Training]:
    def make(plan: Plan, micro: int = 0) -> Training:
        return Training(plan, model, Team(0, 1, torch.device("cpu")), micro=micro, topology=topology)

    return make
