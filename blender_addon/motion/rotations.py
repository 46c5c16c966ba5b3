"""Rotations as arrays: quaternions (w, x, y, z), interpolation, swings and twists. No bpy."""

from __future__ import annotations

import numpy as np

from ..importer.frames import Floats


def quaternions(matrices: Floats) -> Floats:
    """Turn rotation matrices (..., 3, 3) into unit quaternions (..., 4).

    The eigenvector of the largest eigenvalue of Bar-Itzhack's matrix (2000, version 3) is exact for rotations and the
    nearest rotation for matrices that are only almost one.
    """
    m = np.asarray(matrices, dtype=np.float64)
    k = np.zeros((*m.shape[:-2], 4, 4))
    trace = np.trace(m, axis1=-2, axis2=-1)
    k[..., 0, 0] = trace
    k[..., 1:, 1:] = m + np.swapaxes(m, -1, -2) - trace[..., None, None] * np.eye(3)
    axis = np.stack([m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]], axis=-1)
    k[..., 0, 1:] = axis
    k[..., 1:, 0] = axis
    return np.linalg.eigh(k)[1][..., -1]


def matrices(quaternion: Floats) -> Floats:
    """Turn unit quaternions (..., 4) into rotation matrices (..., 3, 3)."""
    w, x, y, z = np.moveaxis(np.asarray(quaternion, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def continuous(quaternion: Floats) -> Floats:
    """Choose the signs of quaternions (F, ..., 4) so that each frame is nearest to the one before; w >= 0 at first."""
    signs = np.ones(quaternion.shape[:-1])
    signs[0] = np.where(quaternion[0, ..., 0] < 0, -1.0, 1.0)
    if len(quaternion) > 1:
        flips = np.where((quaternion[1:] * quaternion[:-1]).sum(-1) < 0, -1.0, 1.0)
        signs[1:] = signs[0] * np.cumprod(flips, axis=0)
    return quaternion * signs[..., None]


def slerp(first: Floats, second: Floats, share: Floats) -> Floats:
    """Interpolate between quaternions (..., 4) along the shorter arc; ``share`` (...) is 0 at ``first``."""
    cosine = (first * second).sum(-1, keepdims=True)
    second = np.where(cosine < 0, -second, second)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine = np.maximum(np.sin(angle), 1e-9)
    share = np.broadcast_to(np.asarray(share, dtype=np.float64)[..., None], cosine.shape)
    near = angle < 1e-4
    left = np.where(near, 1.0 - share, np.sin((1.0 - share) * angle) / sine)
    right = np.where(near, share, np.sin(share * angle) / sine)
    mixed = left * first + right * second
    result: Floats = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
    return result


def swing(first: Floats, second: Floats) -> Floats:
    """Return the smallest rotation (3, 3) that carries the direction ``first`` (3,) onto ``second`` (3,)."""
    a, b = first / np.linalg.norm(first), second / np.linalg.norm(second)
    half = a + b
    length = float(half @ half)
    if length < 1e-9:
        axis = np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])
        axis /= np.linalg.norm(axis)
        return 2.0 * np.outer(axis, axis) - np.eye(3)
    mirror = 2.0 * np.outer(half, half) / length - np.eye(3)
    return mirror @ (2.0 * np.outer(a, a) - np.eye(3))


def twist(quaternion: Floats, axis: Floats) -> Floats:
    """Return the part of quaternions (..., 4) that turns about the unit vector ``axis`` (3,), as quaternions."""
    along = quaternion[..., 1:] @ axis
    found = np.concatenate([quaternion[..., :1], along[..., None] * axis], axis=-1)
    length = np.linalg.norm(found, axis=-1, keepdims=True)
    return np.where(length > 1e-9, found / np.maximum(length, 1e-9), np.array([1.0, 0.0, 0.0, 0.0]))
