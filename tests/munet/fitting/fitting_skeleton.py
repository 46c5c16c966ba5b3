"""A stick figure in SMPL's convention with the 33 landmarks, soles and skin samples on it."""

from __future__ import annotations

import numpy as np

from munet.fitting.body_points import SAMPLES, BodyPoints
from munet.fitting.rig import JOINTS, PointRig, descend

PARENTS = np.array([-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21])
_LEFT = {
    1: (0.07, -0.09, 0.0), 4: (0.10, -0.48, 0.0), 7: (0.09, -0.88, -0.03), 10: (0.12, -0.94, 0.09),
    13: (0.08, 0.41, -0.02), 16: (0.18, 0.43, -0.02), 18: (0.44, 0.43, -0.03), 20: (0.70, 0.43, -0.03),
    22: (0.79, 0.43, -0.03),
}  # fmt: skip
_MIDDLE = {
    0: (0, 0, 0),
    3: (0, 0.11, -0.01),
    6: (0, 0.24, 0),
    9: (0, 0.30, 0),
    12: (0, 0.50, -0.02),
    15: (0, 0.57, 0.02),
}
MIRROR = np.array([-1.0, 1.0, 1.0])
_MARKS = {
    0: (15, (0, 0.05, 0.13)), 1: (15, (0.015, 0.08, 0.11)), 2: (15, (0.03, 0.08, 0.11)), 3: (15, (0.045, 0.08, 0.10)),
    7: (15, (0.075, 0.06, 0.01)), 9: (15, (0.025, 0.0, 0.11)), 11: (16, (0, 0.01, 0)), 13: (18, (0, 0, 0)),
    15: (20, (0, 0, 0)), 17: (22, (0, 0, -0.03)), 19: (22, (0.01, 0, 0.03)), 21: (22, (-0.04, -0.01, 0.06)),
    23: (1, (0.03, 0.02, 0)), 25: (4, (0, 0, 0)), 27: (7, (0, 0, 0)), 29: (7, (0, -0.05, -0.05)),
    31: (10, (0, -0.02, 0.08)),
}  # fmt: skip
_PARTNER = {1: 4, 2: 5, 3: 6, 7: 8, 9: 10}


def rest_joints() -> np.ndarray:
    joints = np.zeros((JOINTS, 3))
    for joint, place in _MIDDLE.items():
        joints[joint] = place
    for joint, place in _LEFT.items():
        joints[joint], joints[joint + 1] = place, np.array(place) * MIRROR
    return joints


def _mirrored_joint(joint: int) -> int:
    return joint + 1 if joint in _LEFT else joint


def make_body() -> BodyPoints:
    """Return a body whose betas are size (0) and leg length (1)."""
    joints = rest_joints()
    owners, places = np.zeros(33, int), np.zeros((33, 3))
    for mark, (joint, offset) in _MARKS.items():
        owners[mark], places[mark] = joint, joints[joint] + offset
        if mark:
            other = _PARTNER.get(mark, mark + 1)
            owners[other], places[other] = _mirrored_joint(joint), places[mark] * MIRROR
    soles = [(7, (0, -0.07, -0.05)), (10, (0, -0.01, 0.08)), (10, (-0.03, -0.01, 0.0)), (10, (0.03, -0.01, 0.0))]
    owners, places = owners.tolist(), places.tolist()
    for side in range(2):
        for joint, offset in soles:
            owners.append(joint + side)
            places.append((joints[joint] + offset) * (MIRROR if side else 1))
    share = np.zeros(JOINTS)
    share[[0, 3, 6, 9, 15, 1, 2, 4, 5]] = 1 / 9
    random = np.random.default_rng(0)
    bones = random.integers(1, JOINTS, SAMPLES)
    skin = joints[bones] + (joints[PARENTS[bones]] - joints[bones]) * random.random((SAMPLES, 1))
    normals = random.normal(size=(SAMPLES, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = np.concatenate([places, np.zeros((1, 3)), skin + 0.05 * normals])
    weights = np.zeros((len(points), JOINTS))
    weights[np.arange(41), owners] = 1
    weights[41] = share
    weights[np.arange(SAMPLES) + 42, PARENTS[bones]] = 0.8
    weights[np.arange(SAMPLES) + 42, bones] = 0.2
    anchors = weights[:, :, None] * points[:, None]
    anchors[41] = share[:, None] * joints
    anchor_dirs, joint_dirs = np.zeros((*anchors.shape, 10)), np.zeros((JOINTS, 3, 10))
    anchor_dirs[..., 0], joint_dirs[..., 0] = 0.04 * anchors, 0.04 * joints
    lower = joints[:, 1] < -0.1
    joint_dirs[lower, 1, 1] = 0.05 * joints[lower, 1]
    anchor_dirs[:, lower, 1, 1] = 0.05 * anchors[:, lower, 1]
    rig = PointRig(PARENTS, joints, joint_dirs, anchors, anchor_dirs, weights, descend(PARENTS))
    return BodyPoints(rig, normals, float(np.ptp(points[:, 1])))
