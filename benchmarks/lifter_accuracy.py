"""What the learned pose start is worth, on the people of benchmarks/fit_accuracy.py.

    python benchmarks/lifter_accuracy.py [POSES.npz] [--people 100] [--weights FILE]

The people, their noise and the prior are those of benchmarks/fit_accuracy.py: poses of every fifth clip, which neither
the prior nor the network has seen. Prints the errors in millimetres over the 24 joints, root-aligned (MPJPE) and after
the best similarity (PA-MPJPE): of the closed-form start, of the network's surest and best hypothesis, of the fit from
the closed form, from the surest hypothesis, from whichever of all starts the fit's own cost prefers, and with the
network's depths blended with the detector's. "mean of both" are the joints halfway between the surest hypothesis and
the fit: no body, but a hint at what a fit that listens to the network may reach.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import fit_accuracy as bench
import numpy as np
import torch
from numpy.typing import NDArray

from munet.body.default import load_default_body
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.fit import prepare, solve
from munet.fitting.hypotheses import hidden_cost, try_flips
from munet.fitting.objective import Objective
from munet.fitting.rig import State
from munet.fitting.solver import minimise
from munet.lifting.blend import blend_depths
from munet.lifting.lift import lift_pose, read_lifter
from munet.lifting.network import LifterNet
from munet.lifting.start import start_from
from munet.perception.observation import PersonObservation, Photo

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[1]
POSES = ROOT / "munet" / "training" / "assets" / "poses.npz"
WEIGHTS = ROOT / "munet" / "assets" / "lifter.safetensors"
STEPS = 20
WIDTH = 800


def cheapest(objective: Objective, starts: list[State]) -> State:
    """Fit from every start without the mask and go on from the cheapest."""
    tried = []
    for start in starts:
        state, _ = minimise(start, objective.forgiving(), STEPS // 2)
        state, cost = minimise(state, objective, STEPS)
        tried.append((cost + hidden_cost(objective, state), len(tried), cost, state))
    _, _, cost, state = min(tried)
    state, _ = try_flips(objective, state, cost, objective.evidence)
    return minimise(state, objective, STEPS)[0]


def guessed_joints(body: BodyPoints, start: State, rotations: Array, betas: Array) -> Array:
    """Joints (24, 3) in metres of a guess as it is, before the fit's limits and rests."""
    return bench.joints_cam(body, replace(start, rotations=rotations, betas=betas))


def person(
    body: BodyPoints, net: LifterNet, prepared: tuple[Objective, State], seen: PersonObservation, photo: Photo
) -> dict[str, Any]:
    """Return the joints (24, 3) that every method finds and the seconds of the learned parts."""
    objective, start = prepared
    began = time.perf_counter()
    guesses = lift_pose(net, seen, photo)
    lifted = time.perf_counter() - began
    starts = [start_from(guess, objective) for guess in guesses]
    quick = objective.without_mask()
    alone = [guessed_joints(body, start, guess.rotations, guess.betas) for guess in guesses]
    began = time.perf_counter()
    chosen = bench.joints_cam(body, cheapest(quick, [start, *starts]))
    fitted = bench.joints_cam(body, solve(objective, start, STEPS))
    return {
        "start": bench.joints_cam(body, start),
        "lifter": alone[0],
        "lifter, best": alone,
        "fit": fitted,
        "mean of both": (fitted - fitted[0] + alone[0] - alone[0][0]) / 2,
        "fit, lifter": bench.joints_cam(body, solve(objective, starts[0], STEPS)),
        "fit, cheapest": chosen,
        "fit, blended": bench.joints_cam(body, solve(*blend_depths(objective, guesses), STEPS)),
        "seconds": (lifted, time.perf_counter() - began),
    }


def errors(found: Array | list[Array], truth: Array) -> tuple[float, float]:
    """PA-MPJPE and MPJPE in millimetres; of several findings the one with the smallest PA-MPJPE."""
    candidates = found if isinstance(found, list) else [found]
    return min(bench.errors(points, truth) for points in candidates)


def measure(people: int, seed: int, poses: Path, net: LifterNet) -> tuple[dict[str, Array], Array]:
    """Return the errors (people, 2) of every method, and the seconds (people, 2) of network and choosing fit."""
    random = np.random.default_rng(seed)
    prior, chosen = bench.unseen_poses(poses, people, random)
    body, photo = make_body_points(load_default_body()), bench.empty_photo(WIDTH)
    rows: dict[str, list[tuple[float, float]]] = {}
    seconds = []
    for pose in chosen:
        truth = bench.true_person(random, body, pose, WIDTH)
        observation, _ = bench.observe(random, body, truth, WIDTH)
        found = person(body, net, prepare(body, observation, photo, prior), observation, photo)
        seconds.append(found.pop("seconds"))
        for name, joints in found.items():
            rows.setdefault(name, []).append(errors(joints, bench.joints_cam(body, truth)))
    return {name: np.array(values) for name, values in rows.items()}, np.array(seconds)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("poses", type=Path, nargs="?", default=POSES)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table, seconds = measure(arguments.people, arguments.seed, arguments.poses, read_lifter(arguments.weights))
    print(f"network {1000 * seconds[:, 0].mean():.1f} ms, fit from all starts {seconds[:, 1].mean():.2f} s a person")
    print(f"{'':14}PA-MPJPE mm (median)   MPJPE mm (median)")
    for name, values in table.items():
        mean, median = values.mean(0), np.median(values, 0)
        print(f"{name:14}{mean[0]:8.1f} ({median[0]:.1f}) {mean[1]:14.1f} ({median[1]:.1f})")


if __name__ == "__main__":
    main()
