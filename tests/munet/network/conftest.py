"""A tiny configuration on spheres, so that every property is tested in seconds."""

from __future__ import annotations

import os
from dataclasses import replace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
import trimesh

from munet.body.default import load_default_body
from munet.body.model import BodyModel
from munet.network import (
    SMALL,
    MuNet,
    NetworkConfig,
    NetworkInputs,
    Topology,
    build_topology,
    coarsen,
    create_munet,
    topology_of_level,
)
from munet.network.config import BodyConfig, EncoderConfig, FilterConfig, SurfaceConfig
from munet.network.graph_of import graph_rig
from munet.network.upsampling import fit_upsampling


def sphere(subdivisions: int) -> Topology:
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=0.7)
    return build_topology(torch.tensor(ball.vertices).float(), torch.tensor(ball.faces).long())


@pytest.fixture(scope="session", autouse=True)
def _single_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def ball() -> Topology:
    return sphere(2)


@pytest.fixture(scope="session")
def finer_ball() -> Topology:
    return sphere(3)


@pytest.fixture(scope="session")
def model() -> BodyModel:
    return load_default_body()


@pytest.fixture(scope="session")
def fine(model: BodyModel) -> Topology:
    assert model.graph is not None
    return topology_of_level(model.graph, model.template)


@pytest.fixture(scope="session")
def coarse(fine: Topology) -> Topology:
    return coarsen(fine, 1724)


@pytest.fixture(scope="session")
def fitted(model: BodyModel, coarse: Topology) -> Topology:
    found = fit_upsampling(model, coarse)
    return replace(found, rig=graph_rig(model, found))


@pytest.fixture(scope="session")
def config() -> NetworkConfig:
    return replace(
        SMALL,
        image_size=64,
        encoder=EncoderConfig(
            "small", 64, ("rgb", "landmarks", "mask", "edges", "depth", "normals"), (8, 8, 16, 16), 32, 16
        ),
        coarse=FilterConfig(64, 4, 16, 8, 1, 2),
        fine=FilterConfig(64, 2, 8, 4, 1, 1),
        normal_widths=(8, 8, 16, 16),
        body=BodyConfig((32, 32, 32, 16, 16), camera_layer=3),
        surface=SurfaceConfig((16, 16), (16, 6), 0, save_memory=False),
        informed=False,
    )


@pytest.fixture(scope="session")
def given_config(config: NetworkConfig) -> NetworkConfig:
    """As ``small`` works: from a given body, informed, with residual blocks."""
    channels = ("rgb", "landmarks", "mask", "edges", "normals", "outline", "body")
    return replace(
        config,
        encoder=replace(config.encoder, channels=channels, vertex_features=8),
        body=replace(config.body, given=True),
        surface=SurfaceConfig((16, 16), (16,), 0, save_memory=False, kind="residual"),
        informed=True,
    )


@pytest.fixture
def given_net(given_config: NetworkConfig) -> MuNet:
    return create_munet(given_config, seed=3)


@pytest.fixture
def given_inputs(inputs: NetworkInputs, ball: Topology) -> NetworkInputs:
    body = (0.9 * ball.template_body + torch.tensor([0.02, 0.0, 0.1])).expand(2, -1, -1)
    return replace(inputs, body=body, camera=torch.tensor([[1.1, 0.02, 0.0]] * 2))


@pytest.fixture
def net(config: NetworkConfig) -> MuNet:
    return create_munet(config, seed=3)


@pytest.fixture
def inputs() -> NetworkInputs:
    generator = torch.Generator().manual_seed(0)
    row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    mask = ((row - 32) ** 2 + (column - 32) ** 2 < 26**2).float().expand(2, 1, 64, 64)
    rgb = torch.rand(2, 3, 64, 64, generator=generator)
    landmarks = torch.rand(2, 33, 3, generator=generator) * torch.tensor([1.6, 1.6, 1.0]) - torch.tensor([0.8, 0.8, 0])
    return NetworkInputs(rgb, mask, landmarks)
