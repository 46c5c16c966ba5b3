"""The cost of the fit: every term, put together for one person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.evidence import Evidence
from munet.fitting.guess import GuessedJoints, GuessWeights, guess_block
from munet.fitting.mask_field import sample
from munet.fitting.pockets import pocket_block
from munet.fitting.prior import PosePrior, limits_block, pose_features, posture_block, prior_block, rest_block
from munet.fitting.rig import JOINTS, MOVED, Skeleton, State, place_points, pose_points_with_jacobian, pose_skeleton
from munet.fitting.solver import Block, quadratic
from munet.fitting.spheres import collision_block
from munet.fitting.terms import (
    EDGE,
    anchor_block,
    balance_block,
    depth_block,
    facing_camera,
    ground_block,
    landmark_block,
    outline_block,
    outside_block,
    project,
    project_points,
)

Array = NDArray[np.float64]


_FAR = 3.0
"""How much further landmarks pull in the first round."""
_GUESSED = 0.05
"""Pull to the resting pose of a joint that is hidden inside the photo, against one that is outside of it."""


@dataclass(frozen=True)
class Weights:
    """How strongly each term speaks. Lengths are shares of the person's height unless said otherwise.

    Attributes:
        landmark_sigma, landmark_limit: noise of a landmark and the distance at which it counts as wrong.
        depth_sigma, depth_limit: of the detector's depth along a bone, metres.
        prior: factor of the pose prior.
        limits: per radian beyond the joint limits.
        betas_sigma: spread of the shape parameters.
        straight: per radian of a knee that looks straight.
        rest: per radian of a joint that is not seen.
        outside_sigma, outside_limit: skin outside the mask.
        outline_sigma, outline_limit, clothes: outline deeper inside the mask than clothes are thick.
        collision_sigma: depth of a hand or forearm in the trunk or a thigh, metres.
        pocket_sigma: distance of a hand in a pocket from lying under the surface, metres.
        mask: whether the two terms of the mask are used.
        guess: of the joints that the pose network guesses.
        guided_prior: factor on the prior beside a guess.
    """

    landmark_sigma: float = 0.006
    landmark_limit: float = 0.06
    depth_sigma: float = 0.05
    depth_limit: float = 0.30
    prior: float = 0.7
    limits: float = 20.0
    betas_sigma: float = 0.5
    straight: float = 20.0
    rest: float = 10.0
    outside_sigma: float = 0.012
    outside_limit: float = 0.025
    outline_sigma: float = 0.03
    outline_limit: float = 0.015
    clothes: float = 0.012
    collision_sigma: float = 0.012
    pocket_sigma: float = 0.01
    mask: bool = True
    guess: GuessWeights = field(default_factory=GuessWeights)
    guided_prior: float = 1.4


@dataclass(frozen=True)
class Objective:
    """The cost of one person; calling it linearises every term at a state.

    Attributes:
        body: the points of the body.
        evidence: what the photo says.
        prior: what poses are likely.
        start: its focal length is the guess.
        center: (2,) principal point in pixels.
        focal_sigma: how far the focal length may be off, log units.
        weights: of the terms.
        guess: joints that the pose network guesses, or None.
    """

    body: BodyPoints
    evidence: Evidence
    prior: PosePrior
    start: State
    center: Array
    focal_sigma: float
    weights: Weights = Weights()
    guess: GuessedJoints | None = None

    def without_mask(self) -> Objective:
        """Return the same cost without the terms of the mask, which are slower and only fine-tune."""
        return replace(self, weights=replace(self.weights, mask=False))

    def forgiving(self) -> Objective:
        """Return the same cost with landmarks that pull from further away, for a start far from them."""
        return replace(self, weights=replace(self.weights, landmark_limit=_FAR * self.weights.landmark_limit))

    def __call__(self, state: State) -> list[Block]:
        """Linearise every term at ``state``."""
        skeleton = pose_skeleton(self.body.rig, state)
        core = self.body.rig.subset(slice(0, BodyPoints.SKIN.start))
        points, jacobian = pose_points_with_jacobian(core, state, skeleton)
        blocks = self._point_terms(state, points, jacobian) + self._pose_terms(state)
        blocks += self._guess_terms(state, skeleton)
        if self.weights.mask:
            blocks += self._mask_terms(state, skeleton)
        return blocks

    def _point_terms(self, state: State, points: Array, jacobian: Array) -> list[Block]:
        evidence, weights = self.evidence, self.weights
        marks, spheres = BodyPoints.LANDMARKS, BodyPoints.SPHERES
        projection = project_points(points[marks], jacobian[marks], state, self.center)
        blocks = [
            landmark_block(projection, evidence, weights.landmark_sigma, weights.landmark_limit),
            collision_block(
                points[spheres],
                jacobian[spheres],
                self.body.trunk_radii,
                weights.collision_sigma,
                evidence.pocketed,
            ),
            depth_block(points[marks], jacobian[marks], evidence, weights.depth_sigma, weights.depth_limit),
        ]
        if evidence.pocketed.any():
            radii, sigma = self.body.trunk_radii, weights.pocket_sigma
            blocks.append(pocket_block(points[spheres], jacobian[spheres], radii, evidence.pocketed, sigma))
        if evidence.standing > 0:
            soles, mass = BodyPoints.SOLES, BodyPoints.MASS
            blocks += ground_block(points[soles], jacobian[soles], state, evidence.standing)
            both = (jacobian[mass], jacobian[soles])
            blocks.append(balance_block(points[mass], points[soles], both, state, evidence.standing))
        return blocks

    def _pose_terms(self, state: State) -> list[Block]:
        evidence, weights = self.evidence, self.weights
        features = pose_features(state)
        unseen = np.where(evidence.guessed, _GUESSED, 1.0) * np.where(evidence.seen, 0.0, weights.rest)
        prior = weights.prior
        if self.guess is not None:
            prior *= weights.guided_prior
            led = np.zeros(JOINTS, bool)
            np.logical_or.at(led, self.body.rig.parents[1:], self.guess.trust[1:] > 0)
            unseen = np.where(led & ~evidence.guessed, self.guess.rest * unseen, unseen)
        knees = features.jacobian[[9, 12]], features.values[[9, 12]]
        return [
            prior_block(self.prior, features, prior),
            limits_block(features, weights.limits),
            rest_block(features, unseen[1:MOVED]),
            quadratic(knees[1], knees[0], weights.straight * evidence.straight),
            posture_block(features, evidence.standing * float(evidence.straight.prod())),
            anchor_block(state, self.start, self.focal_sigma, weights.betas_sigma),
        ]

    def _guess_terms(self, state: State, skeleton: Skeleton) -> list[Block]:
        if self.guess is None:
            return []
        return [guess_block(self.guess, self.body.rig, state, skeleton, self.weights.guess)]

    def _mask_terms(self, state: State, skeleton: Skeleton) -> list[Block]:
        evidence, weights = self.evidence, self.weights
        if evidence.field is None:
            return []
        rig = self.body.rig.subset(BodyPoints.SKIN)
        points = place_points(rig, state, skeleton)
        distance, gradient, known = sample(evidence.field, project(points, state, self.center))
        facing = facing_camera(rig, skeleton, self.body.normals, points)
        # Only samples outside or at the edge pull, so only they need derivatives.
        used = np.flatnonzero(known & ((distance > 0) | (np.abs(facing) < EDGE)))
        exact = pose_points_with_jacobian(rig.subset(used), state, skeleton)
        slope = np.einsum("ni,nij->nj", gradient[used], project_points(*exact, state, self.center).jacobian)
        distance, slope, facing = distance[used] / evidence.height, slope / evidence.height, facing[used]
        return [
            outside_block(distance, slope, weights.outside_sigma, weights.outside_limit),
            outline_block(distance, slope, facing, weights.clothes, weights.outline_sigma, weights.outline_limit),
        ]
