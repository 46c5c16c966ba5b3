"""The pull towards a guessed pose: derivatives, choice among guesses, effect, and when it is silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from people import Sitter, joints_cam, likely_rotations, pa_mpjpe, photograph

from munet.body.default import load_default_body
from munet.fitting.body_points import make_body_points
from munet.fitting.fit import fit_body, prepare
from munet.fitting.guess import (
    GuessedJoints,
    GuessWeights,
    PoseGuess,
    Spread,
    calmed,
    choose_guess,
    guess_block,
    joint_rig,
)
from munet.fitting.prior import load_pose_prior, resting_pose
from munet.fitting.rig import JOINTS, SIZE, TO_CAMERA, State, pose_points, pose_skeleton
from munet.fitting.so3 import exp_rotation, log_rotation
from munet.settings import Settings

MODEL = load_default_body()
BODY = make_body_points(MODEL)
SETTINGS = Settings(preset="draft")


def some_state() -> State:
    random = np.random.default_rng(1)
    turns = exp_rotation(random.normal(size=(JOINTS, 3)) * 0.4)
    return State(turns, random.normal(size=10), np.array([0.1, 0.2, 3.0]), 6.0, np.array([0.05, 0.1]))


def true_guess(sitter: Sitter) -> PoseGuess:
    return PoseGuess(sitter.state.rotations, sitter.state.betas, 0.5)


def mirrored(guess: PoseGuess) -> PoseGuess:
    """The guess with the knees bent forwards as far as they are bent backwards, and the thighs after them."""
    rotations = guess.rotations.copy()
    rotations[1:6] = rotations[1:6].transpose(0, 2, 1)
    rotations[[16, 17, 18, 19]] = rotations[[16, 17, 18, 19]].transpose(0, 2, 1)
    return PoseGuess(rotations, guess.betas, 0.5)


def test_joints_as_points_are_the_skeletons_heads() -> None:
    state = some_state()
    heads = pose_skeleton(BODY.rig, state).heads * TO_CAMERA + state.translation
    np.testing.assert_allclose(pose_points(joint_rig(BODY.rig), state), heads, atol=1e-12)


def test_derivative_matches_finite_differences() -> None:
    state, trust = some_state(), np.ones(JOINTS)
    trust[[4, 20]] = 0, 0.3
    random, weights = np.random.default_rng(2), GuessWeights(limit=1e6)
    offsets, ahead = random.normal(size=(JOINTS, 3)) * 0.4, np.array([0.6, 0.0, 0.8])
    spread = Spread(random.uniform(0.02, 0.1, (JOINTS, 2)), ahead)
    for guess in (
        GuessedJoints(offsets, trust),
        GuessedJoints(offsets, trust, spread),
    ):

        def cost(moved: State, guess: GuessedJoints = guess) -> float:
            return guess_block(guess, BODY.rig, moved, pose_skeleton(BODY.rig, moved), weights).cost

        block = guess_block(guess, BODY.rig, state, pose_skeleton(BODY.rig, state), weights)
        steps = 1e-6 * np.eye(SIZE)
        numeric = np.array([(cost(state.moved(step)) - cost(state.moved(-step))) / 2e-6 for step in steps])
        assert block.residual.shape == (3 * 22,)
        np.testing.assert_allclose(block.jacobian.T @ block.residual, numeric, rtol=1e-5, atol=1e-3)


def test_spreads_are_standard_deviations_across_and_along_the_view() -> None:
    weights = GuessWeights(factor=1.5, least=0.03)
    metres = np.tile([0.01, 0.1], (JOINTS, 1))
    guess = GuessedJoints(np.zeros((JOINTS, 3)), np.ones(JOINTS), Spread(metres, np.array([0, 0.6, 0.8])))
    (white,) = guess.whitening(np.array([5]), weights)
    np.testing.assert_allclose(white @ [0, 0.6, 0.8], np.array([0, 0.6, 0.8]) / 0.15)
    np.testing.assert_allclose(white @ [1, 0, 0], np.array([1, 0, 0]) / 0.03)


def test_a_far_guess_hardly_pulls() -> None:
    state, offsets = some_state(), np.zeros((JOINTS, 3))
    skeleton = pose_skeleton(BODY.rig, state)
    heads = (skeleton.heads - skeleton.heads[0]) * TO_CAMERA
    only = np.eye(JOINTS)[20]
    near, far = (
        guess_block(GuessedJoints(heads + offsets + away, only), BODY.rig, state, skeleton, GuessWeights())
        for away in (0.1, 3.0)
    )
    assert np.abs(far.residual).sum() < 0.2 * np.abs(near.residual).sum()


def test_a_right_guess_makes_the_fit_better() -> None:
    plain, guided = [], []
    for seed in range(5):
        random = np.random.default_rng(20 + seed)
        sitter = photograph(BODY, likely_rotations(random), random, depth_noise=0.12)
        truth = joints_cam(BODY, sitter.state)
        for errors, guesses in ((plain, ()), (guided, (true_guess(sitter),))):
            fit = fit_body(MODEL, sitter.observation, sitter.photo, SETTINGS, guesses)
            errors.append(pa_mpjpe(fit.joints_cam[:JOINTS], truth))
            assert fit.landmark_error < 0.015
    assert np.mean(guided) < 0.8 * np.mean(plain)


def test_the_detector_chooses_among_guesses() -> None:
    random = np.random.default_rng(3)
    sitter = photograph(BODY, likely_rotations(random), random)
    objective, start = prepare(BODY, sitter.observation, sitter.photo, load_pose_prior())
    right = true_guess(sitter)
    chosen = choose_guess(BODY, replace(objective.evidence, standing=0.0), start, (mirrored(right), right))
    assert chosen is not None
    heads = pose_skeleton(BODY.rig, sitter.state).heads * TO_CAMERA
    np.testing.assert_allclose(chosen.offsets, heads - heads[0], atol=1e-9)
    assert (chosen.trust == 1).all()


def test_whoever_stands_on_straight_legs_is_pulled_less() -> None:
    random = np.random.default_rng(4)
    sitter = photograph(BODY, likely_rotations(random), random)
    objective, start = prepare(BODY, sitter.observation, sitter.photo, load_pose_prior())
    standing = replace(objective.evidence, standing=1.0, straight=np.ones(2))
    upright = true_guess(sitter)
    upright.rotations[[4, 5]] = np.eye(3)
    chosen = choose_guess(BODY, standing, start, (upright,))
    assert chosen is not None
    np.testing.assert_allclose(chosen.trust, 0.2)
    squatting = replace(upright, rotations=upright.rotations.copy())
    squatting.rotations[4] = exp_rotation(np.array([1.2, 0.0, 0.0]))
    chosen = choose_guess(BODY, standing, start, (squatting,))
    assert chosen is not None
    assert chosen.straight is not None
    assert chosen.straight.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(chosen.trust, 1.0)


def test_silent_without_guesses_and_quiet_without_legs() -> None:
    random = np.random.default_rng(4)
    sitter = photograph(BODY, likely_rotations(random), random)
    objective, start = prepare(BODY, sitter.observation, sitter.photo, load_pose_prior())
    evidence, guesses = replace(objective.evidence, standing=0.0), (true_guess(sitter),)
    assert choose_guess(BODY, evidence, start, ()) is None
    seen, none = evidence.seen.copy(), np.zeros(JOINTS, bool)
    seen[[4, 5, 7, 8, 10, 11]] = False
    shins_cut = choose_guess(BODY, replace(evidence, seen=seen, guessed=none), start, guesses)
    assert shins_cut is not None
    assert shins_cut.trust.max() == 1
    assert shins_cut.trust[[7, 8]].tolist() == [GuessWeights().unseen] * 2
    seen[[1, 2]] = False
    cut = replace(evidence, seen=seen, guessed=none)
    waist_cut = choose_guess(BODY, cut, start, guesses)
    assert waist_cut is not None
    np.testing.assert_allclose(waist_cut.trust, GuessWeights().cut)
    assert waist_cut.rest > shins_cut.rest
    assert choose_guess(BODY, cut, start, guesses, GuessWeights(cut=0.0)) is None


def test_the_fit_begins_at_the_chosen_guess() -> None:
    random = np.random.default_rng(6)
    sitter = photograph(BODY, likely_rotations(random), random)
    guess = true_guess(sitter)
    _, alone = prepare(BODY, sitter.observation, sitter.photo, load_pose_prior())
    _, led = prepare(BODY, sitter.observation, sitter.photo, load_pose_prior(), (guess,))
    np.testing.assert_allclose(led.rotations, guess.rotations, atol=1e-6)
    np.testing.assert_allclose(led.translation, sitter.state.translation, rtol=0.1, atol=0.1)
    truth = joints_cam(BODY, sitter.state)
    assert pa_mpjpe(joints_cam(BODY, led), truth) < 0.2 * pa_mpjpe(joints_cam(BODY, alone), truth)


def test_joints_that_nothing_tells_are_expected_halfway_to_rest() -> None:
    rotations, known = exp_rotation(np.random.default_rng(5).normal(size=(JOINTS, 3)) * 0.3), np.ones(JOINTS, bool)
    known[[4, 19]] = False
    turns, resting = calmed(rotations, known, 0.5), exp_rotation(resting_pose())
    np.testing.assert_array_equal(turns[known], rotations[known])
    for joint in (4, 19):
        whole = np.linalg.norm(log_rotation(resting[joint].T @ rotations[joint]))
        assert abs(np.linalg.norm(log_rotation(resting[joint].T @ turns[joint])) - whole / 2) < 1e-6
    np.testing.assert_allclose(calmed(rotations, known, 1.0)[4], resting[4], atol=1e-9)
