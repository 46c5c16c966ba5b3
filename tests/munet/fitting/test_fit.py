"""The fit finds what was posed, rests what is not seen, and says clearly what it can not use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from people import WIDTH, joints_cam, likely_rotations, pa_mpjpe, photograph

from munet.body.default import load_default_body
from munet.errors import InvalidInputError, NoPersonError
from munet.fitting.body_points import make_body_points
from munet.fitting.fit import fit_body
from munet.fitting.prior import joint_limits, resting_pose
from munet.fitting.rig import JOINTS, MOVED
from munet.fitting.so3 import exp_rotation
from munet.settings import Settings

MODEL = load_default_body()
BODY = make_body_points(MODEL)
SETTINGS = Settings(preset="draft")


def standing_rotations(yaw: float = 0.3) -> np.ndarray:
    rotations = np.tile(np.eye(3), (JOINTS, 1, 1))
    rotations[:MOVED] = exp_rotation(resting_pose())
    rotations[0] = exp_rotation(np.array([0.0, yaw, 0.0]))
    return rotations


def test_finds_posed_people() -> None:
    errors, pixels = [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        sitter = photograph(BODY, likely_rotations(random), random)
        fit = fit_body(MODEL, sitter.observation, sitter.photo, SETTINGS)
        errors.append(pa_mpjpe(fit.joints_cam[:JOINTS], joints_cam(BODY, sitter.state)))
        pixels.append(fit.landmark_error)
    assert np.median(errors) < 0.040
    assert np.max(errors) < 0.090
    assert np.max(pixels) < 0.012


def test_result_is_consistent() -> None:
    random = np.random.default_rng(5)
    sitter = photograph(BODY, standing_rotations(), random)
    fit = fit_body(MODEL, sitter.observation, sitter.photo, SETTINGS)
    assert fit.pose.shape == (MODEL.joint_count, 3)
    assert fit.vertices_cam.shape == (MODEL.vertex_count, 3)
    assert fit.vertices_cam.dtype == fit.pose.dtype == fit.betas.dtype == fit.translation.dtype == np.float32
    landmarks = MODEL.landmarks.to_dense().numpy() @ fit.vertices_cam
    distance = np.linalg.norm(fit.camera.project(landmarks) - sitter.observation.landmarks_image, axis=1)
    assert distance.mean() / 640 < 0.012
    low, high = joint_limits()
    assert (fit.pose[1:MOVED] > low - 0.1).all()
    assert (fit.pose[1:MOVED] < high + 0.1).all()
    assert fit.seen.all()
    assert not fit.warnings


def test_standing_person_is_upright_with_straight_knees_and_level_feet() -> None:
    random = np.random.default_rng(6)
    sitter = photograph(BODY, standing_rotations(), random, depth_noise=0.08)
    fit = fit_body(MODEL, sitter.observation, sitter.photo, SETTINGS)
    level = fit.joints_cam @ fit.level_rotation.T
    assert np.abs(fit.pose[[4, 5], 0]).max() < 0.12
    assert abs(level[7, 1] - level[8, 1]) < 0.03
    trunk = level[12] - level[[7, 8]].mean(0)
    assert np.degrees(np.arctan2(np.linalg.norm(trunk[[0, 2]]), -trunk[1])) < 6
    np.testing.assert_allclose(fit.level_rotation @ fit.up_cam, [0, -1, 0], atol=1e-5)


def test_cropped_legs_rest_with_a_warning() -> None:
    random = np.random.default_rng(7)
    sitter = photograph(BODY, standing_rotations(), random)
    cut = float(sitter.observation.landmarks_image[23:25, 1].min()) - 20
    below = sitter.observation.landmarks_image[:, 1] > cut
    pixels = sitter.observation.landmarks_image.copy()
    pixels[25:] += random.normal(size=(8, 2)) * 40
    observation = replace(
        sitter.observation,
        landmarks_image=pixels,
        visibility=np.where(below, 0, sitter.observation.visibility).astype(np.float32),
        mask=sitter.observation.mask[: int(cut)],
    )
    photo = replace(sitter.photo, image=sitter.photo.image[: int(cut)], original_size=(WIDTH, int(cut)))
    fit = fit_body(MODEL, observation, photo, SETTINGS)
    legs = [1, 2, 4, 5, 7, 8]
    assert not fit.seen[legs].any()
    assert fit.seen[[12, 15]].all()
    np.testing.assert_allclose(fit.pose[legs], resting_pose()[legs], atol=0.1)
    assert any("legs" in warning for warning in fit.warnings)


def test_same_input_same_result() -> None:
    random = np.random.default_rng(8)
    sitter = photograph(BODY, likely_rotations(random), random)
    first, second = (fit_body(MODEL, sitter.observation, sitter.photo, SETTINGS) for _ in range(2))
    np.testing.assert_array_equal(first.pose, second.pose)
    np.testing.assert_array_equal(first.vertices_cam, second.vertices_cam)


def test_raised_hidden_arm_is_not_shrunk() -> None:
    random = np.random.default_rng(9)
    sitter = photograph(BODY, standing_rotations(), random)
    visibility = sitter.observation.visibility.copy()
    visibility[[13, 15, 17, 19, 21]] = 0
    fit = fit_body(MODEL, replace(sitter.observation, visibility=visibility), sitter.photo, SETTINGS)
    assert np.abs(fit.betas).max() < 1
    assert not fit.seen[[16, 18, 20]].any()


def test_nobody_visible_is_refused() -> None:
    random = np.random.default_rng(10)
    sitter = photograph(BODY, standing_rotations(), random)
    with pytest.raises(NoPersonError, match="0 of 33 landmarks"):
        fit_body(MODEL, replace(sitter.observation, visibility=np.zeros(33, np.float32)), sitter.photo, SETTINGS)


@pytest.mark.parametrize("name", ["landmarks_image", "landmarks_world", "visibility", "mask"])
def test_broken_observations_are_refused(name: str) -> None:
    random = np.random.default_rng(11)
    sitter = photograph(BODY, standing_rotations(), random)
    value = getattr(sitter.observation, name)
    for broken in (value[:-1], np.full_like(value, np.nan)):
        with pytest.raises(InvalidInputError, match=name):
            fit_body(MODEL, replace(sitter.observation, **{name: broken}), sitter.photo, SETTINGS)
