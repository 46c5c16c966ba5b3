"""Smoothing: less noise, no lag, nothing where nothing is to be done, gaps filled."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from munet.fitting.so3 import exp_rotation, log_rotation
from munet.sequence.filter import FILLED_TRUST
from munet.sequence.smooth import fill_gaps, smooth_by_speed, smooth_rotations, smooth_vectors, smooth_way

Array = NDArray[np.float64]
FPS = 25.0
TIME = np.arange(80) / FPS


def swing(joints: int = 3) -> Array:
    """Rotations (T, N, 3, 3) of limbs that swing at 1 Hz by up to 50 degrees about axes of their own."""
    axes = np.random.default_rng(0).normal(size=(joints, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angle = np.radians(50) * np.sin(2 * np.pi * TIME[:, None] + np.arange(joints))
    return exp_rotation(angle[..., None] * axes)


def angles(first: Array, second: Array) -> Array:
    found: Array = np.linalg.norm(log_rotation(np.swapaxes(first, -1, -2) @ second), axis=-1)
    return found


def test_noise_shrinks_and_motion_stays() -> None:
    true = swing()
    noisy = true @ exp_rotation(np.random.default_rng(1).normal(0, np.radians(3), (*true.shape[:2], 3)))
    smooth = smooth_rotations(noisy, np.ones(true.shape[:2]), 2.0)
    assert angles(smooth, true).mean() < 0.65 * angles(noisy, true).mean()
    shake = [np.linalg.norm(np.diff(log_rotation(r), 2, axis=0), axis=-1).mean() for r in (noisy, smooth)]
    assert shake[1] < 0.3 * shake[0]


def test_clean_motion_is_hardly_changed_and_does_not_lag() -> None:
    true = swing()
    smooth = smooth_rotations(true, np.ones(true.shape[:2]), 2.0)
    assert np.degrees(angles(smooth, true)).max() < 1.5
    assert np.degrees(angles(smooth[1:], true[:-1])).mean() > 5 * np.degrees(angles(smooth, true)).mean()


def test_what_does_not_move_stays_exactly_and_zero_is_off() -> None:
    still = np.repeat(Rotation.random(4, random_state=0).as_matrix()[None], 30, 0)
    assert np.allclose(smooth_rotations(still, np.ones((30, 4)), 3.0), still, atol=1e-9)
    true = swing()
    assert np.array_equal(smooth_rotations(true, np.ones(true.shape[:2]), 0.0), true)


def test_axes_make_no_difference() -> None:
    noisy = swing() @ exp_rotation(np.random.default_rng(2).normal(0, 0.05, (80, 3, 3)))
    turn = Rotation.random(random_state=4).as_matrix()
    weights = np.ones((80, 3))
    assert np.allclose(smooth_rotations(turn @ noisy, weights, 2.0), turn @ smooth_rotations(noisy, weights, 2.0))
    turned = turn @ noisy @ turn.T
    assert np.allclose(smooth_rotations(turned, weights, 2.0), turn @ smooth_rotations(noisy, weights, 2.0) @ turn.T)


def test_rest_is_calmer_and_fast_motion_keeps_more_of_its_peaks_than_with_one_window() -> None:
    angle = np.radians(50) * np.sin(2 * np.pi * 2.0 * TIME)[:, None] * (TIME[39] < TIME)[:, None]
    true = exp_rotation(angle[..., None] * [[0.0, 0.6, 0.8]])
    noisy = true @ exp_rotation(np.random.default_rng(3).normal(0, np.radians(3), (80, 1, 3)))
    weights = np.ones((80, 1))
    one, two = smooth_rotations(noisy, weights, 2.5), smooth_by_speed(noisy, weights, 2.5, FPS)
    shake = [np.linalg.norm(np.diff(log_rotation(r[5:30]), 2, axis=0), axis=-1).mean() for r in (one, two)]
    assert shake[1] < 0.75 * shake[0]
    assert angles(two, true)[45:75].mean() < 0.8 * angles(one, true)[45:75].mean()
    assert np.array_equal(smooth_by_speed(noisy, weights, 0.0, FPS), noisy)
    assert np.allclose(smooth_by_speed(noisy[:2], weights[:2], 2.5, FPS), noisy[:2])


def test_the_way_through_a_gap_longer_than_the_window_stays_as_it_was_filled() -> None:
    known = (TIME < 0.4) | (TIME > 2.8)
    true = np.stack([0.3 * TIME, 0 * TIME, 4 + TIME], 1)
    filled = fill_gaps(np.tile(np.eye(3), (len(TIME), 1, 1, 1)), np.where(known[:, None], true, 0.0), known)[1]
    trust = np.maximum(known.astype(float), FILLED_TRUST)
    assert np.abs(smooth_way(filled, trust, 2.5, 5.0) - true).max() < 0.02


def test_an_outlier_does_not_pull_its_neighbours() -> None:
    true = swing()
    wrong = true.copy()
    wrong[40] = wrong[40] @ exp_rotation(np.array([1.5, 0, 0]))
    smooth = smooth_rotations(wrong, np.ones(true.shape[:2]), 2.0)
    assert np.degrees(angles(smooth, true)).max() < 3.0


@pytest.mark.parametrize("missing", [slice(0, 5), slice(30, 36), slice(70, 80)])
def test_gaps_are_filled(missing: slice) -> None:
    true, way = swing(), np.stack([TIME, np.sin(TIME), 3 + 0 * TIME], 1)
    known = np.ones(80, bool)
    known[missing] = False
    broken, path = true.copy(), way.copy()
    broken[missing], path[missing] = np.eye(3), 0.0
    filled, points = fill_gaps(broken, path, known)
    assert np.array_equal(filled[known], true[known])
    assert np.array_equal(points[known], way[known])
    weights = np.repeat(known[:, None].astype(float), 3, 1)
    smooth = smooth_rotations(filled, weights, 2.0)
    assert np.isfinite(smooth).all()
    if missing.start == 30:
        assert np.degrees(angles(filled, true)).max() < 25
        assert np.linalg.norm(points - way, axis=1).max() < 0.02
    else:
        edge = 5 if missing.start == 0 else 69
        assert np.allclose(filled[missing], true[edge])


def test_depth_is_smoothed_more_than_the_picture() -> None:
    random = np.random.default_rng(3)
    true = np.stack([0.5 * TIME, 0.1 * np.sin(6 * TIME), 4 + 0.3 * TIME], 1)
    noisy = true * np.exp(random.normal(0, 0.02, (80, 1))) + random.normal(0, 0.003, (80, 3)) * [1, 1, 0]
    smooth = smooth_way(noisy, np.ones(80), 2.0, 5.0)
    assert np.abs(smooth - true)[:, 2].mean() < 0.45 * np.abs(noisy - true)[:, 2].mean()
    pixels = [path[:, :2] / path[:, 2:] for path in (true, noisy, smooth)]
    assert np.abs(pixels[2] - pixels[0]).mean() < np.abs(pixels[1] - pixels[0]).mean()


def test_a_straight_line_is_kept_to_its_ends() -> None:
    line = np.stack([TIME, 2 * TIME, 5 - TIME], 1)[:, None]
    assert np.allclose(smooth_vectors(line, np.ones((80, 1)), 3.0), line, atol=2e-3)


def test_two_frames_are_left_alone() -> None:
    assert np.array_equal(smooth_rotations(swing()[:2], np.ones((2, 3)), 2.0), swing()[:2])
