"""Generated people as the networks take them: every frame checked against the generator's own pictures."""

from __future__ import annotations

import pytest
import torch

from munet.body.model import BodyModel
from munet.geometry.rotation import axis_angle_from_matrix
from munet.lifting.lift import load_lifter
from munet.losses import Views, four_silhouettes
from munet.network import SMALL, Topology
from munet.network.camera import crop_intrinsics, project
from munet.network.cost import measure_cost
from munet.network.joints import joint_regressor
from munet.network.normal_network import body_normal_maps
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.fitted import Fits
from munet.training.given import Mix, given_bodies
from munet.training.network_batch import NetworkBatch, network_batch

VIEWS = Views(size=96)


@pytest.fixture(scope="module")
def topology(fitted: Topology) -> Topology:
    return fitted


@pytest.fixture(scope="module")
def generated(model: BodyModel) -> TrainingBatch:
    return Generator(0, size=128, points=4096, model=model).batch("train", [0, 3])


@pytest.fixture(scope="module")
def made(generated: TrainingBatch, model: BodyModel, topology: Topology) -> NetworkBatch:
    return network_batch(generated, model, topology, VIEWS, with_depth=True)


def test_joints_are_seen_where_the_generator_put_them(made: NetworkBatch, model: BodyModel, topology: Topology) -> None:
    joints = joint_regressor(model, topology) @ made.targets.body
    seen = project(joints, made.truth.camera, made.inputs.intrinsics)
    assert float((seen - made.targets.joints_image).norm(dim=-1).mean()) * 64 < 1
    assert float(joints[:, 0].norm(dim=-1).max()) < 0.02


def test_rendered_normals_are_the_generators(made: NetworkBatch, generated: TrainingBatch, topology: Topology) -> None:
    found = body_normal_maps(made.targets.body, topology.faces, made.truth.camera, 128, made.inputs.intrinsics)
    flip = torch.tensor([1.0, -1.0, -1.0])[:, None, None]
    for side, truth in ((found[:, :3], generated.body_normals_front), (found[:, 3:], generated.body_normals_back)):
        wanted = truth * flip
        both = (side.norm(dim=1) > 0.5) & (wanted.norm(dim=1) > 0.5)
        assert float(both.float().sum() / (wanted.norm(dim=1) > 0.5).sum()) > 0.9
        assert float((side * wanted).sum(1)[both].mean()) > 0.9


def test_surface_lies_around_the_body(made: NetworkBatch, topology: Topology) -> None:
    points, normals = made.targets.surface_points, made.targets.surface_normals
    assert float(points.mean(1).norm(dim=-1).max()) < 0.4
    torch.testing.assert_close(normals.norm(dim=-1), torch.ones(points.shape[:2]), atol=1e-3, rtol=0)
    body = four_silhouettes(made.targets.body, topology.faces, VIEWS)
    uncovered = (body > 0.9) & (made.targets.surface_silhouettes < 0.1)
    assert float(uncovered.sum() / (body > 0.9).sum()) < 0.03


def test_depth_is_relative_to_the_pelvis(made: NetworkBatch) -> None:
    depth = made.inputs.depth
    assert depth is not None
    assert float(depth[depth != 0].abs().median()) < 0.6
    assert float(depth[:, 0].gt(0).float().mean()) > 0


def test_the_truth_looks_the_same_to_who_guesses_the_lens(
    generated: TrainingBatch, model: BodyModel, topology: Topology
) -> None:
    shift = torch.tensor([0.05, -0.04, 0.7])
    fits = Fits(
        good=torch.tensor([True, False]),
        pose=axis_angle_from_matrix(generated.pose),
        betas=generated.betas,
        translation=generated.translation + shift,
        focal=1.2 * generated.camera[:, 0, 0],
    )
    given = given_bodies(generated, model, topology, load_lifter(), Mix(1, 0, 1), (0, 0), fits)
    made = network_batch(generated, model, topology, VIEWS, given=given)
    lens = made.inputs.intrinsics
    assert lens is not None
    longer = crop_intrinsics(generated.camera, 128)[0] * torch.tensor([1.2, 0.0, 0.0])
    torch.testing.assert_close(lens[0], longer)
    assert float(lens[1, 1:].abs().max()) > 0
    assert made.inputs.pose is not None
    regressor = joint_regressor(model, topology)
    joints = regressor @ made.targets.body
    for person in range(2):
        seen = project(joints[person : person + 1], made.truth.camera[person : person + 1], lens[person : person + 1])
        apart = (seen - made.targets.joints_image[person]).norm(dim=-1) * 64
        # Another lens bends perspective a little; the pelvis is seen where it was.
        assert float(apart.mean()) < 4
        assert float(apart[0, 0]) < 1.5
    # A regressor over the graph's vertices knows the joints of a posed body only so well: shoulders to about 2 cm.
    apart = (made.pose.joints - made.pose.joints[:, :1] - (joints - joints[:, :1])).norm(dim=-1)
    assert float(apart.mean()) < 0.012
    assert float(apart.max()) < 0.03
    # The second person has no fit and starts from the truth.
    torch.testing.assert_close(made.inputs.pose.turns[1], made.pose.turns[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(made.scale[1], torch.tensor(1.0))
    turned = made.pose.turns[0] @ made.inputs.pose.turns[0].transpose(-1, -2)
    torch.testing.assert_close(turned, turned[:1].expand(24, -1, -1), atol=1e-4, rtol=0)


def test_small_keeps_its_budget(topology: Topology) -> None:
    cost = measure_cost(SMALL, topology, repetitions=1)
    assert sum(cost.gigaflops.values()) < 16
    assert set(cost.parameters) == set(cost.gigaflops)
