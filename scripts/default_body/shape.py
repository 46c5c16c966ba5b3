"""The shape space: principal components of random adults in the T-pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShapeSpace:
    """Mean and directions per unit of beta; unit variance of beta over the training people.

    Attributes:
        mean: (V, 3) metres.
        dirs: (V, 3, K) metres per unit.
    """

    mean: Array
    dirs: Array

    def encode(self, vertices: Array) -> Array:
        """Betas (N, K) of people (N, V, 3) in the least-squares sense."""
        flat = self.dirs.reshape(-1, self.dirs.shape[-1])
        return (vertices - self.mean).reshape(len(vertices), -1) @ flat @ np.linalg.inv(flat.T @ flat)

    def decode(self, betas: Array) -> Array:
        """People (N, V, 3) from betas (N, K)."""
        return self.mean + np.einsum("vkn,bn->bvk", self.dirs, betas)


def fit_shape_space(vertices: Array, count: int, faces: NDArray[np.int64]) -> ShapeSpace:
    """PCA of people (N, V, 3); signs: more of each beta makes the body larger (taller, then of more volume)."""
    mean = vertices.mean(0, dtype=np.float64)
    centred = (vertices - mean).reshape(len(vertices), -1)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    order = np.argsort(-values)[:count]
    dirs = (centred.T @ vectors[:, order]) / np.sqrt(len(vertices))
    dirs = dirs.reshape(*mean.shape, count)
    return ShapeSpace(mean, dirs * _signs(mean, dirs, faces))


def _signs(mean: Array, dirs: Array, faces: NDArray[np.int64]) -> Array:
    height = (dirs[:, 1] * (mean[:, 1] - mean[:, 1].mean())[:, None]).sum(0)
    growth = [_volume(mean + dirs[..., k], faces) - _volume(mean - dirs[..., k], faces) for k in range(dirs.shape[-1])]
    return np.where(np.arange(dirs.shape[-1]) == 0, np.sign(height), np.sign(growth))


def _volume(vertices: Array, faces: NDArray[np.int64]) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def report_errors(space: ShapeSpace, unseen: Array) -> None:
    """Print the reconstruction error of people who took no part in the shape space."""
    error = np.linalg.norm(space.decode(space.encode(unseen)) - unseen, axis=-1) * 1000
    stature = np.ptp(unseen[..., 1], axis=1)
    print(f"stature {stature.mean():.3f} m, standard deviation {stature.std():.3f} m")
    print(
        f"shape space, {space.dirs.shape[-1]} betas, {len(unseen)} unseen adults: mean {error.mean():.2f} mm, "
        f"99 % {np.percentile(error, 99):.2f} mm, max {error.max():.1f} mm"
    )


def linear_map(betas: Array, points: Array) -> tuple[Array, Array, float]:
    """Points (N, P, 3) as a linear function of betas: template (P, 3), dirs (P, 3, K), mean error in metres."""
    design = np.concatenate([np.ones((len(betas), 1)), betas], 1)
    solution = np.linalg.lstsq(design, points.reshape(len(points), -1), rcond=None)[0]
    error = np.linalg.norm((design @ solution).reshape(points.shape) - points, axis=-1).mean()
    template = solution[0].reshape(points.shape[1:])
    dirs = solution[1:].T.reshape(*points.shape[1:], betas.shape[1])
    return template, dirs, float(error)
