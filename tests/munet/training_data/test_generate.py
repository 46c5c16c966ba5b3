"""Labels agree with one another and with the pictures; samples do not depend on their batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import max_pool2d

from munet.body.default import load_default_body
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.render import project
from munet.training.data.generate import Generator, TrainingBatch

FLIP = torch.tensor([1.0, -1.0, -1.0])


def test_a_sample_does_not_depend_on_its_batch(generator: Generator, batch: TrainingBatch) -> None:
    alone = generator.batch("train", [4])
    for name, value in batch.tensors().items():
        other, mine = alone.tensors()[name][0].float(), value[4].float()
        if name == "surface_points":
            # Rounding may move a point to the next face of equal rank, never off the surface.
            assert (other - mine).norm(dim=-1).median() < 1e-4
        elif other.dim() >= 2 and other.shape[-1] == batch.image.shape[-1]:
            assert ((other - mine).abs() > 1e-2).float().mean() < 2e-3, name
        elif name != "surface_normals":
            torch.testing.assert_close(other, mine, atol=1e-3, rtol=1e-4, msg=name)


def test_same_seed_same_data_and_another_seed_other_data(generator: Generator, batch: TrainingBatch) -> None:
    again = Generator(seed=3, size=generator.size, points=generator.points).batch("train", range(6))
    torch.testing.assert_close(again.image, batch.image)
    assert not torch.allclose(Generator(seed=4, size=64, points=8).batch("train", [0]).betas, batch.betas[:1])


def test_parameters_give_the_labelled_joints(batch: TrainingBatch) -> None:
    posed = pose_body(load_default_body(), batch.betas, batch.pose)
    joints = posed.joints * FLIP + batch.translation[:, None]
    torch.testing.assert_close(joints, batch.joints, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(project(batch.camera, joints)[..., :2], batch.joints_image, atol=0.1, rtol=1e-4)


def test_joints_lie_in_the_mask(batch: TrainingBatch) -> None:
    size = batch.image.shape[-1]
    inside = ((batch.joints_image >= 0) & (batch.joints_image < size)).all(-1)
    inside[:, 22:] = False
    person, joint = inside.nonzero(as_tuple=True)
    x, y = batch.joints_image[person, joint].long().unbind(-1)
    assert batch.body_mask[person, y, x].mean() > 0.97
    assert batch.surface_mask[person, y, x].mean() > 0.97


def test_normals_are_unit_and_face_the_right_way(batch: TrainingBatch) -> None:
    size = batch.image.shape[-1]
    place = torch.arange(size) + 0.5
    y, x = torch.meshgrid(place, place, indexing="ij")
    center, focal = batch.camera[:, :2, 2, None, None], batch.camera[:, 0, 0, None, None]
    ray = torch.stack(
        [(x - center[:, 0]) / focal, (y - center[:, 1]) / focal, torch.ones(len(batch.index), size, size)], 1
    )
    for name, mask, sign in (
        ("normals_front", batch.surface_mask, -1), ("normals_back", batch.surface_mask, 1),
        ("body_normals_front", batch.body_mask, -1), ("body_normals_back", batch.body_mask, 1),
    ):  # fmt: skip
        normals = batch.tensors()[name]
        length = normals.norm(dim=1)
        assert torch.allclose(length[mask > 0], torch.ones(1), atol=1e-3), name
        assert (length[mask == 0] == 0).all()
        assert (sign * (normals * ray).sum(1)[mask > 0] >= -1e-4).all()
    assert torch.allclose(batch.surface_normals.norm(dim=-1), torch.ones(1), atol=1e-3)


def test_the_body_is_inside_the_clothes(batch: TrainingBatch) -> None:
    outside = (batch.body_mask * (1 - batch.surface_mask)).flatten(1).sum(1) / batch.body_mask.flatten(1).sum(1)
    assert outside.max() < 0.01
    both = (batch.body_mask > 0) & (batch.surface_mask > 0)
    behind = batch.depth[both] - batch.body_depth[both]
    assert torch.quantile(behind[:100000], 0.99) < 0.006


def test_points_lie_on_the_surface(batch: TrainingBatch) -> None:
    size = batch.image.shape[-1]
    seen = project(batch.camera, batch.surface_points)
    inside = ((seen[..., :2] >= 1) & (seen[..., :2] < size - 1)).all(-1)
    person, point = inside.nonzero(as_tuple=True)
    x, y = seen[person, point, :2].long().unbind(-1)
    near = max_pool2d(batch.surface_mask[:, None], 3, 1, 1)[:, 0]
    assert near[person, y, x].mean() > 0.995
    in_front = seen[person, point, 2] < batch.depth[person, y, x] - 0.08
    assert (in_front & (batch.surface_mask[person, y, x] > 0)).float().mean() < 0.03
    towards = (batch.surface_normals * batch.surface_points).sum(-1)[person, point] < 0
    nearest = (seen[person, point, 2] - batch.depth[person, y, x]).abs() < 0.02
    assert towards[nearest].float().mean() > 0.85


def test_detector_noise_is_light(batch: TrainingBatch) -> None:
    error = (batch.observed_landmarks - batch.landmarks_image).norm(dim=-1)
    height = np.ptp(batch.landmarks_image[..., 1].numpy(), axis=1)
    share = error / torch.from_numpy(height)[:, None]
    assert 0.001 < float(share[batch.observed_visibility > 0.9].mean()) < 0.02
    assert ((batch.observed_visibility >= 0) & (batch.observed_visibility <= 1)).all()
    overlap = (batch.observed_mask * batch.mask).flatten(1).sum(1) / batch.mask.flatten(1).sum(1)
    assert overlap.min() > 0.85


def test_lost_points_do_not_give_the_truth_away(generator: Generator) -> None:
    many = generator.batch("train", range(20, 32))
    error = (many.observed_landmarks - many.landmarks_image).norm(dim=-1)
    size = many.image.shape[-1]
    inside = ((many.landmarks_image >= 0) & (many.landmarks_image < size)).all(-1)
    lost = inside & (many.observed_visibility == 0)
    assert lost.any()
    assert error[lost].mean() > 5 * error[many.observed_visibility > 0.9].mean()


def test_pictures_are_in_range(batch: TrainingBatch) -> None:
    assert batch.image.isfinite().all()
    assert batch.image.min() >= 0
    assert batch.image.max() <= 1
    assert batch.surface_mask.flatten(1).mean(1).min() > 0.03


def test_bad_input() -> None:
    with pytest.raises(InvalidInputError):
        Generator(size=8)
    with pytest.raises(InvalidInputError):
        Generator(points=0)


def test_bad_index(generator: Generator) -> None:
    with pytest.raises(InvalidInputError):
        generator.batch("train", [])
    with pytest.raises(InvalidInputError):
        generator.batch("train", [-1])
    with pytest.raises(InvalidInputError):
        generator.batch("holiday", [0])  # type: ignore[arg-type]
