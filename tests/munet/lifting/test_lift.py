"""The shipped network on people whose pose is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from munet.body.default import load_default_body
from munet.body.model import SMPL_PARENTS
from munet.body.tree import TURNED, global_rotations, local_rotations
from munet.errors import ModelMissingError, NoPersonError
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.fit import prepare
from munet.fitting.guess import PoseGuess, bone_depths, disagreement
from munet.fitting.prior import load_pose_prior
from munet.fitting.rig import pose_points
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.blend import blend_depths
from munet.lifting.lift import guess_poses, lift_pose, load_lifter, read_lifter
from munet.lifting.network import HYPOTHESES, LifterNet
from munet.lifting.start import start_from
from munet.lifting.upright import roll_upright
from munet.perception.observation import PersonObservation, Photo
from munet.training.lifting.losses import hypothesis_costs
from munet.training.lifting.poses import load_library
from munet.training.lifting.skeleton import make_skeleton
from munet.training.lifting.views import make_batch

LIBRARY = Path(__file__).parents[3] / "munet" / "training" / "assets" / "poses.npz"
SIZE, FOCAL = 800, 1000.0
PARENTS = torch.tensor(SMPL_PARENTS).clamp_min(0)


@pytest.fixture(scope="module")
def net() -> LifterNet:
    return load_lifter()


@pytest.fixture(scope="module")
def body() -> BodyPoints:
    return make_body_points(load_default_body("cpu"))


def standing(body: BodyPoints) -> PersonObservation:
    """Somebody in the T-pose, 3.5 m before the camera."""
    marks = body.rig.anchors[:33].sum(1) * [1.0, -1.0, -1.0]
    marks = marks - marks.mean(0)
    cam = marks + np.array([0.1, 0.0, 3.5])
    pixels = cam[:, :2] / cam[:, 2:] * FOCAL + SIZE / 2
    return PersonObservation(
        box=np.concatenate([pixels.min(0), pixels.max(0)]).astype(np.float32),
        score=1.0,
        landmarks_image=pixels.astype(np.float32),
        landmarks_world=marks.astype(np.float32),
        visibility=np.ones(33, np.float32),
        mask=np.zeros((SIZE, SIZE), np.float32),
    )


def photo() -> Photo:
    return Photo(np.zeros((SIZE, SIZE, 3), np.uint8), (SIZE, SIZE), 1.0, FOCAL, "a.png", "")


def angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    trace = np.einsum("...ij,...ij->...", first, second)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def test_a_person_who_faces_the_camera_is_found_facing_it(net: LifterNet, body: BodyPoints) -> None:
    guesses = lift_pose(net, standing(body), photo())
    assert len(guesses) == HYPOTHESES
    assert sum(guess.confidence for guess in guesses) == pytest.approx(1, abs=1e-5)
    assert [guess.confidence for guess in guesses] == sorted((g.confidence for g in guesses), reverse=True)
    assert angle(guesses[0].rotations[0], np.eye(3)) < 25
    arms = local_turns(guesses[0])[[16, 17]]
    assert (angle(arms, np.eye(3)) < 40).all()


def local_turns(guess: PoseGuess) -> np.ndarray:
    return global_rotations(torch.tensor(guess.rotations[None]), TURNED)[0].numpy()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_who_hangs_in_a_turned_photo_has_the_pose_of_the_upright_one(
    net: LifterNet, body: BodyPoints, quarters: int
) -> None:
    upright = standing(body)
    angle_z = np.pi / 2 * quarters
    turn = np.rint([[np.cos(angle_z), -np.sin(angle_z), 0], [np.sin(angle_z), np.cos(angle_z), 0], [0, 0, 1]])
    seen = np.ones(33, np.float32)
    seen[25:] = 0.1
    turned = replace(
        upright,
        landmarks_image=((upright.landmarks_image - SIZE / 2) @ turn[:2, :2].T + SIZE / 2).astype(np.float32),
        landmarks_world=(upright.landmarks_world @ turn.T).astype(np.float32),
        visibility=seen,
    )
    expected = lift_pose(net, replace(upright, visibility=seen), photo())[0]
    found = lift_pose(net, turned, photo())[0]
    flip = np.diag([1.0, -1.0, -1.0])
    assert angle(found.rotations[0], flip @ turn @ flip @ expected.rotations[0]) < 0.1
    np.testing.assert_allclose(found.rotations[1:], expected.rotations[1:], atol=1e-3)


def test_who_is_upright_or_only_leans_is_not_rolled(body: BodyPoints) -> None:
    marks = standing(body).landmarks_image
    seen = np.ones(33, np.bool_)
    middle = marks.mean(0)
    for degrees, rolled in ((0, False), (80, False), (-90, False), (120, True), (180, True)):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        leaning = (marks - middle) @ np.array([[c, s], [-s, c]]) + middle
        assert (not np.array_equal(roll_upright(leaning, seen), np.eye(3))) == rolled


def test_local_and_global_rotations_agree() -> None:
    random = torch.Generator().manual_seed(0)
    local = matrix_from_axis_angle(torch.randn(1, 22, 3, generator=random, dtype=torch.float64))
    found = local_rotations(global_rotations(local, TURNED)[0]).numpy()
    assert np.allclose(found[:22], local[0].numpy(), atol=1e-6)
    assert np.allclose(found[22:], np.eye(3))


def test_unseen_clips_before_unseen_cameras(net: LifterNet) -> None:
    skeleton = make_skeleton(load_default_body("cpu"))
    batch = make_batch(load_library(LIBRARY, held_out=True), skeleton, 300, 11, 0)
    poses = net(batch.view.features)
    far = hypothesis_costs(poses, batch, skeleton)[1].norm(dim=-1).mean(-1)
    surest = far.gather(1, poses.logits.argmax(1, keepdim=True))
    assert float(surest.mean()) < 0.105
    assert float(far.min(1).values.mean()) < float(surest.mean())


def test_the_same_person_gives_the_same_guess(net: LifterNet, body: BodyPoints) -> None:
    first, again = (lift_pose(net, standing(body), photo())[0].rotations for _ in range(2))
    assert np.array_equal(first, again)


def test_a_start_lies_on_the_landmarks(net: LifterNet, body: BodyPoints) -> None:
    seen = standing(body)
    objective, _ = prepare(body, seen, photo(), load_pose_prior())
    state = start_from(lift_pose(net, seen, photo())[0], objective)
    points = pose_points(body.rig.subset(BodyPoints.LANDMARKS), state)
    pixels = points[:, :2] / points[:, 2:] * FOCAL + SIZE / 2
    error = np.linalg.norm(pixels - seen.landmarks_image, axis=1).mean()
    assert error < 0.04 * objective.evidence.height
    assert points[:, 2].mean() == pytest.approx(3.5, rel=0.15)


def test_too_few_landmarks_are_refused(net: LifterNet, body: BodyPoints) -> None:
    hidden = np.zeros(33, np.float32)
    hidden[[0, 11, 12]] = 1
    with pytest.raises(NoPersonError, match="guess a pose"):
        lift_pose(net, replace(standing(body), visibility=hidden), photo())


def test_the_detector_picks_among_mirrored_guesses(body: BodyPoints) -> None:
    seen = standing(body)
    objective, _ = prepare(body, seen, photo(), load_pose_prior())
    right = PoseGuess(np.tile(np.eye(3), (24, 1, 1)), np.zeros(10), 0.4)
    bent = right.rotations.copy()
    bent[[1, 2]] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    wrong = PoseGuess(bent, np.zeros(10), 0.6)
    blended, state = blend_depths(objective, [wrong, right])
    assert np.allclose(state.rotations[1], np.eye(3), atol=0.05)
    assert blended.weights.depth_sigma < objective.weights.depth_sigma
    assert np.abs(blended.evidence.depths - objective.evidence.depths).max() < 0.03
    far = bone_depths(body, start_from(wrong, objective))
    assert disagreement(objective.evidence, far) > 3 * disagreement(objective.evidence, bone_depths(body, state))


def test_who_is_hardly_visible_is_not_guessed(net: LifterNet, body: BodyPoints) -> None:
    hidden = np.zeros(33, np.float32)
    hidden[[0, 11, 12]] = 1
    assert guess_poses(net, replace(standing(body), visibility=hidden), photo()) == ()
    assert len(guess_poses(net, standing(body), photo())) == HYPOTHESES


def test_missing_and_damaged_weights_are_named(tmp_path: Path) -> None:
    absent, damaged = tmp_path / "lifter.safetensors", tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"not a network")
    for file in (absent, damaged):
        with pytest.raises(ModelMissingError, match=file.name):
            read_lifter(file)
