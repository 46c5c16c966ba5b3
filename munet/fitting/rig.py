"""A few points of the body with their analytic derivatives, small enough to fit in milliseconds.

A point is a linear combination of vertices. Linear blend skinning is linear in the vertices, so a point needs only one
anchor and one weight per joint, whatever the number of vertices behind it: exact but for the pose correctives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.so3 import cross_matrix, exp_rotation

Array = NDArray[np.float64]

JOINTS = 24
MOVED = 22
"""Joints that the fit turns: all of SMPL's but the two hands, which follow the wrists."""

POSE = slice(0, 3 * MOVED)
BETAS = slice(POSE.stop, POSE.stop + 10)
TRANSLATION = slice(BETAS.stop, BETAS.stop + 3)
FOCAL = TRANSLATION.stop
TILT = slice(FOCAL + 1, FOCAL + 3)
SIZE = TILT.stop
"""Length of the tangent vector: pose, betas, translation, log focal, tilt of the camera."""

TO_CAMERA = np.array([1.0, -1.0, -1.0])
"""Diagonal of the turn from the body frame (y up) to the camera frame (y down)."""


@dataclass(frozen=True)
class State:
    """What is fitted.

    Attributes:
        rotations: (24, 3, 3) local rotations, root first.
        betas: (10,) identity.
        translation: (3,) metres, camera frame.
        log_focal: natural logarithm of the focal length in pixels.
        tilt: (2,) the direction up is (tilt[0], -1, tilt[1]), normalised, in the camera frame.
    """

    rotations: Array
    betas: Array
    translation: Array
    log_focal: float
    tilt: Array

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return float(np.exp(self.log_focal))

    @property
    def up_cam(self) -> Array:
        """Unit vector against gravity (3,) in the camera frame."""
        vector = np.array([self.tilt[0], -1.0, self.tilt[1]])
        result: Array = vector / np.linalg.norm(vector)
        return result

    def moved(self, step: Array) -> State:
        """Return the state after a step (SIZE,) in the tangent space; rotations turn in their own frame."""
        turns = exp_rotation(step[POSE].reshape(MOVED, 3))
        rotations = self.rotations.copy()
        rotations[:MOVED] = rotations[:MOVED] @ turns
        return replace(
            self,
            rotations=rotations,
            betas=self.betas + step[BETAS],
            translation=self.translation + step[TRANSLATION],
            log_focal=self.log_focal + float(step[FOCAL]),
            tilt=self.tilt + step[TILT],
        )


@dataclass(frozen=True)
class PointRig:
    """Points skinned to the 24 SMPL joints.

    Attributes:
        parents: (24,) tree, -1 for the root.
        joints: (24, 3) rest joints of the mean person, body frame.
        joint_dirs: (24, 3, 10) their change per unit of beta.
        anchors: (P, 24, 3) rest position of each point times its weight for each joint.
        anchor_dirs: (P, 24, 3, 10) their change per unit of beta.
        weights: (P, 24).
        below: (24, 24) 1 where the column's joint hangs below the row's joint or is it.
    """

    parents: NDArray[np.int64]
    joints: Array
    joint_dirs: Array
    anchors: Array
    anchor_dirs: Array
    weights: Array
    below: Array

    def __len__(self) -> int:
        return len(self.weights)

    def subset(self, rows: slice | NDArray[np.int64]) -> PointRig:
        """Return the rig of some of the points."""
        return replace(self, anchors=self.anchors[rows], anchor_dirs=self.anchor_dirs[rows], weights=self.weights[rows])


@dataclass(frozen=True)
class Skeleton:
    """A posed skeleton in the body frame.

    Attributes:
        turns: (24, 3, 3) global rotations.
        heads: (24, 3) posed joints.
        head_dirs: (24, 3, 10) their change per unit of beta.
        rest: (24, 3) rest joints of this person.
    """

    turns: Array
    heads: Array
    head_dirs: Array
    rest: Array


def descend(parents: NDArray[np.int64]) -> Array:
    """Return (J, J): 1 where the column's joint is the row's joint or hangs below it."""
    below = np.eye(len(parents))
    for joint in range(len(parents) - 1, 0, -1):
        below[parents[joint]] += below[joint]
    return below


def pose_skeleton(rig: PointRig, state: State) -> Skeleton:
    """Forward kinematics of the 24 joints, body frame, with their derivative by betas."""
    rest = rig.joints + rig.joint_dirs @ state.betas
    turns = np.empty((JOINTS, 3, 3))
    heads, head_dirs = np.empty((JOINTS, 3)), np.empty((JOINTS, 3, 10))
    turns[0], heads[0], head_dirs[0] = state.rotations[0], rest[0], rig.joint_dirs[0]
    for joint in range(1, JOINTS):
        parent = int(rig.parents[joint])
        turns[joint] = turns[parent] @ state.rotations[joint]
        heads[joint] = heads[parent] + turns[parent] @ (rest[joint] - rest[parent])
        change = rig.joint_dirs[joint] - rig.joint_dirs[parent]
        head_dirs[joint] = head_dirs[parent] + turns[parent] @ change
    return Skeleton(turns, heads, head_dirs, rest)


def _shares(rig: PointRig, state: State, skeleton: Skeleton) -> Array:
    """Share (P, 24, 3) of every joint in every posed point, body frame."""
    anchors = rig.anchors + rig.anchor_dirs @ state.betas
    local = anchors - rig.weights[..., None] * skeleton.rest
    turned = np.matmul(skeleton.turns, local.transpose(1, 2, 0)).transpose(2, 0, 1)
    result: Array = turned + rig.weights[..., None] * skeleton.heads
    return result


def place_points(rig: PointRig, state: State, skeleton: Skeleton) -> Array:
    """Pose the points with a skeleton that is already posed; returns (P, 3) in metres, camera frame."""
    result: Array = _shares(rig, state, skeleton).sum(1) * TO_CAMERA + state.translation
    return result


def pose_points(rig: PointRig, state: State) -> Array:
    """Pose the points; returns (P, 3) in metres, camera frame."""
    return place_points(rig, state, pose_skeleton(rig, state))


def pose_points_with_jacobian(rig: PointRig, state: State, skeleton: Skeleton) -> tuple[Array, Array]:
    """Pose the points; returns (P, 3) in metres, camera frame, and the derivative (P, 3, SIZE) by a step."""
    shares = _shares(rig, state, skeleton)
    jacobian = np.zeros((len(rig), 3, SIZE))
    moved = np.matmul(rig.below, shares) - (rig.weights @ rig.below.T)[..., None] * skeleton.heads
    turning = -np.matmul(cross_matrix(moved[:, :MOVED]), skeleton.turns[:MOVED])
    jacobian[:, :, POSE] = turning.transpose(0, 2, 1, 3).reshape(len(rig), 3, -1)
    local = rig.anchor_dirs - rig.weights[..., None, None] * rig.joint_dirs
    flat = local.transpose(1, 2, 0, 3).reshape(JOINTS, 3, -1)
    turned = np.matmul(skeleton.turns, flat).sum(0).reshape(3, len(rig), 10).transpose(1, 0, 2)
    jacobian[:, :, BETAS] = turned + np.tensordot(rig.weights, skeleton.head_dirs, 1)
    jacobian *= TO_CAMERA[:, None]
    jacobian[:, :, TRANSLATION] = np.eye(3)
    return shares.sum(1) * TO_CAMERA + state.translation, jacobian
