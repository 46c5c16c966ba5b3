"""How well the fit finds poses it has not seen.

    python benchmarks/fit_accuracy.py [POSES.npz] [--people 100]

Learns a prior from four fifths of the clips of POSES.npz (the library of scripts/make_pose_prior.py), poses people from
the other clips before random cameras and disturbs what a detector would see: 0.2 to 1 % of the height of noise on the
2D landmarks, arms and legs that are dropped, 3D landmarks that are wrong by 60 to 90 mm. Prints the errors of the
closed-form start, of the fit without the pose network's guess ("alone") and of the fit, in millimetres over the 24
joints: root-aligned (MPJPE) and after the best similarity (PA-MPJPE), and in per cent of the height on the true 2D
landmarks.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import make_pose_prior as prior_script  # noqa: E402

from munet.body.default import load_default_body  # noqa: E402
from munet.evaluation.body_metrics import mpjpe, pa_mpjpe  # noqa: E402
from munet.fitting.body_points import BodyPoints, make_body_points  # noqa: E402
from munet.fitting.fit import prepare, solve  # noqa: E402
from munet.fitting.prior import PosePrior  # noqa: E402
from munet.fitting.rig import TO_CAMERA, State, pose_points, pose_skeleton  # noqa: E402
from munet.fitting.so3 import exp_rotation  # noqa: E402
from munet.lifting.lift import guess_poses, load_lifter  # noqa: E402
from munet.perception.observation import PersonObservation  # noqa: E402

Array = NDArray[np.float64]

HELD_OUT = 5
POSES = ROOT / "munet" / "training" / "assets" / "poses.npz"
LIMBS = ((13, 15, 17, 19, 21), (14, 16, 18, 20, 22), (25, 27, 29, 31), (26, 28, 30, 32))


def learn_prior(pose: Array, clip: NDArray[np.int64]) -> PosePrior:
    """Learn a prior that has not seen every fifth clip."""
    known = clip % HELD_OUT != 0
    arrays = prior_script.make_prior(pose[known], clip[known])
    return PosePrior(*(arrays[key].astype(np.float64) for key in ("means", "whitening", "log_height")))


def true_person(random: np.random.Generator, body: BodyPoints, pose: Array, width: int) -> State:
    """Place a posed person before a random camera of 24 to 85 mm, up to 2.2 times the own height away."""
    yaw, pitch = random.uniform(-np.pi, np.pi), np.radians(random.normal(0, 6))
    rotations = exp_rotation(pose)
    camera = exp_rotation(np.array([pitch, 0, 0])) @ exp_rotation(np.array([0, yaw, 0]))
    rotations[0] = camera @ _without_yaw(rotations[0])
    focal = width * np.exp(random.uniform(np.log(24 / 36), np.log(85 / 36)))
    state = State(rotations, random.normal(size=10) * 0.7, np.zeros(3), float(np.log(focal)), np.zeros(2))
    points = pose_points(body.rig.subset(BodyPoints.LANDMARKS), state)
    middle, extent = (points.max(0) + points.min(0)) / 2, float(np.ptp(points[:, :2], axis=0).max())
    depth = max(focal * extent / (width * random.uniform(0.55, 0.85)), extent)
    return State(rotations, state.betas, np.array([0, 0, depth]) - middle, state.log_focal, state.tilt)


def _without_yaw(root: Array) -> Array:
    forward = root[:, 2]
    yaw = float(np.arctan2(forward[0], forward[2]))
    turned: Array = exp_rotation(np.array([0, -yaw, 0])) @ root
    return turned


def observe(random: np.random.Generator, body: BodyPoints, state: State, width: int) -> tuple[PersonObservation, Array]:
    """Return what a detector might report and the true pixels (33, 2)."""
    points = pose_points(body.rig.subset(BodyPoints.LANDMARKS), state)
    pixels = points[:, :2] / points[:, 2:] * state.focal + width / 2
    height = state.focal * body.height / points[:, 2].mean()
    noise = np.exp(random.uniform(np.log(0.002), np.log(0.01)))
    seen = pixels + random.normal(size=pixels.shape) * noise * height
    visibility = np.full(33, 0.95)
    world = points - points[[23, 24]].mean(0) + random.normal(size=(33, 3)) * [0.012, 0.012, 0.025]
    for limb in LIMBS:
        for start in range(2):
            world[list(limb[start:])] += random.normal(size=3) * [0.02, 0.02, 0.055]
        if random.random() < 0.08:
            visibility[list(limb)] = 0.1
            seen[list(limb)] += random.normal(size=2) * 0.1 * height
    world += (world[:, 1:2] * random.normal() * 0.08) * np.array([0.0, 0.0, 1.0])
    low, high = seen.min(0), seen.max(0)
    observation = PersonObservation(
        box=np.concatenate([low, high]).astype(np.float32),
        score=1.0,
        landmarks_image=seen.astype(np.float32),
        landmarks_world=world.astype(np.float32),
        visibility=visibility.astype(np.float32),
        mask=np.zeros((width, width), np.float32),
    )
    return observation, pixels


def joints_cam(body: BodyPoints, state: State) -> Array:
    """Return posed joints (24, 3) in metres, camera axes."""
    heads: Array = pose_skeleton(body.rig, state).heads * TO_CAMERA
    return heads


def errors(found: Array, truth: Array) -> tuple[float, float]:
    """PA-MPJPE and MPJPE in millimetres of joints in metres."""
    return pa_mpjpe(found, truth), mpjpe(found, truth, (0,))


def unseen_poses(poses: Path, people: int, random: np.random.Generator) -> tuple[PosePrior, Array]:
    """Return a prior, and poses (people, 24, 3) of clips that it has not seen; long clips are not favoured."""
    with np.load(poses) as stored:
        pose, clip = stored["pose"].astype(np.float64), stored["clip"].astype(np.int64)
    unseen = np.flatnonzero(clip % HELD_OUT == 0)
    chances = 1 / np.sqrt(np.bincount(clip)[clip[unseen]])
    chosen = random.choice(unseen, people, replace=False, p=chances / chances.sum())
    return learn_prior(pose, clip), pose[chosen]


def empty_photo(width: int) -> Any:  # noqa: ANN401 stands for a photo of which only size and focal length are read
    """Return a black square without a known focal length."""
    return SimpleNamespace(image=np.zeros((width, width, 3), np.uint8), focal=None)


def measure(people: int, seed: int, poses: Path) -> dict[str, Any]:
    """Return the errors (people, 3) of the start and of the fits, and seconds a person."""
    random, width = np.random.default_rng(seed), 800
    prior, chosen = unseen_poses(poses, people, random)
    body, photo = make_body_points(load_default_body()), empty_photo(width)
    rows: dict[str, list[tuple[float, float, float]]] = {"detector": [], "start": [], "alone": [], "fit": []}
    seconds, net = 0.0, load_lifter()
    for pose in chosen:
        truth = true_person(random, body, pose, width)
        observation, pixels = observe(random, body, truth, width)
        began = time.perf_counter()
        objective, led = prepare(body, observation, photo, prior, guess_poses(net, observation, photo))
        fitted = solve(objective, led, 20)
        seconds += time.perf_counter() - began
        unled, start = prepare(body, observation, photo, prior)
        alone = solve(unled, start, 20)
        right = joints_cam(body, truth)
        marks = pose_points(body.rig.subset(BodyPoints.LANDMARKS), truth)
        measured = observation.landmarks_world - marks + marks[[23, 24]].mean(0)
        rows["detector"].append((0.0, 1000 * float(np.linalg.norm(measured, axis=1).mean()), 0.0))
        for name, state in (("start", start), ("alone", alone), ("fit", fitted)):
            found = joints_cam(body, state)
            points = pose_points(body.rig.subset(BodyPoints.LANDMARKS), state)
            placed = points[:, :2] / points[:, 2:] * state.focal + width / 2
            error = float(np.linalg.norm(placed - pixels, axis=1).mean() / objective.evidence.height)
            rows[name].append((*errors(found, right), 100 * error))
    return {**{key: np.array(value) for key, value in rows.items()}, "seconds": seconds / people}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("poses", type=Path, nargs="?", default=POSES)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(arguments.people, arguments.seed, arguments.poses)
    print(f"3D landmarks given: {result['detector'][:, 1].mean():.0f} mm; {result['seconds']:.3f} s a person")
    print("        PA-MPJPE mm (median)   MPJPE mm (median)   2D %")
    for name in ("start", "alone", "fit"):
        mean, median = result[name].mean(0), np.median(result[name], 0)
        print(f"{name:6} {mean[0]:8.1f} ({median[0]:.1f}) {mean[1]:14.1f} ({median[1]:.1f}) {mean[2]:12.2f}")


if __name__ == "__main__":
    main()
