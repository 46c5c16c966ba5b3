"""What a pose network guesses about a person, and the pull of the fit towards it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.evidence import DEPTH_BONES, Evidence
from munet.fitting.rig import (
    JOINTS,
    SIZE,
    TO_CAMERA,
    PointRig,
    Skeleton,
    State,
    pose_points,
    pose_points_with_jacobian,
    pose_skeleton,
)
from munet.fitting.solver import Block, robust

Array = NDArray[np.float64]

_LIMIT = 0.4
"""Difference of depth in metres beyond which a bone says no more about which guess is right."""
_CONFIDENCE = 0.02
"""Metres of mean difference that a guess e times as sure makes up for."""
_LEGS = (1, 2, 4, 5)
"""Hips and knees: without them a guess does not know how far a person leans."""
_PLUMB = 0.8
"""Share of the trust that is lost for somebody who stands on straight legs: the network leans them a little."""


@dataclass(frozen=True)
class PoseGuess:
    """One hypothesis about a person.

    Attributes:
        rotations: (24, 3, 3) local rotations, root first, in the axes of the camera with y up and z to the camera (as
            the fit's state has them); the hands rest.
        betas: (10,) identity.
        confidence: in [0, 1]; the confidences of a person's guesses sum to 1.
    """

    rotations: Array
    betas: Array
    confidence: float


@dataclass(frozen=True)
class GuessedJoints:
    """Where a guess puts the joints.

    Attributes:
        offsets: (24, 3) metres from the root, axes of the camera frame.
        trust: (24,) square-root weights, 0 where nothing that the network saw tells.
    """

    offsets: Array
    trust: Array


def choose_guess(
    body: BodyPoints, evidence: Evidence, start: State, guesses: Sequence[PoseGuess]
) -> GuessedJoints | None:
    """Take the guess whose depths agree best with the detector's.

    Landmarks in the picture do not tell a limb that points to the camera from one that points away; the detector has
    seen the picture and mostly knows, the network knows better how far.

    Args:
        body: points of the body.
        evidence: of the person.
        start: gives place and focal length.
        guesses: of the pose network.

    Returns:
        The joints, trusted less the less of the legs is in the photo, and less for who stands on straight legs, whose
        posture the fit knows; None without guesses or without legs.
    """
    known = evidence.seen | evidence.guessed
    legs = float(known[list(_LEGS)].mean())
    if not guesses or legs == 0:
        return None
    states = [replace(start, rotations=guess.rotations, betas=guess.betas) for guess in guesses]
    costs = [
        disagreement(evidence, bone_depths(body, state)) - _CONFIDENCE * float(np.log(guess.confidence + 1e-3))
        for state, guess in zip(states, guesses, strict=True)
    ]
    heads = pose_skeleton(body.rig, states[int(np.argmin(costs))]).heads * TO_CAMERA
    # A joint's place follows from its parent's rotation.
    plumb = evidence.standing * float(evidence.straight.prod())
    trust = np.where(known[np.maximum(body.rig.parents, 0)], legs * (1 - _PLUMB * plumb), 0.0)
    return GuessedJoints(heads - heads[0], trust)


def bone_depths(body: BodyPoints, state: State) -> Array:
    """Difference in depth (len(DEPTH_BONES),) in metres between the ends of each pair of landmarks."""
    first, second = np.array(DEPTH_BONES).T
    depth = pose_points(body.rig.subset(BodyPoints.LANDMARKS), state)[:, 2]
    result: Array = depth[second] - depth[first]
    return result


def disagreement(evidence: Evidence, depths: Array) -> float:
    """Mean difference in metres between depths and the detector's, weighted by trust; far ones count as ``_LIMIT``."""
    apart = np.minimum(np.abs(depths - evidence.depths), _LIMIT)
    return float(evidence.depth_trust @ apart / max(float(evidence.depth_trust.sum()), 1e-9))


def joint_rig(rig: PointRig) -> PointRig:
    """The 24 joints as points of a rig, each fixed to its parent."""
    joints, parents = np.arange(JOINTS), np.maximum(rig.parents, 0)
    anchors, anchor_dirs = np.zeros((JOINTS, JOINTS, 3)), np.zeros((JOINTS, JOINTS, 3, 10))
    weights = np.zeros((JOINTS, JOINTS))
    anchors[joints, parents], anchor_dirs[joints, parents], weights[joints, parents] = rig.joints, rig.joint_dirs, 1
    return replace(rig, anchors=anchors, anchor_dirs=anchor_dirs, weights=weights)


def guess_block(
    guess: GuessedJoints, rig: PointRig, state: State, skeleton: Skeleton, sigma: float, limit: float
) -> Block:
    """Return the distance of the joints, seen from the root, from where a guess puts them, in metres."""
    points, jacobian = pose_points_with_jacobian(joint_rig(rig), state, skeleton)
    used = np.flatnonzero(guess.trust[1:] > 0) + 1
    residual = points[used] - points[0] - guess.offsets[used]
    slope = (jacobian[used] - jacobian[0]).reshape(-1, SIZE)
    return robust(residual.ravel(), slope, guess.trust[used] / sigma, limit, group=3)
