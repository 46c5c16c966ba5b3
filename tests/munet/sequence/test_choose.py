"""Frames that tell most, one shape from several, and settings that can not be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from munet.errors import InvalidInputError
from munet.sequence.choose import frame_quality, key_frames, shared_shape
from munet.sequence.settings import ClipSettings


def sighting(*, facing: float = 1.0, height: float = 400.0, hand_up: bool = False, sharp: float = 5.0) -> Any:
    points = np.zeros((33, 2))
    points[:, 1] = np.linspace(0, height, 33)
    points[[25, 27, 15, 13, 19], 0] = height
    points[[26, 28, 16, 14, 20], 0] = -height
    if hand_up:
        points[[15, 19]] = points[0]
    world = np.zeros((33, 3))
    world[11] = [0.2 * facing, 0, 0.2 * np.sqrt(1 - facing**2)]
    observation = SimpleNamespace(
        box=np.array([0, 0, 100, height]),
        visibility=np.ones(33),
        landmarks_world=world,
        landmarks_image=points,
    )
    return SimpleNamespace(observation=observation, sharpness=sharp)


def test_large_frontal_sharp_and_free_is_best() -> None:
    good = sighting()
    for worse in (sighting(facing=0.2), sighting(height=200.0), sighting(hand_up=True), sighting(sharp=1.0)):
        values = frame_quality([good, worse])
        assert values[0] > 1.1 * values[1]


def test_key_frames_are_spread_and_good() -> None:
    quality = np.array([1.0, 5, 1, 1, 1, 7, 1, 1, 9])
    assert key_frames(quality, 3) == [1, 5, 8]
    assert key_frames(quality[:2], 5) == [0, 1]


def test_a_wrong_shape_hardly_counts() -> None:
    true = np.random.default_rng(0).normal(size=10)
    betas = true + np.random.default_rng(1).normal(0, 0.1, (6, 10))
    betas[3] += 5.0
    assert np.linalg.norm(shared_shape(betas, np.ones(6)) - true) < 0.3
    assert np.allclose(shared_shape(betas[:1], np.ones(1)), betas[0])


def test_settings_choose_frames_and_refuse_nonsense() -> None:
    clip = ClipSettings(first=3, last=9, step=2)
    assert [index for index in range(20) if clip.uses(index)] == [3, 5, 7, 9]
    assert ClipSettings().uses(10**6)
    with pytest.raises(InvalidInputError, match="smoothing"):
        ClipSettings(smoothing=1.5)
