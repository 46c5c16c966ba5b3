"""The networks together: start, invariances, storage, precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from munet.errors import InvalidInputError, ModelMissingError
from munet.network import (
    PAPER,
    SMALL,
    MuNet,
    NetworkConfig,
    NetworkInputs,
    Topology,
    build_topology,
    create_munet,
    load_munet,
    save_munet,
)
from munet.network.config import CONFIGS, config_from_dict, config_to_dict
from munet.network.normal_network import body_normal_maps


def stirred(net: MuNet) -> MuNet:
    """The same networks with parameters as after training: nothing is zero any more."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=generator))
    return net


def one(inputs: NetworkInputs, sample: int) -> NetworkInputs:
    part = slice(sample, sample + 1)
    return NetworkInputs(inputs.rgb[part], inputs.mask[part], inputs.landmarks[part])


def test_surface_is_the_body_at_the_start(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    output = net(ball, inputs)
    assert output.body.shape == output.surface.shape == (2, ball.vertex_count, 3)
    torch.testing.assert_close(output.surface, output.body, atol=1e-6, rtol=0)


def test_normals_are_the_bodys_at_the_start(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    output = net(ball, inputs)
    wanted = body_normal_maps(output.body, ball.faces, output.camera, 64) * inputs.mask
    torch.testing.assert_close(output.normals, wanted, atol=2e-3, rtol=0)


@torch.no_grad()
def test_body_is_near_the_template_at_the_start(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    output = net(ball, inputs)
    assert float((output.body - ball.template_body).abs().max()) < 0.2
    assert float((output.camera[:, 0] - 1).abs().max()) < 0.2


def test_samples_of_a_batch_do_not_mix(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    together = stirred(net)(ball, inputs)
    alone = net(ball, one(inputs, 1))
    for name in ("body", "camera", "normals", "surface"):
        torch.testing.assert_close(getattr(together, name)[1:], getattr(alone, name), atol=2e-4, rtol=1e-3)


def test_parameters_do_not_depend_on_the_graph(
    net: MuNet, ball: Topology, finer_ball: Topology, inputs: NetworkInputs
) -> None:
    with torch.no_grad():
        coarse, fine = stirred(net)(ball, inputs), net(finer_ball, inputs)
    assert fine.surface.shape == (2, finer_ball.vertex_count, 3)
    assert float((coarse.camera - fine.camera).abs().max()) < 0.1


def test_vertices_may_be_renumbered(net: MuNet, ball: Topology) -> None:
    order = torch.randperm(ball.vertex_count, generator=torch.Generator().manual_seed(6))
    place = torch.argsort(order)
    renumbered = build_topology(ball.template_body[order], place[ball.faces])
    feature = torch.randn(2, 48, generator=torch.Generator().manual_seed(7))
    body, camera = stirred(net).body_network(ball, feature)
    other_body, other_camera = net.body_network(renumbered, feature)
    torch.testing.assert_close(other_body, body[:, order], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(other_camera, camera, atol=1e-4, rtol=1e-4)


def test_seed_decides_and_leaves_the_generator_alone(config: NetworkConfig) -> None:
    torch.manual_seed(11)
    expected = torch.rand(1)
    torch.manual_seed(11)
    some, same, other = create_munet(config, 1), create_munet(config, 1), create_munet(config, 2)
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(a, b) for a, b in zip(some.parameters(), same.parameters(), strict=True))
    assert not torch.equal(some.body_network.first.weight, other.body_network.first.weight)


@torch.no_grad()
def test_rounds_use_the_normals_of_the_one_before(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    first, second = stirred(net)(ball, inputs, rounds=1), net(ball, inputs, rounds=2)
    assert float((first.body - second.body).abs().max()) > 1e-4
    given = net(ball, replace(inputs, normals=first.normals))
    torch.testing.assert_close(given.body, second.body)
    assert given.normals is first.normals


@pytest.mark.parametrize("rounds", [0, 9])
def test_impossible_rounds_are_refused(net: MuNet, ball: Topology, inputs: NetworkInputs, rounds: int) -> None:
    with pytest.raises(InvalidInputError, match=str(rounds)):
        net(ball, inputs, rounds=rounds)


@torch.no_grad()
def test_depth_and_lens_are_used(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    plain = stirred(net)(ball, inputs)
    deep = net(ball, replace(inputs, depth=inputs.mask * 0.3))
    seen = net(ball, replace(inputs, intrinsics=torch.tensor([[2.5, 0.0, 0.0]] * 2)))
    assert float((plain.body - deep.body).abs().max()) > 1e-4
    torch.testing.assert_close(plain.body, seen.body)
    assert float((plain.surface - seen.surface).abs().max()) > 1e-5


def test_bfloat16_is_close(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    exact = net(ball, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(ball, inputs)
        rough.surface.sum().backward()
    assert rough.body.dtype == rough.surface.dtype == torch.float32
    assert float((rough.body - exact.body).detach().abs().max()) < 0.02
    assert all(value.grad is None or bool(value.grad.isfinite().all()) for value in net.parameters())


def test_bfloat16_does_not_round_the_body(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = stirred(net)(ball, inputs)
    for values in (output.body - ball.template_body, output.camera[:, 1:]):
        assert float((values - values.bfloat16().float()).abs().max()) > 1e-5


def test_saving_memory_changes_no_gradient(config: NetworkConfig, ball: Topology, inputs: NetworkInputs) -> None:
    def gradients(wanted: NetworkConfig) -> list[Tensor]:
        made = stirred(create_munet(wanted, 1))
        made(ball, inputs).surface.square().mean().backward()
        return [value.grad for value in made.surface_network.parameters() if value.grad is not None]

    frugal = replace(config, surface=replace(config.surface, chunk_edges=100, save_memory=True))
    for some, other in zip(gradients(config), gradients(frugal), strict=True):
        torch.testing.assert_close(some, other, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 0.0), (torch.float16, 2e-3)])
def test_storage_and_back(net: MuNet, tmp_path: Path, dtype: torch.dtype, tolerance: float) -> None:
    path = tmp_path / "net.safetensors"
    save_munet(stirred(net), path, dtype, {"seed": "3"})
    read = load_munet(path)
    assert read.config == net.config
    assert not read.training
    for some, other in zip(net.parameters(), read.parameters(), strict=True):
        torch.testing.assert_close(some, other, atol=tolerance, rtol=tolerance)


def test_missing_and_damaged_files_are_named(net: MuNet, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    with pytest.raises(ModelMissingError, match=r"net\.safetensors"):
        load_munet(path)
    save_munet(net, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelMissingError, match=r"net\.safetensors"):
        load_munet(path)


@pytest.mark.parametrize("wanted", CONFIGS.values(), ids=CONFIGS)
def test_configurations_survive_a_dictionary(wanted: NetworkConfig) -> None:
    assert config_from_dict(config_to_dict(wanted)) == wanted


def test_paper_has_the_papers_widths() -> None:
    with torch.device("meta"):
        net = MuNet(PAPER)
    millions = {name: sum(value.numel() for value in part.parameters()) / 1e6 for name, part in net.named_children()}
    assert net.surface_network.encoder[0].weight.shape == (5, 1024, 556)
    assert len(net.surface_network.encoder) + len(net.surface_network.decoder) + 1 == 11
    assert len(net.body_network.blocks) == 8
    assert millions["surface_network"] == pytest.approx(59.8, abs=0.1)
    assert millions["body_encoder"] == pytest.approx(23.5, abs=0.1)


@torch.no_grad()
def test_the_papers_encoder_sees_picture_and_depth(
    config: NetworkConfig, ball: Topology, inputs: NetworkInputs
) -> None:
    encoder = replace(PAPER.encoder, size=64)
    net = create_munet(replace(config, encoder=encoder)).eval()
    deep = replace(inputs, depth=0.3 * inputs.mask)
    together, alone = net(ball, deep), net(ball, replace(one(inputs, 1), depth=0.3 * inputs.mask[1:]))
    torch.testing.assert_close(together.body[1:], alone.body, atol=1e-4, rtol=1e-3)
    assert float((together.body - net(ball, inputs).body).abs().max()) > 1e-6
    blind = replace(inputs, landmarks=torch.zeros_like(inputs.landmarks), depth=deep.depth)
    torch.testing.assert_close(net(ball, blind).body, together.body)


@torch.no_grad()
def test_hidden_landmarks_do_not_count(net: MuNet, ball: Topology, inputs: NetworkInputs) -> None:
    hidden, elsewhere = inputs.landmarks.clone(), inputs.landmarks.clone()
    hidden[:, 7, 2] = elsewhere[:, 7, 2] = 0
    elsewhere[:, 7, :2] = 0.9
    some, other = (net(ball, replace(inputs, landmarks=places)) for places in (hidden, elsewhere))
    torch.testing.assert_close(some.body, other.body)
    assert float((some.body - net(ball, inputs).body).abs().max()) > 1e-6


def test_small_is_small() -> None:
    with torch.device("meta"):
        net = MuNet(SMALL)
    assert sum(value.numel() for value in net.parameters()) < 8e6


def test_normals_of_a_sphere_are_known(finer_ball: Topology) -> None:
    maps = body_normal_maps(finer_ball.template_body[None], finer_ball.faces, torch.tensor([[1.0, 0.0, 0.0]]), 64)
    row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    x, y = (column + 0.5) / 32 - 1, 1 - (row + 0.5) / 32
    inside = x**2 + y**2 < 0.6**2
    z = (0.49 - x**2 - y**2).clamp_min(0).sqrt()
    for side, sign in ((maps[0, :3], 1), (maps[0, 3:], -1)):
        wanted = torch.stack([x, y, sign * z]) / 0.7
        assert float((side - wanted)[:, inside].abs().max()) < 0.03
    assert float(maps[0, :, 0, 0].abs().max()) == 0
