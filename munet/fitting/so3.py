"""Rotations in NumPy for the fit: exponential, logarithm and the Jacobian between them (Sola et al., 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cross_matrix(vector: Array) -> Array:
    """Return the cross-product matrices (..., 3, 3) of ``vector`` (..., 3)."""
    out = np.zeros((*vector.shape, 3))
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -z, y, -x
    out[..., 1, 0], out[..., 2, 0], out[..., 2, 1] = z, -y, x
    return out


def exp_rotation(axis_angle: Array) -> Array:
    """Axis-angle (..., 3) in radians to matrices (..., 3, 3)."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    cross = cross_matrix(axis_angle)
    safe = np.maximum(angle, 1e-8)
    sine = np.where(angle < 1e-8, 1.0, np.sin(safe) / safe)
    cosine = np.where(angle < 1e-4, 0.5 - angle**2 / 24, (1 - np.cos(safe)) / safe**2)
    result: Array = np.eye(3) + sine * cross + cosine * (cross @ cross)
    return result


def log_rotation(matrix: Array) -> Array:
    """Matrices (..., 3, 3) to axis-angle (..., 3) with an angle in [0, pi]."""
    trace = np.trace(matrix, axis1=-2, axis2=-1)[..., None]
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    antisymmetric = np.stack(
        [
            matrix[..., 2, 1] - matrix[..., 1, 2],
            matrix[..., 0, 2] - matrix[..., 2, 0],
            matrix[..., 1, 0] - matrix[..., 0, 1],
        ],
        -1,
    )
    candidates = np.concatenate([_vector_candidates(matrix, diagonal, antisymmetric, trace)], -2)
    best = np.argmax(np.concatenate([trace, diagonal], -1), -1)
    quaternion = np.take_along_axis(candidates, best[..., None, None], -2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    length = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(length, quaternion[..., :1])
    factor = np.where(length < 1e-9, 2.0, angle / np.maximum(length, 1e-12))
    result: Array = quaternion[..., 1:] * factor
    return result


def _vector_candidates(m: Array, diagonal: Array, antisymmetric: Array, trace: Array) -> Array:
    """Return four unnormalised quaternions (..., 4, 4), w first; the one of the largest diagonal is exact."""
    a, b, c = (antisymmetric[..., i : i + 1] for i in range(3))
    d = (m[..., 0, 1] + m[..., 1, 0])[..., None]
    e = (m[..., 0, 2] + m[..., 2, 0])[..., None]
    f = (m[..., 1, 2] + m[..., 2, 1])[..., None]
    own = 1 - trace + 2 * diagonal
    rows = [
        np.concatenate([1 + trace, a, b, c], -1),
        np.concatenate([a, own[..., 0:1], d, e], -1),
        np.concatenate([b, d, own[..., 1:2], f], -1),
        np.concatenate([c, e, f, own[..., 2:3]], -1),
    ]
    return np.stack(rows, -2)


def log_jacobian(axis_angle: Array) -> Array:
    """Inverse right Jacobian (..., 3, 3): how log(R exp(d)) changes with d at R = exp(``axis_angle``)."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    cross = cross_matrix(axis_angle)
    safe = np.clip(angle, 1e-4, np.pi - 1e-3)
    exact = 1 / safe**2 - (1 + np.cos(safe)) / (2 * safe * np.sin(safe))
    factor = np.where(angle < 1e-3, 1 / 12, exact)
    result: Array = np.eye(3) + 0.5 * cross + factor * (cross @ cross)
    return result


def rotation_between(source: Array, target: Array) -> Array:
    """Smallest rotation (3, 3) that turns direction ``source`` (3,) onto ``target`` (3,)."""
    a = source / np.linalg.norm(source)
    b = target / np.linalg.norm(target)
    axis = np.cross(a, b)
    sine, cosine = float(np.linalg.norm(axis)), float(a @ b)
    if sine < 1e-9:
        helper = np.array([1.0, 0, 0]) if abs(a[0]) < 0.9 else np.array([0, 1.0, 0])
        axis, sine_safe = np.cross(a, helper), float(np.linalg.norm(np.cross(a, helper)))
        return exp_rotation(axis / sine_safe * (0.0 if cosine > 0 else np.pi))
    return exp_rotation(axis / sine * np.arctan2(sine, cosine))


def rotation_aligning(source: Array, target: Array, weights: Array | None = None) -> Array:
    """Rotation (3, 3) that best turns directions ``source`` (N, 3) onto ``target`` (N, 3) (Kabsch 1976)."""
    scale = np.ones(len(source)) if weights is None else weights
    u, _, vt = np.linalg.svd((target * scale[:, None]).T @ source)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    result: Array = u @ flip @ vt
    return result
