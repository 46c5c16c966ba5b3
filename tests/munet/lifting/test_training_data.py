"""Generated people: kinematics against the body model, views, seeds and limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from munet.body.default import load_default_body
from munet.body.skinning import landmarks_body, pose_body
from munet.body.tree import TURNED, global_rotations
from munet.errors import InvalidInputError
from munet.fitting.hands import relaxed_fingers
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.inputs import INPUTS, MARK_NAMES, MARKS, PLAIN_INPUTS
from munet.training.lifting.detector import detect, draw_part, hidden_marks, inside_part, measured_depths
from munet.training.lifting.losses import project
from munet.training.lifting.poses import (
    PoseLibrary,
    draw_poses,
    load_library,
    mirrored,
    natural_poses,
    straighten,
)
from munet.training.lifting.skeleton import Skeleton, make_skeleton
from munet.training.lifting.views import make_batch, portraits

LIBRARY = Path(__file__).parents[3] / "munet" / "training" / "assets" / "poses.npz"


@pytest.fixture(scope="module")
def library() -> PoseLibrary:
    return load_library(LIBRARY)


@pytest.fixture(scope="module")
def skeleton() -> Skeleton:
    return make_skeleton(load_default_body("cpu"))


def random_local(count: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(3)
    return matrix_from_axis_angle(torch.randn(count, 22, 3, generator=random) * 0.7)


def test_kinematics_agree_with_the_body_model(skeleton: Skeleton) -> None:
    model = load_default_body("cpu")
    local, betas = random_local(4), torch.randn(4, 10, generator=torch.Generator().manual_seed(1))
    fingers = matrix_from_axis_angle(torch.from_numpy(relaxed_fingers(model.joint_count - 24)).float())
    hands = torch.cat([torch.eye(3).expand(2, 3, 3), fingers]).expand(4, -1, 3, 3)
    posed = pose_body(model, betas, torch.cat([local, hands], 1), correctives=False)
    joints, marks = skeleton.pose(global_rotations(local, TURNED), betas)
    root = posed.joints[:, :1]
    assert torch.allclose(joints, posed.joints[:, :24] - root, atol=1e-5)
    expected = landmarks_body(model, posed.vertices)[:, list(MARKS)] - root
    # Shapes of bent fingers are taken as those of straight ones.
    assert float((marks - expected).abs().max()) < 5e-4


def test_the_true_pose_projects_onto_the_true_marks(library: PoseLibrary, skeleton: Skeleton) -> None:
    batch = make_batch(library, skeleton, 64, 0, 5)
    joints, marks = skeleton.pose(batch.turns, batch.betas)
    assert torch.allclose(joints, batch.joints, atol=1e-5)
    known_focal = batch.view.features[:, PLAIN_INPUTS - 1] > 0.5
    assert 5 < int(known_focal.sum()) < 60
    for person in known_focal.nonzero().squeeze(1).tolist():
        place = place_of(marks[person], batch.view.marks[person], float(batch.view.scale[person]))
        found = project(marks[None, person : person + 1], place[None, None], batch.view.scale[person : person + 1])
        assert torch.allclose(found[0, 0], batch.view.marks[person], atol=2e-3)


def place_of(marks: torch.Tensor, target: torch.Tensor, scale: float) -> torch.Tensor:
    """The translation that explains the target, by linear least squares, as the network tells it."""
    rays, cam = (target * scale).double(), (marks * torch.tensor([1.0, -1.0, -1.0])).double()
    left = torch.zeros(len(marks), 2, 3, dtype=torch.float64)
    left[:, 0, 0] = left[:, 1, 1] = 1
    left[:, :, 2] = -rays
    right = rays * cam[:, 2:] - cam[:, :2]
    x, y, z = torch.linalg.lstsq(left.reshape(-1, 3), right.reshape(-1, 1)).solution.squeeze(1).tolist()
    return torch.tensor([x / (z * scale), y / (z * scale), np.log(z * scale)], dtype=torch.float32)


def test_what_lies_behind_the_body_is_hidden(skeleton: Skeleton) -> None:
    turns = torch.eye(3).expand(2, 22, 3, 3).clone()
    # The second person's right arm is stretched out straight behind the trunk.
    turns[1, [17, 19, 21]] = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]).T
    marks = skeleton.pose(turns, torch.zeros(2, 10))[1] * torch.tensor([1.0, -1.0, -1.0])
    behind = marks[1, MARK_NAMES.index("right_wrist"), 2] - marks[1, MARK_NAMES.index("right_shoulder"), 2]
    hidden = hidden_marks(marks, torch.Generator().manual_seed(0))
    wrists = [MARK_NAMES.index(name) for name in ("left_wrist", "right_wrist")]
    assert (hidden[0, wrists] == 0).all()
    assert hidden[1, wrists[1]] == float(behind > 0.3)


def test_hidden_landmarks_are_doubted_and_worse(library: PoseLibrary, skeleton: Skeleton) -> None:
    random = torch.Generator().manual_seed(1)
    turns = global_rotations(draw_poses(library, 2000, random), TURNED)
    marks = skeleton.pose(turns, torch.zeros(2000, 10))[1] * torch.tensor([1.0, -1.0, -1.0])
    found = detect(marks, torch.ones(marks.shape[:2]), random)
    unsure = found.doubt > 0.45
    assert 0.1 < float(unsure.float().mean()) < 0.5
    assert float(found.noise[unsure].std()) > 2 * float(found.noise[~unsure].std())
    assert (found.doubt * (1 - found.known) == 0).all()
    assert 0.85 < float(found.known.mean()) < 0.97


def test_parts_of_people_lose_the_rest(skeleton: Skeleton) -> None:
    random = torch.Generator().manual_seed(2)
    marks = skeleton.pose(torch.eye(3).expand(500, 22, 3, 3), torch.zeros(500, 10))[1]
    part = draw_part(500, random)
    inside = inside_part(marks[..., :2] * torch.tensor([1.0, -1.0]), part, random)
    cut = part[:, 1] < 0.8
    ankles = [MARK_NAMES.index(f"{side}_ankle") for side in ("left", "right")]
    assert 0.1 < float(cut.float().mean()) < 0.25
    assert (inside[cut][:, ankles] == 0).all()
    assert float(inside[(part[:, 1] == 1) & (part[:, 0] == 0)].mean()) > 0.95


def test_measured_depths_are_wrong_by_decimetres_and_tell_nothing_of_what_is_lost(skeleton: Skeleton) -> None:
    random = torch.Generator().manual_seed(3)
    marks = skeleton.pose(torch.eye(3).expand(2000, 22, 3, 3), torch.zeros(2000, 10))[1] * torch.tensor([1.0, -1, -1])
    known = torch.ones(marks.shape[:2])
    known[:, 5] = 0
    depths, given = measured_depths(marks, known, random)
    hips = [MARK_NAMES.index(f"{side}_hip") for side in ("left", "right")]
    wrong = (depths - marks[..., 2] + marks[:, hips, 2].mean(1, keepdim=True))[given > 0]
    assert 0.7 < float(given.mean()) < 0.8
    assert (depths[:, 5] == 0).all()
    assert (depths[given == 0] == 0).all()
    assert 0.08 < float(wrong[:, MARK_NAMES.index("left_wrist")].std()) < 0.2


def test_the_same_seed_and_step_give_the_same_people(library: PoseLibrary, skeleton: Skeleton) -> None:
    first, again = make_batch(library, skeleton, 16, 7, 2), make_batch(library, skeleton, 16, 7, 2)
    other = make_batch(library, skeleton, 16, 7, 3)
    assert torch.equal(first.view.features, again.view.features)
    assert torch.equal(first.turns, again.turns)
    assert not torch.equal(first.view.features, other.view.features)
    assert first.view.features.shape == (16, INPUTS)


def test_drawn_poses_are_rotations(library: PoseLibrary) -> None:
    local = draw_poses(library, 200, torch.Generator().manual_seed(0))
    assert torch.allclose(local @ local.transpose(-1, -2), torch.eye(3).expand_as(local), atol=1e-4)
    assert torch.allclose(torch.linalg.det(local), torch.ones(200, 22), atol=1e-4)


def test_people_in_portraits_hold_themselves_upright(library: PoseLibrary, skeleton: Skeleton) -> None:
    random = torch.Generator().manual_seed(6)
    part = torch.tensor([[0.0, 0.5], [0.0, 1.0]]).repeat(1500, 1)
    rows = portraits(part, random)
    assert (rows % 2 == 0).all()
    assert 600 < len(rows) < 900
    local = natural_poses(library, 3000, random)
    before = local.clone()
    straighten(local, rows, random)
    assert torch.equal(local[1::2], before[1::2])
    trunk = skeleton.pose(global_rotations(local[rows], TURNED), torch.zeros(len(rows), 10))[0][:, 12]
    tilt = torch.rad2deg(torch.acos(trunk[:, 1] / trunk.norm(dim=1)))
    assert float((tilt < 12).float().mean()) > 0.75
    assert torch.allclose(torch.linalg.det(local), torch.ones(3000, 22), atol=1e-4)


def test_natural_poses_are_those_of_the_library_but_for_small_noise(library: PoseLibrary) -> None:
    few = replace(library, local=library.local[:1], chances=torch.ones(1))
    drawn = natural_poses(few, 400, torch.Generator().manual_seed(0))
    off = torch.minimum(*((drawn - there).abs().amax((1, 2, 3)) for there in (few.local, mirrored(few.local))))
    assert 0.8 < float((off < 0.35).float().mean()) < 0.95


def test_mirrored_bodies_are_mirror_images(library: PoseLibrary, skeleton: Skeleton) -> None:
    local, straight = library.local[:50], torch.zeros(50, 10)
    joints = skeleton.pose(global_rotations(local, TURNED), straight)[0]
    other = skeleton.pose(global_rotations(mirrored(local), TURNED), straight)[0]
    swapped = other[:, [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]]
    assert torch.allclose(swapped * torch.tensor([-1.0, 1, 1]), joints, atol=0.012)
    assert torch.allclose(mirrored(mirrored(local)), local)


def test_test_clips_are_not_trained_on(library: PoseLibrary) -> None:
    held = load_library(LIBRARY, held_out=True)
    with np.load(LIBRARY) as stored:
        total, clips = len(stored["clip"]), stored["clip"]
    assert len(library.local) + len(held.local) + int((clips % 20 == 12).sum()) == total
    assert len(held.local) == int((clips % 5 == 0).sum())


def test_other_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", other=np.zeros(3))
    with pytest.raises(InvalidInputError, match="library of poses"):
        load_library(tmp_path / "a.npz")
