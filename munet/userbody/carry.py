"""From the fit of the default body to the parameters of the user's model: the same joints, the same skin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from munet.body.model import BodyModel
from munet.fitting.body_points import BodyPoints
from munet.fitting.fit import finish, prepare
from munet.fitting.guess import joint_rig
from munet.fitting.objective import Objective
from munet.fitting.prior import load_pose_prior
from munet.fitting.result import BodyFit
from munet.fitting.rig import (
    BETAS,
    JOINTS,
    MOVED,
    SIZE,
    TRANSLATION,
    PointRig,
    State,
    pose_points_with_jacobian,
    pose_skeleton,
)
from munet.fitting.so3 import exp_rotation, rotation_between
from munet.fitting.solver import Block, minimise, robust
from munet.perception.observation import PersonObservation, Photo
from munet.settings import Settings
from munet.userbody.correspondence import LIMBS, Array
from munet.userbody.model import UserBody

SKIN_SIGMA, SKIN_LIMIT = 0.06, 0.06
"""Noise of each of the many skin samples, so that all of them weigh half as much as the landmarks; metres."""
LIMB_SIGMA, INNER_SIGMA = 0.01, 0.03
"""Noise of limb joints, and of hips and shoulders, whose places models define differently, in metres."""
JOINT_LIMIT = 0.10
BETAS_SIGMA = 1.5
"""Spread of the betas: the default body's surface tells the shape, so they are hardly pulled to the mean person."""
STEPS = {"draft": 8, "standard": 15, "high": 30}
_LIMB_JOINTS = (4, 5, 7, 8, 18, 19, 20, 21)
_INNER_JOINTS = (1, 2, 16, 17)
_HAND = 0.5
_FIXED_FOCAL = 1e-3


@dataclass(frozen=True)
class Target:
    """Where the fit of the default body puts points of the user's model, metres, camera frame.

    Attributes:
        rig: the user's model: 24 joints, then samples of the skin.
        points: (24 + S, 3) where they shall lie.
        weights: (24 + S,) square-root weights.
    """

    rig: PointRig
    points: Array
    weights: Array

    def block(self, state: State) -> list[Block]:
        """Distance of joints and skin from where they shall lie."""
        points, jacobian = pose_points_with_jacobian(self.rig, state, pose_skeleton(self.rig, state))
        residual, slope = points - self.points, jacobian.reshape(-1, SIZE)
        cut = 3 * JOINTS
        return [
            robust(residual[:JOINTS].ravel(), slope[:cut], self.weights[:JOINTS], JOINT_LIMIT, group=3),
            robust(residual[JOINTS:].ravel(), slope[cut:], self.weights[JOINTS:], SKIN_LIMIT, group=3),
        ]


def carry_fit(
    user: UserBody, default: BodyModel, fit: BodyFit, observation: PersonObservation, photo: Photo, settings: Settings
) -> BodyFit:
    """Carry the fit of the default body to the user's model.

    Both models share SMPL's joints and T-pose. The rotations are taken over, corrected where bones at rest point in
    differing directions; betas and translation follow by linear least squares from the surface. Then pose, shape and
    translation are fitted once more to joints and skin of the default body's fit, to the landmarks and to the mask,
    with the same terms as in :mod:`munet.fitting`. The camera stays as it is.

    Args:
        user: the user's model.
        default: the default body.
        fit: of the default body.
        observation: what was seen of the person.
        photo: the photo at working resolution.
        settings: the preset decides how many steps are taken.
    """
    target = make_target(user, fit)
    objective = _given(prepare(user.points, observation, photo, load_pose_prior())[0], fit)
    start = closed_form(user, default, fit, target)
    state, _ = minimise(start, lambda at: [*objective(at), *target.block(at)], STEPS[settings.preset])
    carried = finish(user.model, user.points, state, observation, objective)
    return replace(carried, warnings=fit.warnings, up_cam=fit.up_cam, camera=fit.camera)


def make_target(user: UserBody, fit: BodyFit) -> Target:
    """Joints and skin of the default body's fit, as points of the user's model."""
    rig = joint_rig(user.points.rig)
    skin = user.points.rig.subset(BodyPoints.SKIN)
    both = replace(
        rig,
        anchors=np.concatenate([rig.anchors, skin.anchors]),
        anchor_dirs=np.concatenate([rig.anchor_dirs, skin.anchor_dirs]),
        weights=np.concatenate([rig.weights, skin.weights]),
    )
    on_default = user.correspondence.carry(fit.vertices_cam)[user.points.samples]
    weights = np.zeros(JOINTS + len(on_default))
    weights[list(_INNER_JOINTS)] = 1 / INNER_SIGMA
    weights[list(_LIMB_JOINTS)] = 1 / LIMB_SIGMA
    # Fingers rest, and not every model has them.
    weights[JOINTS:] = (skin.weights[:, MOVED - 2 :].sum(1) < _HAND) / SKIN_SIGMA
    return Target(both, np.concatenate([fit.joints_cam[:JOINTS].astype(np.float64), on_default]), weights)


def _given(objective: Objective, fit: BodyFit) -> Objective:
    start = replace(objective.start, log_focal=float(np.log(fit.camera.focal)))
    weights = replace(objective.weights, betas_sigma=BETAS_SIGMA)
    return replace(objective, start=start, focal_sigma=_FIXED_FOCAL, weights=weights)


def closed_form(user: UserBody, default: BodyModel, fit: BodyFit, target: Target) -> State:
    """Return rotations of the default body's fit, corrected for the bones' rest directions, and linear betas."""
    rotations = corrected_rotations(user, default, fit)
    up = fit.up_cam.astype(np.float64)
    state = State(rotations, np.zeros(10), np.zeros(3), float(np.log(fit.camera.focal)), -up[[0, 2]] / up[1])
    points, jacobian = pose_points_with_jacobian(target.rig, state, pose_skeleton(target.rig, state))
    columns = [*range(BETAS.start, BETAS.stop), *range(TRANSLATION.start, TRANSLATION.stop)]
    pull = np.repeat(target.weights, 3)
    slope = jacobian.reshape(-1, SIZE)[:, columns] * pull[:, None]
    ridge = np.eye(10, 13) / BETAS_SIGMA
    gap = (target.points - points).ravel() * pull
    solution = np.linalg.lstsq(np.concatenate([slope, ridge]), np.concatenate([gap, np.zeros(10)]), rcond=None)[0]
    return replace(state, betas=solution[:10], translation=solution[10:])


def corrected_rotations(user: UserBody, default: BodyModel, fit: BodyFit) -> Array:
    """Local rotations (24, 3, 3) with which the user's limbs point where the default body's limbs point."""
    betas = fit.betas.astype(np.float64)
    rest = default.joint_template.double().cpu().numpy() + default.joint_shape_dirs.double().cpu().numpy() @ betas
    theirs, parents = user.points.rig.joints, user.points.rig.parents
    local = exp_rotation(fit.pose[:JOINTS].astype(np.float64))
    turns, wanted = np.empty((JOINTS, 3, 3)), np.empty((JOINTS, 3, 3))
    result = np.tile(np.eye(3), (JOINTS, 1, 1))
    for joint in range(JOINTS):
        parent = int(parents[joint])
        turns[joint] = local[joint] if parent < 0 else turns[parent] @ local[joint]
        wanted[joint] = turns[joint]
        if joint in LIMBS:
            end = LIMBS[joint]
            wanted[joint] = turns[joint] @ rotation_between(theirs[end] - theirs[joint], rest[end] - rest[joint])
        result[joint] = wanted[joint] if parent < 0 else wanted[parent].T @ wanted[joint]
    result[MOVED:] = np.eye(3)
    return result
