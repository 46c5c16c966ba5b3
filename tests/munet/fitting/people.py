"""People who are posed, photographed by a pinhole camera and handed to the fit, without rendering."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from munet.fitting.body_points import BodyPoints
from munet.fitting.prior import load_pose_prior
from munet.fitting.rig import JOINTS, MOVED, TO_CAMERA, State, pose_points, pose_skeleton
from munet.fitting.so3 import exp_rotation
from munet.fitting.start import within_limits
from munet.perception.observation import PersonObservation, Photo

WIDTH, HEIGHT = 600, 800
FOCAL = 1000.0


@dataclass(frozen=True)
class Sitter:
    """A person whose pose is known."""

    state: State
    observation: PersonObservation
    photo: Photo


def likely_rotations(random: np.random.Generator, spread: float = 0.5) -> np.ndarray:
    """Sample local rotations from the pose prior."""
    prior = load_pose_prior()
    shares = np.exp(prior.log_height - np.log(np.diagonal(prior.whitening, axis1=1, axis2=2)).sum(1))
    component = random.choice(len(shares), p=shares / shares.sum())
    white = random.normal(size=len(prior.means[0])) * spread
    features = prior.means[component] + np.linalg.solve(prior.whitening[component], white)
    rotations = np.tile(np.eye(3), (JOINTS, 1, 1))
    rotations[1:MOVED] = exp_rotation(features[:-2].reshape(-1, 3))
    rotations[0] = exp_rotation(np.array([0.0, random.uniform(-1, 1), 0.0]))
    return within_limits(rotations)


def photograph(
    body: BodyPoints,
    rotations: np.ndarray,
    random: np.random.Generator,
    noise: float = 0.005,
    depth_noise: float = 0.03,
) -> Sitter:
    """Place somebody before the camera and add noise; ``noise`` is a share of the height, depths are in metres."""
    state = State(rotations, np.zeros(10), np.zeros(3), float(np.log(FOCAL)), np.zeros(2))
    marks = body.rig.subset(BodyPoints.LANDMARKS)
    points = pose_points(marks, state)
    distance = FOCAL * body.height / (0.8 * HEIGHT)
    state = replace(state, translation=np.array([0, 0, distance]) - (points.max(0) + points.min(0)) / 2)
    points = pose_points(marks, state)
    pixels = points[:, :2] / points[:, 2:] * FOCAL + [WIDTH / 2, HEIGHT / 2]
    tall = FOCAL * body.height / distance
    world = points - points[[23, 24]].mean(0) + random.normal(size=(33, 3)) * [0.01, 0.01, depth_noise]
    seen = pixels + random.normal(size=(33, 2)) * noise * tall
    observation = PersonObservation(
        box=np.concatenate([pixels.min(0), pixels.max(0)]).astype(np.float32),
        score=0.9,
        landmarks_image=seen.astype(np.float32),
        landmarks_world=world.astype(np.float32),
        visibility=np.full(33, 0.95, np.float32),
        mask=np.zeros((HEIGHT, WIDTH), np.float32),
    )
    photo = Photo(np.zeros((HEIGHT, WIDTH, 3), np.uint8), (WIDTH, HEIGHT), 1.0, FOCAL, "made.png", "0" * 64)
    return Sitter(state, observation, photo)


def joints_cam(body: BodyPoints, state: State) -> np.ndarray:
    """Posed joints (24, 3) in metres, camera frame."""
    return pose_skeleton(body.rig, state).heads * TO_CAMERA + state.translation


def pa_mpjpe(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance in metres after the best similarity."""
    a, b = found - found.mean(0), truth - truth.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diagonal(flip)).sum() / (a**2).sum()
    return float(np.linalg.norm(scale * a @ (u @ flip @ vt).T - b, axis=1).mean())
