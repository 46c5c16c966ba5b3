"""The pose step: bodies turned at their joints, evidence about bones, and what a mirror does to both."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import landmarks_body, pose_body
from munet.body.tree import TURNED, global_rotations, with_hands
from munet.errors import InvalidInputError
from munet.geometry.rotation import matrix_from_axis_angle
from munet.network import SMALL, MuNet, NetworkInputs, Topology, create_munet
from munet.network.evidence import Evidence, gather
from munet.network.graph_of import graph_rig
from munet.network.joints import graph_values
from munet.network.mirror import mirrored, mirrored_pose, mirrored_turns
from munet.network.opinion import Opinion
from munet.network.pose_network import PoseNetwork
from munet.network.rig import GivenPose, GraphRig, turn_further
from munet.network.weights import adopted
from munet.training.posing import Cases, PosingPlan, cases_of, errors, learn_pose, tensors_of

PEOPLE = 3
WITHOUT_PICTURES = ("pose", "landmarks", "depths", "opinion")


@pytest.fixture(scope="module")
def rig(model: BodyModel, fitted: Topology) -> GraphRig:
    return graph_rig(model, fitted)


def posed(model: BodyModel, topology: Topology, pose: Tensor, betas: Tensor) -> tuple[Tensor, GivenPose]:
    """Vertices of the graph and the pose of bodies with local axis-angles (B, 24, 3), pelvis at the origin."""
    local = matrix_from_axis_angle(pose)
    found = pose_body(model, betas, local, None)
    pelvis = found.joints[:, :1]
    given = GivenPose(
        with_hands(global_rotations(local, TURNED)),
        found.joints[:, :24] - pelvis,
        landmarks_body(model, found.vertices) - pelvis,
        betas,
    )
    return graph_values(model, topology, found.vertices - pelvis), given


def drawn(seed: int, spread: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pose = spread * torch.randn(PEOPLE, 24, 3, generator=generator)
    pose[:, 22:] = 0
    return pose, torch.randn(PEOPLE, 10, generator=generator)


def seen(seed: int = 0) -> NetworkInputs:
    generator = torch.Generator().manual_seed(seed)
    marks = torch.rand(PEOPLE, 33, 3, generator=generator)
    return NetworkInputs(
        rgb=torch.zeros(PEOPLE, 3, 64, 64),
        mask=torch.ones(PEOPLE, 1, 64, 64),
        landmarks=marks * torch.tensor([2.0, 2.0, 1.0]) - torch.tensor([1.0, 1.0, 0.0]),
        intrinsics=torch.tensor([[2.0, 0.1, 0.0]] * PEOPLE),
        depths=torch.randn(PEOPLE, 33, 3, generator=generator),
        opinion=Opinion(
            known=torch.tensor([[1.0]] * (PEOPLE - 1) + [[0.0]]),
            turns=matrix_from_axis_angle(torch.randn(PEOPLE, 24, 3, generator=generator)),
            joints=torch.randn(PEOPLE, 24, 3, generator=generator),
            betas=torch.randn(PEOPLE, 10, generator=generator),
            spreads=0.01 + torch.rand(PEOPLE, 24, 2, generator=generator),
        ),
    )


CAMERA = torch.tensor([[0.8, 0.2, -0.1]] * PEOPLE)


@torch.no_grad()
def test_a_body_turned_further_is_the_body_of_the_other_pose(model: BodyModel, fitted: Topology, rig: GraphRig) -> None:
    (first, betas), (second, others) = drawn(0, 0.25), drawn(1, 0.25)
    vertices, pose = posed(model, fitted, first, betas)
    wanted, there = posed(model, fitted, second, others)
    turns = (there.turns @ pose.turns.transpose(-1, -2))[:, :22]
    moved, found = turn_further(rig, vertices, pose, turns, others - betas)
    torch.testing.assert_close(found.turns, there.turns, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints, there.joints, atol=2e-5, rtol=0)
    assert float((moved - wanted).norm(dim=-1).mean()) < 0.012
    assert float((found.marks - there.marks).norm(dim=-1).mean()) < 0.012
    still, same = turn_further(rig, vertices, pose, torch.eye(3).expand(PEOPLE, 22, 3, 3), torch.zeros(PEOPLE, 10))
    torch.testing.assert_close(still, vertices, atol=2e-6, rtol=0)
    torch.testing.assert_close(same.joints, pose.joints, atol=2e-6, rtol=0)


def mirror(pose: GivenPose, inputs: NetworkInputs) -> tuple[GivenPose, NetworkInputs]:
    depths, landmarks = (mirrored_pose(replace(pose, marks=m)).marks for m in (inputs.depths, inputs.landmarks))
    intrinsics = inputs.intrinsics * torch.tensor([1.0, -1.0, 1.0])  # type: ignore[operator]
    told = inputs.opinion
    assert told is not None
    other = mirrored_pose(replace(pose, turns=told.turns, joints=told.joints))
    # Spreads have no sign: they lie where a mirror changes none.
    beside = torch.cat([torch.zeros_like(told.spreads[..., :1]), told.spreads], -1)
    spreads = mirrored_pose(replace(pose, joints=beside)).joints[..., 1:]
    opinion = replace(told, turns=other.turns, joints=other.joints, spreads=spreads)
    inputs = replace(inputs, depths=depths, landmarks=landmarks, intrinsics=intrinsics, opinion=opinion)
    return mirrored_pose(pose), inputs


@torch.no_grad()
def test_evidence_of_the_mirrored_person_is_mirrored_evidence(
    model: BodyModel, fitted: Topology, rig: GraphRig
) -> None:
    vertices, pose = posed(model, fitted, *drawn(2, 0.3))
    inputs = seen()
    evidence = gather(WITHOUT_PICTURES, rig, inputs, pose, vertices, CAMERA, None, None)
    other_pose, other_inputs = mirror(pose, inputs)
    camera = CAMERA * torch.tensor([1.0, -1.0, 1.0])
    wanted = gather(WITHOUT_PICTURES, rig, other_inputs, other_pose, vertices, camera, None, None)
    found = mirrored(WITHOUT_PICTURES, evidence, pose, pose, lambda seen, _, __: seen)
    for field in fields(Evidence):
        torch.testing.assert_close(getattr(found, field.name), getattr(wanted, field.name), atol=1e-5, rtol=1e-4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PoseNetwork(WITHOUT_PICTURES, 16, 8).eval()
        torch.nn.init.normal_(network.second, std=0.3)
    (turns, betas), (others, shape) = network.both_ways(evidence), network.both_ways(wanted)
    assert float((turns - torch.eye(3)).abs().max()) > 0.05
    torch.testing.assert_close(mirrored_turns(others), turns, atol=1e-5, rtol=0)
    torch.testing.assert_close(shape, betas, atol=1e-6, rtol=0)


@torch.no_grad()
def test_normals_over_a_bone_tell_how_it_must_turn(model: BodyModel, fitted: Topology, rig: GraphRig) -> None:
    net = create_munet(SMALL)
    arms = torch.zeros(PEOPLE, 24, 3)
    vertices, pose = posed(model, fitted, arms, torch.zeros(PEOPLE, 10))
    turned = arms.clone()
    turned[:, 4, 0] = 0.5
    bent, _ = posed(model, fitted, turned, torch.zeros(PEOPLE, 10))
    inputs = replace(seen(), rgb=torch.zeros(PEOPLE, 3, 256, 256), mask=torch.ones(PEOPLE, 1, 256, 256))
    inputs = replace(inputs, intrinsics=torch.tensor([[2.0, 0.0, 0.0]] * PEOPLE))
    camera = torch.tensor([[0.8, 0.0, 0.1]] * PEOPLE)
    maps = net.maps_of_body(fitted, inputs, vertices, camera)
    clothes = net.maps_of_body(fitted, inputs, bent, camera)[:, :6]
    front = gather(("pose", "normals"), rig, inputs, pose, vertices, camera, maps, clothes).bones[0, :, 6:18]
    # About x, as the shank was turned; bones that did not move say nothing.
    assert float(front[4, 7]) > 0.05
    assert float(front[[1, 2, 5, 16, 17, 18, 19], 7].abs().max()) < 0.03


def test_it_learns_a_mistake_that_all_make(model: BodyModel, fitted: Topology, rig: GraphRig) -> None:
    generator = torch.Generator().manual_seed(0)
    local, betas = 0.2 * torch.randn(64, 24, 3, generator=generator), torch.zeros(64, 10)
    _, wanted = posed(model, fitted, local, betas)
    bent = local.clone()
    bent[:, [4, 5], 0] += 0.4
    vertices, given = posed(model, fitted, bent, betas)
    inputs = NetworkInputs(torch.zeros(64, 3, 8, 8), torch.zeros(64, 1, 8, 8), torch.zeros(64, 33, 3))
    evidence = gather(("pose",), rig, inputs, given, vertices, torch.tensor([[0.8, 0, 0]] * 64), None, None)
    cases = Cases(evidence, given, wanted)
    again = cases_of(tensors_of(cases))
    assert torch.equal(again.evidence.view, cases.evidence.view)
    assert torch.equal(again.wanted.joints, cases.wanted.joints)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PoseNetwork(("pose",), 32, 16)
    before, losses = errors(network, rig, cases), []
    assert before["joints_mm"].mean() == pytest.approx(errors(None, rig, cases)["joints_mm"].mean(), abs=1e-3)
    plan = PosingPlan(epochs=25, batch=32, rate=5e-3)
    learn_pose(network, ("pose",), rig, cases, plan, lambda _, loss: losses.append(loss))
    after = errors(network, rig, cases)
    assert losses[-1] < 0.6 * losses[0]
    assert after["joints_mm"].mean() < 0.5 * before["joints_mm"].mean()
    assert after["joints_pa_mm"].mean() < 0.7 * before["joints_pa_mm"].mean()


def test_networks_without_a_pose_step_lend_their_weights(given_net: MuNet) -> None:
    config = replace(given_net.config, body=replace(given_net.config.body, evidence=("pose",)))
    net = adopted(given_net, config)
    assert net.pose_network is not None
    for name, value in given_net.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value)


def test_joints_can_not_be_turned_without_a_rig(
    given_net: MuNet, ball: Topology, given_inputs: NetworkInputs, model: BodyModel, fitted: Topology
) -> None:
    net = adopted(given_net, replace(given_net.config, body=replace(given_net.config.body, evidence=("pose",))))
    _, pose = posed(model, fitted, torch.zeros(2, 24, 3), torch.zeros(2, 10))
    with pytest.raises(InvalidInputError, match="no rig"):
        net(ball, replace(given_inputs, pose=pose), 1)
