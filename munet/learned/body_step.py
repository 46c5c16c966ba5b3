"""The networks' body as a term of the fit: they move vertices freely, a rig needs rotations and betas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from munet.body.model import BodyModel
from munet.fitting.body_points import BodyPoints
from munet.fitting.fit import finish, prepare
from munet.fitting.guess import stands_straight
from munet.fitting.prior import load_pose_prior
from munet.fitting.result import BodyFit
from munet.fitting.rig import JOINTS, State
from munet.fitting.so3 import exp_rotation
from munet.fitting.solver import minimise
from munet.fitting.target import Trust, make_target
from munet.network.infer import NetworkBody
from munet.perception.observation import PersonObservation, Photo

STEPS = 12
TRUST = Trust(limb=0.008, inner=0.008, skin=0.04, joint_limit=0.3, skin_limit=0.3, betas=1.0)
"""Tried on 96 people of the split "val": twice as many metres lose a third of what the networks gain."""
_PLUMB = 0.8
"""Share of the trust that is lost for somebody who stands on straight legs, as for the pose network's guess."""
_FIXED_FOCAL = 1e-3
_NEIGHBOURS = 40


def follow(
    model: BodyModel,
    points: BodyPoints,
    fit: BodyFit,
    moved: NetworkBody,
    observation: PersonObservation,
    photo: Photo,
    trust: Trust = TRUST,
) -> BodyFit:
    """Fit again, from the networks' body, to landmarks and mask as before and to where the networks moved the vertices.

    The camera stays as it is. Knees that look straight are held straight only where somebody stands on both: of a
    single one, which may be bent towards the camera, the networks know better than the look.

    Args:
        model: of the fit.
        points: of the model.
        fit: the body that the networks moved.
        moved: where they moved it.
        observation: of the person.
        photo: the picture.
        trust: how much the networks are believed.
    """
    objective, _ = prepare(points, observation, photo, load_pose_prior())
    rotations, betas = moved.rotations.astype(np.float64), moved.betas.astype(np.float64)
    state = replace(state_of(fit), rotations=rotations, betas=betas)
    straight, plumb = stands_straight(objective.evidence, state.rotations)
    trust = _plumb(trust, plumb)
    joints = moved_joints(model, fit, moved.vertices_cam)
    target = make_target(points, joints, np.asarray(moved.vertices_cam, np.float64), trust)
    given = replace(
        objective,
        evidence=replace(objective.evidence, straight=plumb * straight),
        start=replace(objective.start, log_focal=state.log_focal),
        focal_sigma=_FIXED_FOCAL,
        weights=replace(objective.weights, betas_sigma=trust.betas),
    )
    state, _ = minimise(state, lambda at: [*given(at), *target.blocks(at)], STEPS)
    found = finish(model, points, state, observation, given)
    return replace(found, warnings=fit.warnings, up_cam=fit.up_cam, camera=fit.camera)


def _plumb(trust: Trust, standing: float) -> Trust:
    """Less trust for somebody who stands on straight legs, whose posture the fit knows and networks bend a little."""
    wider = 1 / (1 - _PLUMB * standing)
    return replace(trust, limb=trust.limb * wider, inner=trust.inner * wider, skin=trust.skin * wider)


def state_of(fit: BodyFit) -> State:
    """The state of a finished fit."""
    up = fit.up_cam.astype(np.float64)
    return State(
        rotations=exp_rotation(fit.pose[:JOINTS].astype(np.float64)),
        betas=fit.betas.astype(np.float64),
        translation=fit.translation.astype(np.float64),
        log_focal=float(np.log(fit.camera.focal)),
        tilt=-up[[0, 2]] / up[1],
    )


def moved_joints(model: BodyModel, fit: BodyFit, vertices_cam: NDArray[np.floating]) -> NDArray[np.float64]:
    """Joints (24, 3) of a fitted body whose vertices (V, 3) were moved: they move with the ring of skin around them."""
    moved = np.asarray(vertices_cam, np.float64) - fit.vertices_cam
    apart = (model.joint_template[:JOINTS, None] - model.template[None]).norm(dim=-1)
    ring = apart.topk(_NEIGHBOURS, largest=False).indices.cpu().numpy()
    result: NDArray[np.float64] = fit.joints_cam[:JOINTS] + moved[ring].mean(1)
    return result
