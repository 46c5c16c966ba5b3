"""Feet that rest slide less; feet that move and people who jump are left alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.sequence.feet import contacts, planted

Array = NDArray[np.float64]
FPS, UP = 25.0, np.array([0.0, -1.0, 0.0])


def walk() -> tuple[Array, Array]:
    """Hips (T, 3) and two feet (T, 2, 3) of a walk along x, each foot resting half of the time; camera frame."""
    time = np.arange(100) / FPS
    hips = np.stack([1.2 * time, 0 * time, 4 + 0 * time], 1)
    feet = np.zeros((100, 2, 3))
    for foot, phase in enumerate((0.0, 0.5)):
        turns = time + phase
        step, share = np.floor(turns), turns - np.floor(turns)
        swing = np.clip((share - 0.5) / 0.5, 0, 1)
        eased = swing * swing * (3 - 2 * swing)
        feet[:, foot, 0] = 1.2 * (step + eased - phase)
        feet[:, foot, 1] = 0.9 - 0.12 * np.sin(np.pi * swing)
        feet[:, foot, 2] = 4.0 + (0.1 if foot else -0.1)
    return hips, feet


def sliding(feet: Array, resting: Array) -> float:
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * FPS
    return float(speed[resting[1:] & resting[:-1]].mean())


def test_contacts_are_found() -> None:
    _, feet = walk()
    resting = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * FPS < 0.05
    sure = contacts(feet, UP, FPS)
    assert sure[resting].mean() > 0.9
    assert sure[feet[:, :, 1] < 0.82].max() < 0.1


def test_noise_of_the_hips_does_not_slide_resting_feet() -> None:
    hips, feet = walk()
    resting = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * FPS < 0.05
    wobble = 0.01 * np.sin(2 * np.pi * 2.0 * np.arange(100) / FPS)[:, None] * [1.0, 0.0, 1.0]
    held = planted(hips + wobble, feet + wobble[:, None], UP, FPS)
    moved = held - hips
    assert sliding(feet + moved[:, None], resting) < 0.6 * sliding(feet + wobble[:, None], resting)
    assert np.abs(moved).max() < 0.03


def test_who_does_not_touch_the_ground_is_left_alone() -> None:
    time = np.arange(60) / FPS
    hips = np.stack([2 * time, -np.sin(3 * time), 4 + 0 * time], 1)
    feet = hips[:, None] + np.array([[0.1, 0.9, 0.0], [-0.1, 0.9, 0.0]])
    assert np.abs(planted(hips, feet, UP, FPS) - hips).max() < 0.02
    assert np.array_equal(planted(hips[:2], feet[:2], UP, FPS), hips[:2])
