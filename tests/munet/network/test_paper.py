"""The configuration of the paper: its widths layer by layer, and one step of all of it over small pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import trimesh
from torch import Tensor

from munet.losses import LossSettings, SurfaceErrorSettings, Targets, Views, four_silhouettes, total_loss
from munet.network import PAPER, MuNet, NetworkInputs, Topology, TrueBody, build_topology, create_munet

VIEWS = Views(1.2, 32)


def test_sizes_are_those_of_the_paper_and_its_code() -> None:
    with torch.device("meta"):
        net = MuNet(PAPER)
    surface = [layer.weight.shape for layer in (*net.surface_network.encoder, *net.surface_network.decoder)]
    assert [tuple(shape[1:]) for shape in surface] == [
        (1024, 556), (1024, 1024), (1024, 1024), (2048, 1024), (2048, 2048), (1024, 2048), (512, 1024),
        (256, 556 + 512), (128, 556 + 256), (6, 556 + 128),
    ]  # fmt: skip
    assert {shape[0] for shape in surface} == {5}, "an edge and its four neighbours"
    assert PAPER.body.widths == (512, 256, 256, 256, 256, 256, 256, 64, 32)
    assert PAPER.image_size == PAPER.coarse.size == 512
    assert (PAPER.coarse.out, PAPER.coarse.size // PAPER.coarse.shrink) == (256, 128)
    assert (PAPER.fine.out, PAPER.fine.size // PAPER.fine.shrink) == (16, 512)
    assert PAPER.encoder.channels == ("rgb", "depth")
    assert PAPER.encoder.features == 2048


@pytest.mark.slow
def test_all_of_it_learns(inputs: NetworkInputs) -> None:
    """Every layer as wide as in the paper, on a small graph and a picture an eighth as wide."""
    config = replace(
        PAPER,
        image_size=64,
        encoder=replace(PAPER.encoder, size=64),
        coarse=replace(PAPER.coarse, size=64),
        fine=replace(PAPER.fine, size=64),
    )
    shape = trimesh.creation.icosphere(subdivisions=1, radius=0.7)
    ball = build_topology(torch.tensor(shape.vertices).float(), torch.tensor(shape.faces).long())
    net, seen = create_munet(config), NetworkInputs(inputs.rgb[:1], inputs.mask[:1], inputs.landmarks[:1])
    clothed = 1.15 * ball.template_body[None]
    truth = TrueBody(1.1 * ball.template_body[None], torch.tensor([[1.0, 0.0, 0.0]]))
    targets = Targets(
        body=truth.vertices_body,
        joints_image=torch.full((1, 1, 2), 0.1),
        joints_confidence=torch.ones(1, 1),
        surface_points=clothed,
        surface_normals=torch.nn.functional.normalize(clothed, dim=-1),
        surface_silhouettes=four_silhouettes(clothed, ball.faces, VIEWS),
        normals=torch.full((1, 6, 64, 64), 3**-0.5),
        dressed=clothed,
        dressed_sure=torch.ones(clothed.shape[:2]),
    )
    settings = LossSettings(error=SurfaceErrorSettings(samples=200), views=VIEWS)
    made = net(ball, replace(seen, depth=0.3 * seen.mask), truth=truth)
    loss = total_loss(made, targets, ball, _mean_of(ball), settings, torch.Generator().manual_seed(0))
    loss.total.backward()
    for name, part in net.named_children():
        slopes = [value.grad for value in part.parameters() if value.grad is not None]
        assert slopes, name
        assert all(bool(slope.isfinite().all()) for slope in slopes), name
        assert sum(float(slope.abs().sum()) for slope in slopes) > 0, name


def _mean_of(ball: Topology) -> Tensor:
    return torch.full((1, ball.vertex_count), 1 / ball.vertex_count)
