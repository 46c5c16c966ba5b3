"""Surfaces whose losses are known."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
import trimesh

from munet.network import Topology, build_topology


@pytest.fixture(scope="session", autouse=True)
def _single_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def ball() -> Topology:
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=0.6)
    return build_topology(torch.tensor(mesh.vertices).float(), torch.tensor(mesh.faces).long())
