"""Skinning: known answers, inverse, gradients, arguments."""

from __future__ import annotations

import math

import pytest
import torch

from munet.body.model import BodyModel
from munet.body.skinning import blend, landmarks_body, pose_body, unpose, unpose_directions
from munet.errors import InvalidInputError
from munet.geometry.rotation import matrix_from_axis_angle


def random_case(model: BodyModel, batch: int, joints: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    betas = torch.randn(batch, 10, generator=generator)
    pose = 0.3 * torch.randn(batch, joints, 3, generator=generator)
    assert model.joint_count >= joints
    return betas, pose, torch.randn(batch, 3, generator=generator)


def test_rest_pose_gives_the_template(model: BodyModel) -> None:
    body = pose_body(model, torch.zeros(1, 10), torch.zeros(1, 24, 3))
    assert torch.allclose(body.vertices[0], model.template, atol=1e-6)
    assert torch.allclose(body.joints[0], model.joint_template, atol=1e-6)


def test_root_rotation_is_rigid(model: BodyModel) -> None:
    pose = torch.zeros(1, 24, 3)
    pose[0, 0] = torch.tensor([0.0, math.pi / 2, 0.0])
    shift = torch.tensor([[0.1, 0.2, 0.3]])
    body = pose_body(model, torch.zeros(1, 10), pose, shift)
    x, y, z = (model.template - model.joint_template[0]).unbind(1)
    expected = torch.stack([z, y, -x], 1) + model.joint_template[0] + shift
    assert torch.allclose(body.vertices[0], expected, atol=1e-5)


def test_elbow_moves_the_hand_by_hand_calculation(model: BodyModel) -> None:
    pose = torch.zeros(1, 24, 3)
    pose[0, 18] = torch.tensor([0.0, -math.pi / 2, 0.0])
    body = pose_body(model, torch.zeros(1, 10), pose)
    elbow, wrist = model.joint_template[18], model.joint_template[20]
    length = (wrist - elbow).norm()
    assert torch.allclose(body.joints[0, 20], elbow + torch.tensor([0.0, 0.0, 1.0]) * length, atol=2e-3)


def test_24_and_54_joints_agree_when_fingers_rest(model: BodyModel) -> None:
    betas, pose, shift = random_case(model, 2, 24)
    full = torch.cat([pose, torch.zeros(2, 30, 3)], 1)
    small, large = pose_body(model, betas, pose, shift), pose_body(model, betas, full, shift)
    assert torch.allclose(small.vertices, large.vertices, atol=1e-5)
    assert torch.allclose(small.joints, large.joints, atol=1e-5)
    assert torch.allclose(small.transforms, large.transforms, atol=1e-5)


def test_matrices_and_axis_angles_agree(model: BodyModel) -> None:
    betas, pose, shift = random_case(model, 2, 54)
    first = pose_body(model, betas, pose, shift)
    second = pose_body(model, betas, matrix_from_axis_angle(pose), shift)
    assert torch.allclose(first.vertices, second.vertices, atol=1e-6)


def test_chosen_vertices_are_those_of_the_whole(model: BodyModel) -> None:
    betas, pose, shift = random_case(model, 2, 24)
    chosen = torch.tensor([5, 4000, 13000])
    whole, few = pose_body(model, betas, pose, shift), pose_body(model, betas, pose, shift, vertices=chosen)
    assert torch.allclose(few.vertices, whole.vertices[:, chosen], atol=1e-6)
    assert torch.allclose(few.rest_corrected, whole.rest_corrected[:, chosen], atol=1e-6)


def test_transforms_reproduce_the_vertices_and_unpose_inverts(model: BodyModel) -> None:
    betas, pose, shift = random_case(model, 2, 54)
    body = pose_body(model, betas, pose, shift)
    assert torch.allclose(blend(model.weights, body.transforms, body.rest_corrected), body.vertices, atol=1e-6)
    assert torch.allclose(unpose(model.weights, body.transforms, body.vertices), body.rest_corrected, atol=2e-5)


def test_unposed_directions_of_a_rigid_body_are_turned_back(model: BodyModel) -> None:
    pose = torch.zeros(1, 24, 3)
    pose[0, 0] = torch.tensor([0.3, -0.5, 0.2])
    body = pose_body(model, torch.zeros(1, 10), pose)
    normals = torch.nn.functional.normalize(torch.randn(1, model.vertex_count, 3), dim=-1)
    expected = normals @ matrix_from_axis_angle(pose[:, 0])
    assert torch.allclose(unpose_directions(model.weights, body.transforms, normals), expected, atol=1e-5)


def test_correctives_vanish_at_rest_and_can_be_left_out(model: BodyModel) -> None:
    betas, pose, _ = random_case(model, 1, 24)
    plain = pose_body(model, betas, pose, correctives=False)
    assert torch.equal(plain.rest_corrected, plain.rest_vertices)
    rest = pose_body(model, betas, torch.zeros(1, 24, 3))
    assert torch.allclose(rest.rest_corrected, rest.rest_vertices, atol=1e-7)


def test_sparse_and_dense_correctives_agree(model: BodyModel) -> None:
    feature = torch.randn(2, 23, 9) * 0.3
    sparse = model.pose_dirs.offsets(feature)
    dense = (model.pose_dirs.dense() @ feature.reshape(2, 1, 207, 1)).squeeze(-1)
    assert torch.allclose(sparse, dense, atol=1e-5)


def test_gradients_match_finite_differences(model: BodyModel) -> None:
    betas, pose, shift = (t.double().requires_grad_() for t in random_case(model, 1, 24))
    exact = _double(model)
    support, dense = exact.landmark_support()

    def marks(b: torch.Tensor, p: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return dense[::6] @ pose_body(exact, b, p, t, vertices=support).vertices

    assert torch.autograd.gradcheck(marks, (betas, pose, shift), atol=1e-6, fast_mode=True)


def _double(model: BodyModel) -> BodyModel:
    from dataclasses import fields, replace

    from munet.body.model import PoseDirs

    changed = {
        f.name: getattr(model, f.name).double()
        for f in fields(model)
        if isinstance(getattr(model, f.name), torch.Tensor) and getattr(model, f.name).dtype == torch.float32
    }
    return replace(model, **changed, pose_dirs=PoseDirs(model.pose_dirs.joints, model.pose_dirs.dirs.double()))


def test_landmarks_follow_the_body(model: BodyModel) -> None:
    betas, pose, shift = random_case(model, 3, 24)
    vertices = pose_body(model, betas, pose, shift).vertices
    expected = torch.einsum("lv,bvk->blk", model.landmarks.to_dense(), vertices)
    assert torch.allclose(landmarks_body(model, vertices), expected, atol=1e-5)


def test_one_set_of_betas_serves_a_batch(model: BodyModel) -> None:
    betas, pose, shift = random_case(model, 3, 24)
    body = pose_body(model, betas[:1], pose, shift)
    assert torch.allclose(body.vertices[2], pose_body(model, betas[:1], pose[2:], shift[2:]).vertices[0], atol=1e-5)


@pytest.mark.parametrize(
    ("betas", "pose", "shift"),
    [((1, 9), (1, 24, 3), (1, 3)), ((1, 10), (1, 23, 3), (1, 3)), ((1, 10), (1, 24, 3), (1, 2)),
     ((2, 10), (3, 24, 3), (3, 3)), ((1, 10), (24, 3), (1, 3))],
)  # fmt: skip
def test_wrong_shapes_are_refused(
    model: BodyModel, betas: tuple[int, ...], pose: tuple[int, ...], shift: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        pose_body(model, torch.zeros(betas), torch.zeros(pose), torch.zeros(shift))


def test_twisted_forearm_keeps_its_girth(model: BodyModel) -> None:
    pose = torch.zeros(1, 24, 3)
    pose[0, 18] = torch.tensor([-1.2, 0.0, 0.0])
    ring = ((model.template[:, 0] - model.joint_template[18, 0]).abs() < 0.02).nonzero()[:, 0]
    axis = model.joint_template[18, 1:]

    def girth(correctives: bool) -> float:
        points = pose_body(model, torch.zeros(1, 10), pose, correctives=correctives).vertices[0, ring, 1:]
        return float((points - axis).norm(dim=1).mean())

    rest = float((model.template[ring, 1:] - axis).norm(dim=1).mean())
    assert girth(correctives=False) < 0.91 * rest
    assert girth(correctives=True) > 0.92 * rest
