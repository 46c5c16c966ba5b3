"""What a pose network guesses about a person, and the pull of the fit towards it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.evidence import DEPTH_BONES, Evidence
from munet.fitting.prior import resting_pose
from munet.fitting.rig import (
    JOINTS,
    MOVED,
    SIZE,
    TO_CAMERA,
    PointRig,
    Skeleton,
    State,
    pose_points,
    pose_points_with_jacobian,
    pose_skeleton,
)
from munet.fitting.so3 import exp_rotation, log_rotation
from munet.fitting.solver import Block, robust

Array = NDArray[np.float64]

_LIMIT = 0.4
"""Difference of depth in metres beyond which a bone says no more about which guess is right."""
_CONFIDENCE = 0.02
"""Metres of mean difference that a guess e times as sure makes up for."""
_KNEES = (4, 5)
_STRAIGHT, _BENT = np.radians(37.0), np.radians(52.0)
_THIGHS = (1, 2)
"""Without them a guess hardly knows how far a person leans."""


@dataclass(frozen=True)
class Spread:
    """How far the joints of a guess may be off.

    Attributes:
        metres: (24, 2) mean absolute error, seen from the root, across the view (of each axis) and along it.
        ahead: (3,) unit vector along the view, camera frame.
    """

    metres: Array
    ahead: Array


@dataclass(frozen=True)
class PoseGuess:
    """One hypothesis about a person.

    Attributes:
        rotations: (24, 3, 3) local rotations, root first, in the axes of the camera with y up and z to the camera (as
            the fit's state has them); the hands rest.
        betas: (10,) identity.
        confidence: in [0, 1]; the confidences of a person's guesses sum to 1.
        spread: how far the joints may be off, or None if the network does not say.
    """

    rotations: Array
    betas: Array
    confidence: float
    spread: Spread | None = None


@dataclass(frozen=True)
class GuessedJoints:
    """Where a guess puts the joints.

    Attributes:
        offsets: (24, 3) metres from the root, axes of the camera frame.
        trust: (24,) square-root weights, 0 where nothing that the network saw tells.
        spread: how far the joints may be off, or None if the network does not say.
        rotations: (24, 3, 3) local rotations of the guess, from which the fit may begin, or None.
        rest: share of the pull to rest that stays on joints that nothing in the photo tells.
        straight: (2,) how surely the left and right knee are straight, for the photo and for the guess, in [0, 1]; or
            None if only the photo is asked.
    """

    offsets: Array
    trust: Array
    spread: Spread | None = None
    rotations: Array | None = None
    rest: float = 0.05
    straight: Array | None = None

    def whitening(self, joints: NDArray[np.int64], weights: GuessWeights) -> Array:
        """Matrices (N, 3, 3) that turn distances of joints in metres into standard deviations."""
        if self.spread is None:
            return np.tile(np.eye(3) / weights.sigma, (len(joints), 1, 1))
        across, along = np.maximum(weights.factor * self.spread.metres[joints], weights.least).T[:, :, None, None]
        view = np.outer(self.spread.ahead, self.spread.ahead)
        result: Array = (np.eye(3) - view) / across + view / along
        return result


@dataclass(frozen=True)
class GuessWeights:
    """How strongly a guess speaks.

    Attributes:
        factor: standard deviation over the mean absolute error that the network expects.
        least: smallest standard deviation, metres.
        sigma: standard deviation in metres where the network does not say.
        limit: distance in standard deviations at which the pull has dropped to a quarter.
        unseen: trust in joints that nothing in the photo tells.
        calm: share of the way from the guess to rest at which such joints are expected: what one sees least of is a
            mean of many poses, which looks like none of them.
        plumb: share of the trust that is lost for somebody who stands on straight legs.
        cut: share of the trust that is left for somebody whose thighs are not in the photo.
        rest: share of the pull to rest that stays on joints that nothing in the photo tells.
        stand: the same for somebody whose thighs are not in the photo and whose knees the prior would bend.
    """

    factor: float = 0.6
    least: float = 0.02
    sigma: float = 0.06
    limit: float = 5.0
    unseen: float = 1.0
    calm: float = 0.5
    plumb: float = 0.8
    cut: float = 0.2
    rest: float = 0.05
    stand: float = 0.25


def choose_guess(
    body: BodyPoints,
    evidence: Evidence,
    start: State,
    guesses: Sequence[PoseGuess],
    weights: GuessWeights | None = None,
) -> GuessedJoints | None:
    """Take the guess whose depths agree best with the detector's.

    Landmarks in the picture do not tell a limb that points to the camera from one that points away; the detector has
    seen the picture and mostly knows, the network knows better how far.

    Args:
        body: points of the body.
        evidence: of the person.
        start: gives place and focal length.
        guesses: of the pose network.
        weights: how strongly it shall speak.

    Returns:
        The joints, trusted less if not both thighs are in the photo, and for who stands on straight legs, whose posture
        the fit knows; None without guesses, or without any trust.
    """
    weights = weights or GuessWeights()
    known = evidence.seen | evidence.guessed
    legs = float(known[list(_THIGHS)].mean())
    if not guesses or legs + weights.cut == 0:
        return None
    states, costs = weigh_guesses(body, evidence, start, guesses, weights)
    best = int(np.argmin(costs))
    heads = pose_skeleton(body.rig, states[best]).heads * TO_CAMERA
    # A joint's place follows from its parent's rotation.
    straight, plumb = stands_straight(evidence, states[best].rotations)
    told = np.where(known[np.maximum(body.rig.parents, 0)], 1.0, weights.unseen)
    trust = told * (weights.cut + (1 - weights.cut) * legs) * (1 - weights.plumb * plumb)
    rest = weights.rest if legs > 0 else weights.stand
    return GuessedJoints(heads - heads[0], trust, guesses[best].spread, states[best].rotations, rest, straight)


def weigh_guesses(
    body: BodyPoints, evidence: Evidence, start: State, guesses: Sequence[PoseGuess], weights: GuessWeights
) -> tuple[list[State], Array]:
    """Return the states that guesses stand for, and how much (K,) in metres speaks against each."""
    known = evidence.seen | evidence.guessed
    states = [
        replace(start, rotations=calmed(guess.rotations, known, weights.calm), betas=guess.betas) for guess in guesses
    ]
    costs = [
        disagreement(evidence, bone_depths(body, state)) - _CONFIDENCE * float(np.log(guess.confidence + 1e-3))
        for state, guess in zip(states, guesses, strict=True)
    ]
    return states, np.array(costs)


def straight_in(rotations: Array) -> Array:
    """Return (2,) whether the left and right knee of a pose (24, 3, 3) may pass for straight, in [0, 1].

    A knee that is straight in the picture may be bent towards the camera. Detectors bend the knees of standing people
    by up to 35 degrees in depth, and the network believes them, so only a knee that is bent further counts as bent.
    """
    bend = np.linalg.norm(log_rotation(rotations[list(_KNEES)]), axis=-1)
    share: Array = np.clip((_BENT - bend) / (_BENT - _STRAIGHT), 0.0, 1.0)
    return share


def stands_straight(evidence: Evidence, rotations: Array) -> tuple[Array, float]:
    """Return how surely the knees (2,) of photo and pose (24, 3, 3) are straight, and the person stands on both."""
    straight = evidence.straight * straight_in(rotations)
    return straight, evidence.standing * float(straight.prod())


def calmed(rotations: Array, known: NDArray[np.bool_], share: float) -> Array:
    """Turn the joints that are not ``known`` (24,) of a pose (24, 3, 3) by a share of the way to the resting pose."""
    turns, resting = rotations.copy(), exp_rotation(resting_pose())
    for joint in np.flatnonzero(~known[:MOVED]):
        if joint > 0:
            turns[joint] = resting[joint] @ exp_rotation((1 - share) * log_rotation(resting[joint].T @ turns[joint]))
    return turns


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


def guess_block(guess: GuessedJoints, rig: PointRig, state: State, skeleton: Skeleton, weights: GuessWeights) -> Block:
    """Return the distance of the joints, seen from the root, from where a guess puts them, in standard deviations."""
    points, jacobian = pose_points_with_jacobian(joint_rig(rig), state, skeleton)
    used = np.flatnonzero(guess.trust[1:] > 0) + 1
    white = guess.whitening(used, weights)
    residual = (white @ (points[used] - points[0] - guess.offsets[used])[..., None]).ravel()
    slope = (white @ (jacobian[used] - jacobian[0])).reshape(-1, SIZE)
    return robust(residual, slope, guess.trust[used], weights.limit, group=3)
