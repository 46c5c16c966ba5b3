"""What poses are likely (mixture of Gaussians learnt from motion) and what joints can do."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from munet.fitting.rig import MOVED, POSE, SIZE, TILT, TO_CAMERA, State
from munet.fitting.so3 import cross_matrix, log_jacobian, log_rotation
from munet.fitting.solver import Block, quadratic

Array = NDArray[np.float64]

BODY = MOVED - 1
FEATURES = 3 * BODY + 2

_SIDES = {
    1: ([-2.3, -0.9, -0.6], [0.7, 0.9, 1.0]),
    4: ([-0.02, -0.12, -0.1], [2.6, 0.12, 0.1]),
    7: ([-0.8, -0.6, -0.35], [0.7, 0.6, 0.35]),
    10: ([-0.5, -0.06, -0.06], [0.9, 0.06, 0.06]),
    13: ([-0.15, -0.35, -0.12], [0.15, 0.35, 0.35]),
    16: ([-1.9, -1.8, -1.65], [1.1, 1.2, 1.4]),
    18: ([-1.0, -2.5, -0.5], [1.3, 0.02, 0.7]),
    20: ([-0.8, -0.5, -0.7], [0.8, 0.5, 0.7]),
}
_MIDDLE = {
    3: ([-0.3, -0.4, -0.4], [0.95, 0.4, 0.4]),
    6: ([-0.3, -0.4, -0.3], [0.6, 0.4, 0.3]),
    9: ([-0.4, -0.4, -0.3], [0.5, 0.4, 0.3]),
    12: ([-0.6, -0.6, -0.5], [0.7, 0.6, 0.5]),
    15: ([-0.8, -0.9, -0.6], [0.65, 0.9, 0.6]),
}


def joint_limits() -> tuple[Array, Array]:
    """Return lowest and highest axis-angle (21, 3) of joints 1 to 21, radians.

    The ranges are the extremes of the motion library, cut to what anatomy allows where the library is noisy.
    """
    low, high = np.empty((MOVED, 3)), np.empty((MOVED, 3))
    for joint, (lowest, highest) in _MIDDLE.items():
        low[joint], high[joint] = lowest, highest
    for joint, (lowest, highest) in _SIDES.items():
        low[joint], high[joint] = lowest, highest
        low[joint + 1] = [lowest[0], -highest[1], -highest[2]]
        high[joint + 1] = [highest[0], -lowest[1], -lowest[2]]
    return low[1:], high[1:]


def resting_pose() -> Array:
    """Return axis-angle (22, 3) of somebody who stands and lets the arms hang."""
    pose = np.zeros((MOVED, 3))
    pose[16], pose[17] = [0.0, 0.0, -1.22], [0.0, 0.0, 1.22]
    pose[18], pose[19] = [0.35, -0.22, 0.0], [0.35, 0.22, 0.0]
    pose[1], pose[2] = [-0.02, 0.0, 0.05], [-0.02, 0.0, -0.05]
    pose[4:6, 0] = 0.03
    return pose


@dataclass(frozen=True)
class PosePrior:
    """A mixture of K Gaussians over the features of a pose.

    Attributes:
        means: (K, FEATURES).
        whitening: (K, FEATURES, FEATURES) upper triangular; whitening.T @ whitening is the precision.
        log_height: (K,) logarithm of share and of the determinant of the whitening.
    """

    means: Array
    whitening: Array
    log_height: Array


def load_pose_prior() -> PosePrior:
    """Load the prior that comes with the package (made by scripts/make_pose_prior.py)."""
    with resources.files("munet").joinpath("assets/pose_prior.npz").open("rb") as stream, np.load(stream) as data:
        return PosePrior(*(data[key].astype(np.float64) for key in ("means", "whitening", "log_height")))


@dataclass(frozen=True)
class PoseFeatures:
    """Features of a pose and their derivative.

    Attributes:
        values: (FEATURES,) axis-angle of joints 1 to 21, then x and z of up in the pelvis frame.
        jacobian: (FEATURES, SIZE).
    """

    values: Array
    jacobian: Array


def pose_features(state: State) -> PoseFeatures:
    """Return the features of a state, with the exact derivative by a step."""
    vectors = log_rotation(state.rotations[1:MOVED])
    jacobian = np.zeros((FEATURES, SIZE))
    for joint, block in enumerate(log_jacobian(vectors), start=1):
        jacobian[3 * joint - 3 : 3 * joint, POSE.start + 3 * joint : POSE.start + 3 * joint + 3] = block
    up_body = state.up_cam * TO_CAMERA
    up_pelvis = state.rotations[0].T @ up_body
    jacobian[-2:, POSE.start : POSE.start + 3] = cross_matrix(up_pelvis)[[0, 2]]
    length = np.linalg.norm([state.tilt[0], -1.0, state.tilt[1]])
    tilting = (np.eye(3) - np.outer(state.up_cam, state.up_cam))[:, [0, 2]] / length
    jacobian[-2:, TILT] = (state.rotations[0].T @ (TO_CAMERA[:, None] * tilting))[[0, 2]]
    return PoseFeatures(np.concatenate([vectors.ravel(), up_pelvis[[0, 2]]]), jacobian)


def prior_block(prior: PosePrior, features: PoseFeatures, weight: float) -> Block:
    """Return the pull of the likeliest component ("max mixture"); the cost keeps the components' heights."""
    white = np.einsum("kij,kj->ki", prior.whitening, features.values - prior.means)
    energies = 0.5 * (white**2).sum(1) - prior.log_height
    best = int(np.argmin(energies))
    block = quadratic(white[best], prior.whitening[best] @ features.jacobian, weight)
    offset = weight**2 * float(prior.log_height.max() - prior.log_height[best])
    return Block(block.residual, block.jacobian, block.cost + offset)


def limits_block(features: PoseFeatures, weight: float) -> Block:
    """Return the push of the joint limits, in radians beyond them."""
    low, high = joint_limits()
    values = features.values[:-2]
    beyond = np.maximum(values - high.ravel(), 0) + np.minimum(values - low.ravel(), 0)
    active = np.flatnonzero(beyond)
    return quadratic(beyond[active], features.jacobian[active], weight)


def rest_block(features: PoseFeatures, weights: Array) -> Block:
    """Return the pull of every joint 1 to 21 to the resting pose, with square-root weights (21,) per radian."""
    rows = np.flatnonzero(np.repeat(weights, 3) > 0)
    difference = (features.values[:-2] - resting_pose()[1:].ravel())[rows]
    return quadratic(difference, features.jacobian[rows], np.repeat(weights, 3)[rows])


def posture_block(features: PoseFeatures, strength: float) -> Block:
    """Return the pull of somebody who stands on straight legs to a plumb posture, seen from the side.

    A picture from the front says next to nothing about hips that are pushed forward or a hollow back. Pulled are the
    mean bend of both hips, the lean of the pelvis and the bends of the spine; one leg may stand before the other.

    Args:
        features: of the pose.
        strength: in [0, 1].
    """
    rows = np.zeros((5, FEATURES))
    rows[0, [0, 3]] = 0.5
    rows[1, -1] = 1
    rows[[2, 3, 4], [6, 15, 24]] = 1
    weight = np.sqrt(strength) / np.array([0.05, 0.06, 0.08, 0.08, 0.08])
    return quadratic(rows @ features.values, rows @ features.jacobian, weight)
