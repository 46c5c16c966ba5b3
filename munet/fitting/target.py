"""Points of the body that are known from elsewhere: another model's fit, or a network's body."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.guess import joint_rig
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
from munet.fitting.solver import Block, robust

Array = NDArray[np.float64]

LIMB_JOINTS, INNER_JOINTS = (4, 5, 7, 8, 18, 19, 20, 21), (1, 2, 16, 17)
_HAND = 0.5


@dataclass(frozen=True)
class Trust:
    """Noise and farthest believable distance of known points, metres.

    Attributes:
        limb: noise of knees, ankles, elbows and wrists.
        inner: of hips and shoulders, whose places models define differently.
        skin: of each of the many samples of the skin: far more than their errors, because those are alike.
        joint_limit, skin_limit: distance at which a point counts as wrong.
        betas: spread of the shape parameters.
    """

    limb: float = 0.01
    inner: float = 0.03
    skin: float = 0.06
    joint_limit: float = 0.10
    skin_limit: float = 0.06
    betas: float = 1.5


@dataclass(frozen=True)
class Target:
    """Where points of a body shall lie, metres, camera frame.

    Attributes:
        rig: 24 joints, then samples of the skin.
        points: (24 + S, 3).
        weights: (24 + S,) square-root weights.
        trust: limits.
    """

    rig: PointRig
    points: Array
    weights: Array
    trust: Trust

    def blocks(self, state: State) -> list[Block]:
        """Distance of joints and skin from where they shall lie."""
        points, jacobian = pose_points_with_jacobian(self.rig, state, pose_skeleton(self.rig, state))
        residual, slope = points - self.points, jacobian.reshape(-1, SIZE)
        parts = ((slice(0, JOINTS), self.trust.joint_limit), (slice(JOINTS, None), self.trust.skin_limit))
        rows = (slice(0, 3 * JOINTS), slice(3 * JOINTS, None))
        return [
            robust(residual[part].ravel(), slope[row], self.weights[part], limit, group=3)
            for (part, limit), row in zip(parts, rows, strict=True)
        ]

    def solve_shape(self, state: State) -> State:
        """Betas and translation by linear least squares, the rotations of ``state`` kept; its betas must be zero."""
        points, jacobian = pose_points_with_jacobian(self.rig, state, pose_skeleton(self.rig, state))
        columns = [*range(BETAS.start, BETAS.stop), *range(TRANSLATION.start, TRANSLATION.stop)]
        pull = np.repeat(self.weights, 3)
        slope = jacobian.reshape(-1, SIZE)[:, columns] * pull[:, None]
        ridge = np.eye(10, 13) / self.trust.betas
        gap = (self.points - points).ravel() * pull
        solution = np.linalg.lstsq(np.concatenate([slope, ridge]), np.concatenate([gap, np.zeros(10)]), rcond=None)[0]
        return replace(state, betas=solution[:10], translation=state.translation + solution[10:])


def make_target(body: BodyPoints, joints_cam: Array, vertices_cam: Array, trust: Trust) -> Target:
    """Ask the points of a body to lie where joints (24+, 3) and vertices (V, 3), of its own topology, are.

    Hands do not count: fingers rest, and not every model has them.
    """
    rig, skin = joint_rig(body.rig), body.rig.subset(BodyPoints.SKIN)
    both = replace(
        rig,
        anchors=np.concatenate([rig.anchors, skin.anchors]),
        anchor_dirs=np.concatenate([rig.anchor_dirs, skin.anchor_dirs]),
        weights=np.concatenate([rig.weights, skin.weights]),
    )
    weights = np.zeros(JOINTS + len(body.samples))
    weights[list(INNER_JOINTS)], weights[list(LIMB_JOINTS)] = 1 / trust.inner, 1 / trust.limb
    weights[JOINTS:] = (skin.weights[:, MOVED - 2 :].sum(1) < _HAND) / trust.skin
    points = np.concatenate([joints_cam[:JOINTS], vertices_cam[body.samples]]).astype(np.float64)
    return Target(both, points, weights, trust)
