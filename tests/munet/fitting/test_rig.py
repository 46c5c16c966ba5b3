"""Points and every term of the cost: derivatives against finite differences, forward kinematics against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from munet.body.default import load_default_body
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.pockets import pocket_block
from munet.fitting.prior import limits_block, load_pose_prior, pose_features, posture_block, prior_block, resting_pose
from munet.fitting.rig import JOINTS, SIZE, State, pose_points, pose_points_with_jacobian, pose_skeleton
from munet.fitting.so3 import exp_rotation
from munet.fitting.solver import robust
from munet.fitting.spheres import collision_block
from munet.fitting.terms import anchor_block, balance_block, ground_block, project_points

BODY = make_body_points(load_default_body())


def some_state(spread: float = 0.4) -> State:
    random = np.random.default_rng(1)
    turns = exp_rotation(random.normal(size=(JOINTS, 3)) * spread)
    return State(turns, random.normal(size=10), np.array([0.1, 0.2, 3.0]), 6.0, np.array([0.05, 0.1]))


def numeric(function: Callable[[State], np.ndarray], state: State) -> np.ndarray:
    steps = 1e-6 * np.eye(SIZE)
    return np.stack([(function(state.moved(s)) - function(state.moved(-s))) / 2e-6 for s in steps], -1)


def test_points_derivative_matches_finite_differences() -> None:
    state = some_state()
    points, jacobian = pose_points_with_jacobian(BODY.rig, state, pose_skeleton(BODY.rig, state))
    np.testing.assert_allclose(points, pose_points(BODY.rig, state), atol=1e-12)
    np.testing.assert_allclose(jacobian, numeric(lambda s: pose_points(BODY.rig, s), state), atol=1e-7)


def test_forward_kinematics_matches_an_independent_chain() -> None:
    state = replace(some_state(), betas=np.zeros(10))
    skeleton = pose_skeleton(BODY.rig, state)
    for joint in (20, 11, 15):
        chain, place = joint, np.zeros(3)
        while chain > 0:
            parent = int(BODY.rig.parents[chain])
            turn = Rotation.from_matrix(state.rotations[parent])
            place = turn.apply(place + BODY.rig.joints[chain] - BODY.rig.joints[parent])
            chain = parent
        np.testing.assert_allclose(skeleton.heads[joint], place + BODY.rig.joints[0], atol=1e-12)


def test_projection_derivative_matches_finite_differences() -> None:
    state, center = some_state(), np.array([320.0, 240.0])

    def pixels(s: State) -> np.ndarray:
        points, jacobian = pose_points_with_jacobian(BODY.rig, s, pose_skeleton(BODY.rig, s))
        return project_points(points, jacobian, s, center).pixels

    points, jacobian = pose_points_with_jacobian(BODY.rig, state, pose_skeleton(BODY.rig, state))
    exact = project_points(points, jacobian, state, center).jacobian
    np.testing.assert_allclose(exact, numeric(pixels, state), atol=1e-4)


def test_pose_features_derivative_matches_finite_differences() -> None:
    state = some_state()
    exact = pose_features(state).jacobian
    np.testing.assert_allclose(exact, numeric(lambda s: pose_features(s).values, state), atol=1e-7)


def test_robust_gradient_is_that_of_its_cost() -> None:
    residual, weight = np.array([0.3, -0.1, 2.0, 0.5]), np.array([1.0, 3.0])
    block = robust(residual, np.eye(4), weight, 0.4, group=2)
    for row in range(4):
        step = 1e-6 * np.eye(4)[row]
        up, down = (robust(residual + s, np.eye(4), weight, 0.4, group=2).cost for s in (step, -step))
        # A block holds sqrt weights twice: the square of the falloff, which is the exact derivative.
        gradient = (block.jacobian.T @ block.residual)[row]
        assert gradient == pytest.approx((up - down) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("term", ["ground", "balance", "anchor", "prior", "limits", "collision", "pocket", "posture"])
def test_gradient_of_each_term(term: str) -> None:
    prior, start = load_pose_prior(), some_state()

    def blocks(state: State) -> tuple[float, np.ndarray]:
        points, jacobian = pose_points_with_jacobian(BODY.rig, state, pose_skeleton(BODY.rig, state))
        soles, mass = BodyPoints.SOLES, BodyPoints.MASS
        if term == "ground":
            found = ground_block(points[soles], jacobian[soles], state, 0.7)
        elif term == "balance":
            both = (jacobian[mass], jacobian[soles])
            found = [balance_block(points[mass], points[soles], both, state, 0.7)]
        elif term == "posture":
            found = [posture_block(pose_features(state), 0.6)]
        elif term == "anchor":
            found = [anchor_block(state, start, 0.1, 0.7)]
        elif term == "collision":
            spheres = BodyPoints.SPHERES
            found = [collision_block(points[spheres], jacobian[spheres], BODY.trunk_radii, 0.01, np.zeros(2, bool))]
        elif term == "pocket":
            spheres, hands = BodyPoints.SPHERES, np.array([True, False])
            found = [pocket_block(points[spheres], jacobian[spheres], BODY.trunk_radii, hands, 0.1)]
        elif term == "prior":
            found = [prior_block(prior, pose_features(state), 0.5)]
        else:
            found = [limits_block(pose_features(state), 20.0)]
        return sum(b.cost for b in found), sum(b.jacobian.T @ b.residual for b in found)

    state = some_state(0.2)
    if term == "collision":
        state = replace(some_state(0.0), betas=np.zeros(10))
        state.rotations[16:18] = exp_rotation(np.array([[0.0, 0.0, -1.7], [0.1, 0.0, 1.75]]))
        assert blocks(state)[0] > 1
    gradient = blocks(state)[1]
    difference = numeric(lambda s: np.array(blocks(s)[0]), state)
    np.testing.assert_allclose(gradient, difference, atol=1e-4 * max(1.0, float(np.abs(difference).max())))


def test_resting_pose_is_within_the_limits_and_likely() -> None:
    state = replace(some_state(0.0), rotations=np.tile(np.eye(3), (JOINTS, 1, 1)))
    state.rotations[:22] = exp_rotation(resting_pose())
    assert limits_block(pose_features(state), 1.0).cost < 1e-6
