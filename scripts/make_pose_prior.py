"""Learn the pose prior of the fit from a library of natural poses.

    python scripts/make_pose_prior.py POSES.npz

POSES.npz holds ``pose`` (N, 24, 3), axis-angle in SMPL's convention with y up, ``clip`` (N,), each frame's clip, and
``clip_names``. Clips that are held out for validation and test are left out (munet/training/assets).
Writes munet/assets/pose_prior.npz: a mixture of Gaussians over the 21 body joints (axis-angle) and the direction up in
the frame of the pelvis (x and z), which says how upright a pose is and nothing about its yaw.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from munet.fitting.so3 import exp_rotation, log_rotation  # noqa: E402
from munet.training.data.splits import read_held_out  # noqa: E402

Array = NDArray[np.float64]

OUTPUT = ROOT / "munet" / "assets" / "pose_prior.npz"
MIRROR = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]
SLACK = 0.1
COLLAR_SLACK = 0.14
COLLARS = (13, 14)
CREDIT = (
    "Learnt from motion of mocap.cs.cmu.edu (created with funding from NSF EIA-0196217) and from CC0 poses of "
    "Mesh2Motion and MakeHuman. The CMU motion may be used freely, also in commercial products, but not resold."
)


def features(pose: Array) -> Array:
    """Return (N, 65): axis-angle of joints 1 to 21 and the direction up in the pelvis frame (x, z)."""
    matrices = exp_rotation(pose)
    up_pelvis = matrices[:, 0, 1, :]
    vectors = log_rotation(matrices[:, 1:22]).reshape(len(pose), 63)
    return np.concatenate([vectors, up_pelvis[:, [0, 2]]], 1)


def mirrored(pose: Array) -> Array:
    """Return the poses seen in a mirror (left and right exchanged)."""
    return pose[:, MIRROR] * np.array([1.0, -1.0, -1.0])


def clip_weights(clip: NDArray[np.int64]) -> Array:
    """Weigh every clip by the square root of its length, so that long clips do not drown the others."""
    weights = 1 / np.sqrt(np.bincount(clip)[clip])
    return weights / weights.sum()


def log_densities(data: Array, means: Array, covariances: Array, shares: Array) -> Array:
    """Return (N, K) log densities of every component, weighted by its share."""
    out = np.empty((len(data), len(means)))
    for k, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        lower = np.linalg.cholesky(covariance)
        white = np.linalg.solve(lower, (data - mean).T)
        out[:, k] = np.log(shares[k]) - 0.5 * (white**2).sum(0) - np.log(np.diagonal(lower)).sum()
    return out


def slack() -> Array:
    """Return the variance (65,) added everywhere: the library is small and has stiff collars."""
    deviation = np.full(65, SLACK)
    for joint in COLLARS:
        deviation[3 * (joint - 1) : 3 * joint] = COLLAR_SLACK
    return deviation**2


def learn(data: Array, weights: Array, components: int, rounds: int, seed: int) -> tuple[Array, Array, Array]:
    """Fit a mixture by expectation maximisation; returns means, covariances and shares."""
    random = np.random.default_rng(seed)
    means = data[random.choice(len(data), components, replace=False, p=weights)]
    overall = np.cov(data.T, aweights=weights) + np.diag(slack())
    covariances, shares = np.stack([overall] * components), np.full(components, 1 / components)
    for _ in range(rounds):
        logs = log_densities(data, means, covariances, shares)
        logs -= logs.max(1, keepdims=True)
        belongs = np.exp(logs)
        belongs *= (weights / belongs.sum(1))[:, None]
        shares = belongs.sum(0)
        means = (belongs.T @ data) / shares[:, None]
        for k in range(components):
            centred = data - means[k]
            covariances[k] = (centred * belongs[:, k : k + 1]).T @ centred / shares[k] + np.diag(slack())
    return means, covariances, shares


def make_prior(
    pose: Array, clip: NDArray[np.int64], components: int = 7, rounds: int = 30, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of the prior: a learnt mixture and, with a share of a tenth, one broad component.

    Args:
        pose: (N, 24, 3) axis-angle.
        clip: (N,) clip of each frame.
        components: of the mixture.
        rounds: of expectation maximisation.
        seed: of the first means.
    """
    data = np.concatenate([features(pose), features(mirrored(pose))])
    weights = np.tile(clip_weights(clip), 2) / 2
    means, covariances, shares = learn(data, weights, components, rounds, seed)
    broad = np.cov(data.T, aweights=weights) + np.diag(slack())
    means = np.concatenate([means, (weights @ data)[None]])
    covariances = np.concatenate([covariances, broad[None]])
    shares = np.concatenate([shares * 0.9, [0.1]])
    whitening = np.linalg.cholesky(np.linalg.inv(covariances)).transpose(0, 2, 1)
    heights = np.log(shares) + np.log(np.diagonal(whitening, axis1=1, axis2=2)).sum(1)
    return {
        "means": means.astype(np.float32),
        "whitening": whitening.astype(np.float32),
        "log_height": heights.astype(np.float32),
    }


def main() -> None:
    """Learn the prior and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("poses", type=Path)
    parser.add_argument("--components", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with np.load(arguments.poses) as stored:
        pose, clip = stored["pose"].astype(np.float64), stored["clip"].astype(np.int64)
        names = tuple(str(name) for name in stored["clip_names"])
    held = read_held_out()
    known = ~np.isin(clip, held.clips_of("val", names) + held.clips_of("test", names))
    pose, clip = pose[known], clip[known]
    arrays = make_prior(pose, clip, arguments.components, arguments.rounds, arguments.seed)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUTPUT, **arrays, credit=np.array(CREDIT))
    print(f"{OUTPUT.name}: {len(arrays['means'])} components from {len(pose)} frames of {len(np.unique(clip))} clips")


if __name__ == "__main__":
    main()
