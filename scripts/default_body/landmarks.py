"""Where BlazePose sees its 33 landmarks on the body, as sparse non-negative averages of vertices.

Definitions: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020, and the landmark list of its
model card: eye corners, ears at the tragus, mouth corners, first knuckles of little and index finger, second knuckle
of the thumb, heels and the tips of the feet. Its shoulders lie higher and its hips nearer together and lower than
the joints about which a body turns, as in COCO's annotations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from default_body.skeleton import JOINT_NAMES
from munet.perception.observation import LANDMARK_NAMES

Array = NDArray[np.float64]
SUPPORT = 28


@dataclass(frozen=True)
class Subjects:
    """People from whom the landmark regressor is learnt, T-pose, left half meant.

    Attributes:
        vertices: (N, V, 3) metres.
        joints: (N, 54, 3) metres.
        mean: (V, 3) metres.
        parts: (V,) 0 skin, 1 left eye, 2 right eye.
        keypoints: (K, V) Anny's COCO regressor.
        keypoint_names: names of its rows.
    """

    vertices: Array
    joints: Array
    mean: Array
    parts: NDArray[np.int8]
    keypoints: Array
    keypoint_names: tuple[str, ...]


def _surface_patch(subjects: Subjects, point: Array, count: int) -> Array:
    distance = np.where(subjects.parts == 0, np.linalg.norm(subjects.mean - point, axis=1), np.inf)
    near = np.argsort(distance)[:count]
    row = np.zeros(len(subjects.mean))
    row[near] = np.exp(-((distance[near] / (distance[near].mean() + 1e-9)) ** 2))
    return row / row.sum()


def _spread(directions: Array, count: int) -> NDArray[np.int64]:
    """Farthest-point choice of directions, so that the support surrounds the point."""
    chosen = [0]
    best = directions @ directions[0]
    while len(chosen) < min(count, len(directions)):
        chosen.append(int(best.argmin()))
        best = np.maximum(best, directions @ directions[chosen[-1]])
    return np.array(chosen)


def _enclosing(subjects: Subjects, targets: Array, radius: float) -> Array:
    """Weights of skin vertices around an inner point (N, 3) of every person whose mean is that point."""
    from scipy.optimize import nnls

    centre = targets.mean(0)
    offset = subjects.mean - centre
    distance = np.where(subjects.parts == 0, np.linalg.norm(offset, axis=1), np.inf)
    near = np.nonzero(distance < radius)[0]
    near = near[np.argsort(distance[near])]
    chosen = near[_spread(offset[near] / distance[near, None], SUPPORT)]
    people = subjects.vertices[:, chosen].astype(np.float64)
    system = (people - targets[:, None]).transpose(0, 2, 1).reshape(-1, len(chosen)) * 10
    ridge = 0.6 * np.sqrt(len(targets))
    system = np.concatenate([system, 1e3 * np.ones((1, len(chosen))), ridge * 0.1 * np.eye(len(chosen))])
    goal = np.concatenate([np.zeros(3 * len(targets)), [1e3], np.full(len(chosen), ridge * 0.1 / len(chosen))])
    solution, _ = nnls(system, goal)
    row = np.zeros(len(subjects.mean))
    row[chosen] = solution / solution.sum()
    return row


def _inner_targets(s: Subjects) -> dict[str, tuple[Array, float]]:
    """Inner points (N, 3) of the left side and the radius within which skin may support them."""
    j = {name: s.joints[:, i] for i, name in enumerate(JOINT_NAMES)}
    coco = {name: np.einsum("v,nvk->nk", s.keypoints[i], s.vertices) for i, name in enumerate(s.keypoint_names)}
    stature = (s.vertices[..., 1].max(1) - s.vertices[..., 1].min(1))[:, None]
    shoulder = j["left_shoulder"] + stature * np.array([-0.006, 0.013, 0])
    return {
        "left_shoulder": (shoulder, 0.14),
        "left_elbow": (j["left_elbow"], 0.09),
        "left_wrist": (j["left_wrist"], 0.06),
        "left_pinky": (0.85 * j["left_pinky1"] + 0.15 * j["left_pinky2"], 0.03),
        "left_index": (0.85 * j["left_index1"] + 0.15 * j["left_index2"], 0.03),
        "left_thumb": (0.5 * j["left_thumb2"] + 0.5 * j["left_thumb3"], 0.03),
        "left_hip": (coco["left_hip"], 0.2),
        "left_knee": (0.5 * coco["left_knee"] + 0.5 * j["left_knee"], 0.11),
        "left_ankle": (j["left_ankle"], 0.08),
    }


def _surface_points(s: Subjects, head: NDArray[np.bool_]) -> dict[str, Array]:
    """Points on the skin of the mean body, left side and nose."""
    eye = s.mean[s.parts == 1]
    centre, radius = eye.mean(0), float(np.ptp(eye[:, 0]) / 2)
    front = centre + radius * np.array([0, 0, 1.0])
    midline = head & (np.abs(s.mean[:, 0]) < 0.012) & (s.parts == 0)
    nose = s.mean[np.nonzero(midline)[0][s.mean[midline, 2].argmax()]]
    coco = {name: s.keypoints[i] @ s.mean for i, name in enumerate(s.keypoint_names)}
    toes = s.mean[(s.mean[:, 0] > 0) & (s.mean[:, 1] < s.mean[:, 1].min() + 0.05)]
    heel = toes[toes[:, 2].argmin()]
    return {
        "nose": nose,
        "left_eye": front,
        "left_eye_inner": front + radius * np.array([-1.15, -0.1, -0.35]),
        "left_eye_outer": front + radius * np.array([1.15, 0.1, -0.75]),
        "left_ear": coco["left_ear"],
        "mouth_left": nose + np.array([0.0235, -0.0335, -0.03]),
        "left_heel": 0.5 * heel + 0.5 * coco["left_heel"],
        "left_foot_index": 0.6 * coco["left_big_toe"] + 0.4 * toes[toes[:, 2].argmax()],
    }


def landmark_regressor(s: Subjects, head: NDArray[np.bool_], partner: NDArray[np.int64]) -> Array:
    """The dense (33, V) regressor, mirror-symmetric; ``head`` (V,) marks vertices of the head."""
    rows: dict[str, Array] = {}
    for name, point in _surface_points(s, head).items():
        rows[name] = _surface_patch(s, point, 6)
    rows["left_eye"] = np.where(s.parts == 1, np.maximum(s.mean[:, 2] - s.mean[s.parts == 1, 2].max() + 0.004, 0), 0)
    rows["left_eye"] /= rows["left_eye"].sum()
    for name, (targets, radius) in _inner_targets(s).items():
        rows[name] = _enclosing(s, targets, radius)
    rows["nose"] = (rows["nose"] + rows["nose"][partner]) / 2
    for name in list(rows):
        if "left" in name:
            rows[name.replace("left", "right")] = rows[name][partner]
    return np.stack([rows[name] for name in LANDMARK_NAMES])
