"""From the fit of the default body to the parameters of the user's model: the same joints, the same skin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from munet.body.model import BodyModel
from munet.fitting.fit import finish, prepare
from munet.fitting.objective import Objective
from munet.fitting.prior import load_pose_prior
from munet.fitting.result import BodyFit
from munet.fitting.rig import JOINTS, MOVED, State
from munet.fitting.so3 import exp_rotation, rotation_between
from munet.fitting.solver import minimise
from munet.fitting.target import Target, Trust, make_target
from munet.perception.observation import PersonObservation, Photo
from munet.settings import Settings
from munet.surface.dress import Prediction
from munet.userbody.correspondence import LIMBS, Array
from munet.userbody.model import UserBody

STEPS = {"draft": 8, "standard": 15, "high": 30}
_FIXED_FOCAL = 1e-3
_KNOWN_POSE = 0.5
"""Factor on the pose prior beside a pose that is known already: what people usually do says little there."""
_KNOWN = 0.5
"""Length of a blended normal below which its corners disagree, or do not know it."""


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
    target = target_of(user, fit)
    objective = _given(prepare(user.points, observation, photo, load_pose_prior())[0], fit, target)
    start = closed_form(user, default, fit, target)
    state, _ = minimise(start, lambda at: [*objective(at), *target.blocks(at)], STEPS[settings.preset])
    carried = finish(user.model, user.points, state, observation, objective)
    return replace(carried, warnings=fit.warnings, up_cam=fit.up_cam, camera=fit.camera)


def target_of(user: UserBody, fit: BodyFit) -> Target:
    """Joints and skin of the default body's fit, as points of the user's model."""
    skin = user.correspondence.carry(fit.vertices_cam)
    return make_target(user.points, fit.joints_cam.astype(np.float64), skin, Trust())


def _given(objective: Objective, fit: BodyFit, target: Target) -> Objective:
    start = replace(objective.start, log_focal=float(np.log(fit.camera.focal)))
    weights = replace(objective.weights, betas_sigma=target.trust.betas, prior=_KNOWN_POSE * objective.weights.prior)
    return replace(objective, start=start, focal_sigma=_FIXED_FOCAL, weights=weights)


def closed_form(user: UserBody, default: BodyModel, fit: BodyFit, target: Target) -> State:
    """Return rotations of the default body's fit, corrected for the bones' rest directions, and linear betas."""
    up = fit.up_cam.astype(np.float64)
    log_focal = float(np.log(fit.camera.focal))
    rotations = corrected_rotations(user, default, fit)
    return target.solve_shape(State(rotations, np.zeros(10), np.zeros(3), log_focal, -up[[0, 2]] / up[1]))


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


def carry_prediction(user: UserBody, fit: BodyFit, carried: BodyFit, prediction: Prediction) -> Prediction:
    """Carry a predicted surface of the default body to the user's model: each vertex moves as the skin below it.

    Args:
        user: the user's model.
        fit: of the default body.
        carried: the same person with the user's model.
        prediction: of the default body's topology.
    """
    moved = user.correspondence.carry(prediction.vertices_cam - fit.vertices_cam)
    normals = None
    if prediction.normals_cam is not None:
        blended = user.correspondence.carry(prediction.normals_cam)
        length = np.linalg.norm(blended, axis=1, keepdims=True)
        normals = np.where(length > _KNOWN, blended / np.maximum(length, _KNOWN), 0.0)
    return Prediction(carried.vertices_cam + moved, normals)
