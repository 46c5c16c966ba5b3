"""Smoothing of whole clips, forwards and backwards alike, so that nothing lags behind.

Each value is replaced by that of a curve fitted to its neighbours (locally weighted regression, Cleveland 1979, with a
parabola and Gaussian weights); outliers are weighed down. Rotations are treated in the tangent space at each frame, so
that no choice of axes or signs matters. Frames of weight 0 are filled from their neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.fitting.so3 import exp_rotation, log_rotation

Array = NDArray[np.float64]

_REACH = 3.0
"""Half of the window in standard deviations of the weights."""
_ROUNDS = 4
_OUTLIER = 3.0
"""Distance from the curve, in typical distances, at which a frame's weight has dropped to a quarter."""
_RIDGE = 1e-3
"""Pull of slope and curvature to zero, so that a gap at an end does not run away."""
_CALM, _QUICK = 2.0, 0.6
"""Windows of joints at rest and of very fast ones, as shares of the usual one."""
_FAST = 3.0
"""Radians a second at which a joint gets as much of the one as of the other."""


def smooth_vectors(values: Array, weights: Array, sigma: float, *, floor: float = 1e-3) -> Array:
    """Smooth curves.

    Args:
        values: (T, N, D); what has weight 0 is not looked at.
        weights: (T, N) trust in each value.
        sigma: standard deviation of the window in frames; 0 changes nothing.
        floor: distance from the curve below which nothing counts as an outlier, in the units of the values.

    Returns:
        (T, N, D).
    """
    window = _window(len(values), sigma)
    if window is None:
        return np.array(values, dtype=np.float64)
    index, times, gauss = window
    neighbours, trust = values[index], weights[index] * gauss[..., None]
    robust = np.ones_like(trust)
    result = np.array(values, dtype=np.float64)
    for _ in range(_ROUNDS):
        result = _curve_value(times, trust * robust, neighbours, sigma)
        robust = _falloff(values - result, weights, floor)[index]
    return result


def smooth_rotations(rotations: Array, weights: Array, sigma: float, *, floor: float = 0.02) -> Array:
    """Smooth rotations (T, N, 3, 3), each of which is trusted by ``weights`` (T, N); as :func:`smooth_vectors`.

    ``floor`` is in radians.
    """
    window = _window(len(rotations), sigma)
    if window is None:
        return np.array(rotations, dtype=np.float64)
    index, times, gauss = window
    trust, robust = weights[index] * gauss[..., None], np.ones((*index.shape, rotations.shape[1]))
    result = np.array(rotations, dtype=np.float64)
    for _ in range(_ROUNDS):
        offsets = log_rotation(np.swapaxes(result, -1, -2)[:, None] @ rotations[index])
        result = result @ exp_rotation(_curve_value(times, trust * robust, offsets, sigma))
        away = log_rotation(np.swapaxes(result, -1, -2) @ rotations)
        robust = _falloff(away, weights, floor)[index]
    return result


def smooth_by_speed(rotations: Array, weights: Array, sigma: float, fps: float) -> Array:
    """Smooth rotations with a longer window where a joint rests, and a shorter one where it turns fast.

    What a joint loses of its peaks and what is left of its shake both grow with its speed, and the eye sees shake where
    there is little motion. The idea is that of the One Euro filter (Casiez et al., CHI 2012), without its lag.

    Args:
        rotations: (T, N, 3, 3).
        weights: (T, N) trust in each value.
        sigma: standard deviation of the usual window in frames; 0 changes nothing.
        fps: frames a second.

    Returns:
        (T, N, 3, 3).
    """
    window = _window(len(rotations), _CALM * sigma)
    if window is None:
        return np.array(rotations, dtype=np.float64)
    calm, quick = (smooth_rotations(rotations, weights, share * sigma) for share in (_CALM, _QUICK))
    steps = log_rotation(np.swapaxes(quick[:-1], -1, -2) @ quick[1:]) * fps
    turning = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    index, _, gauss = window
    squared = np.einsum("tw,twn->tn", gauss, (turning**2).sum(-1)[index]) / gauss.sum(1)[:, None]
    share = squared / (squared + _FAST**2)
    result: Array = calm @ exp_rotation(log_rotation(np.swapaxes(calm, -1, -2) @ quick) * share[..., None])
    return result


def _window(count: int, sigma: float) -> tuple[NDArray[np.intp], Array, Array] | None:
    """Return, for each frame, its neighbours (T, W), their times relative to it and their weights; None for no work."""
    if sigma <= 0 or count < 3:
        return None
    reach = int(np.ceil(_REACH * sigma))
    times = np.arange(-reach, reach + 1)
    index = np.arange(count)[:, None] + times
    gauss = np.exp(-0.5 * (times / sigma) ** 2) * ((index >= 0) & (index < count))
    return np.clip(index, 0, count - 1), np.broadcast_to(times, index.shape).astype(np.float64), gauss


def _curve_value(times: Array, weights: Array, values: Array, sigma: float) -> Array:
    """Fit a parabola to ``values`` (T, W, N, D) at ``times`` (T, W) and return its value (T, N, D) at time 0."""
    scaled = times / sigma
    powers = np.stack([np.ones_like(scaled), scaled, scaled**2], -1)
    system = np.einsum("twn,twa,twb->tnab", weights, powers, powers)
    total = np.maximum(system[..., 0, 0], 1e-12)
    system = system + np.diag([0.0, 0.1, 1.0]) * (_RIDGE * total)[..., None, None]
    system[..., 0, 0] += 1e-12
    target = np.einsum("twn,twa,twnd->tnad", weights, powers, values)
    result: Array = np.linalg.solve(system, target)[..., 0, :]
    return result


def _falloff(away: Array, weights: Array, floor: float) -> Array:
    """Return the weight (T, N) left to each frame by its distance (T, N, D) from the curve."""
    distance = np.linalg.norm(away, axis=-1)
    known = np.where(weights > 0, distance, np.nan)
    typical = np.nan_to_num(np.nanmedian(known, axis=0)) if len(distance) else np.zeros(distance.shape[1])
    limit = _OUTLIER * np.maximum(typical, floor)
    result: Array = (limit**2 / (limit**2 + distance**2)) ** 2
    return result


def fill_gaps(rotations: Array, points: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Fill frames that are not ``known`` (T,) from their known neighbours: great arcs and straight lines.

    Args:
        rotations: (T, N, 3, 3).
        points: (T, 3).
        known: (T,) at least one is.

    Returns:
        Both, complete; before the first and after the last known frame nothing moves.
    """
    frames = np.arange(len(known))
    there = frames[known]
    after = np.clip(np.searchsorted(there, frames), 0, len(there) - 1)
    before = np.clip(after - (there[after] > frames), 0, len(there) - 1)
    low, high = there[before], there[after]
    share = np.clip((frames - low) / np.maximum(high - low, 1), 0.0, 1.0)
    turn = log_rotation(np.swapaxes(rotations[low], -1, -2) @ rotations[high])
    turned = rotations[low] @ exp_rotation(turn * share[:, None, None])
    return turned, points[low] + (points[high] - points[low]) * share[:, None]


def smooth_way(hips_cam: Array, weights: Array, sigma: float, depth_sigma: float) -> Array:
    """Smooth the way of the hips (T, 3) in the camera frame: across the view by ``sigma``, along it by ``depth_sigma``.

    Depth is what a single camera knows least, and what jitters most.
    """
    across = np.concatenate([hips_cam[:, :2] / hips_cam[:, 2:], np.zeros((len(hips_cam), 1))], 1)
    steady = smooth_vectors(across[:, None], weights[:, None], sigma, floor=0.003)[:, 0]
    depth = np.exp(smooth_vectors(np.log(hips_cam[:, None, 2:]), weights[:, None], depth_sigma, floor=0.005)[:, 0])
    result: Array = np.concatenate([steady[:, :2] * depth, depth], 1)
    return result
