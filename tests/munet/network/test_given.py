"""Networks that start from a given body: what they do before they have learnt anything, and what reaches what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from munet.errors import InvalidInputError
from munet.network import MuNet, NetworkInputs, Topology, TrueBody, load_munet, save_munet
from munet.network.inputs import outline_distance
from munet.network.normal_network import body_maps


def stirred(net: MuNet) -> MuNet:
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=generator))
    return net


def known(value: Tensor | None) -> Tensor:
    assert value is not None
    return value


@torch.no_grad()
@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_the_given_body_is_kept_at_the_start(
    given_net: MuNet, ball: Topology, given_inputs: NetworkInputs, rounds: int
) -> None:
    output = given_net(ball, given_inputs, rounds)
    assert float((output.body - known(given_inputs.body)).abs().max()) < 0.01
    assert float((output.camera - known(given_inputs.camera)).abs().max()) < 0.01
    torch.testing.assert_close(output.surface, output.body, atol=1e-5, rtol=0)


def test_no_round_needs_a_given_body(given_net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    with pytest.raises(InvalidInputError, match="found 0"):
        given_net(ball, inputs, rounds=0)


@torch.no_grad()
def test_people_do_not_mix(given_net: MuNet, ball: Topology, given_inputs: NetworkInputs) -> None:
    together = stirred(given_net)(ball, given_inputs, 2)
    second = {name: value[1:] for name, value in vars(given_inputs).items() if value is not None}
    alone = given_net(ball, replace(given_inputs, **second), 2)
    for name in ("body", "camera", "normals", "surface"):
        torch.testing.assert_close(getattr(together, name)[1:], getattr(alone, name), atol=2e-4, rtol=1e-3)


def test_the_surface_reaches_the_body(given_net: MuNet, ball: Topology, given_inputs: NetworkInputs) -> None:
    truth = TrueBody(known(given_inputs.body), known(given_inputs.camera))
    output = stirred(given_net)(ball, given_inputs, 1, truth)
    torch.testing.assert_close(output.surface_for_body, output.surface)
    known(output.surface_for_body).square().mean().backward()
    reached = {
        name: sum(float(value.grad.abs().sum()) for value in part.parameters() if value.grad is not None)
        for name, part in given_net.named_children()
    }
    assert reached["body_network"] > 0
    assert reached["body_encoder"] > 0
    assert reached["surface_network"] == reached["local_encoder"] == reached["normal_network"] == 0


def test_storage_keeps_the_kind(given_net: MuNet, tmp_path: Path) -> None:
    save_munet(given_net, tmp_path / "net.safetensors", torch.float16)
    assert load_munet(tmp_path / "net.safetensors").config == given_net.config


def test_distance_to_the_outline() -> None:
    mask = torch.zeros(2, 1, 32, 32)
    mask[0, 0, 8:20, 5:30] = 1
    mask[1] = 1
    found = outline_distance(mask) * 8
    inside = mask[0, 0].numpy() > 0
    wanted = torch.from_numpy(distance_transform_edt(inside) - distance_transform_edt(~inside)).float().clamp(-8, 8)
    torch.testing.assert_close(found[0, 0], wanted, atol=0.02, rtol=0)
    assert float(found[1].min()) == 8


def test_heights_of_a_sphere(finer_ball: Topology) -> None:
    maps = body_maps(finer_ball.template_body[None], finer_ball.faces, torch.tensor([[1.0, 0.0, 0.0]]), 64)
    assert float(maps[0, 6, 32, 32]) == pytest.approx(0.7, abs=0.01)
    assert float(maps[0, 7, 32, 32]) == pytest.approx(-0.7, abs=0.01)
    assert float(maps[0, 6:, 0, 0].abs().max()) == 0
