"""Import of motion: on rigs in every Blender, and the mathematics without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

if TYPE_CHECKING:
    from conftest import Blender

Extension = Callable[[str], ModuleType]


@pytest.mark.blender
def test_motion_lands_on_the_rig(blender: Blender, tmp_path: Path) -> None:
    blender.check("motion", str(tmp_path))


def test_quaternions_match_scipy(extension: Extension) -> None:
    rotations = extension("motion.rotations")
    turns = Rotation.random(200, random_state=0)
    found = rotations.quaternions(turns.as_matrix())
    wanted = turns.as_quat()[:, [3, 0, 1, 2]]
    assert np.allclose(np.abs((found * wanted).sum(-1)), 1, atol=1e-12)
    assert np.allclose(rotations.matrices(found), turns.as_matrix(), atol=1e-12)


def test_half_turns_have_quaternions(extension: Extension) -> None:
    rotations = extension("motion.rotations")
    halves = np.stack([np.eye(3), np.diag([1.0, -1, -1]), np.diag([-1.0, 1, -1]), np.diag([-1.0, -1, 1])])
    assert np.allclose(rotations.matrices(rotations.quaternions(halves)), halves)


def test_a_swing_is_the_smallest_rotation(extension: Extension) -> None:
    swing = extension("motion.rotations").swing
    rng = np.random.default_rng(0)
    for first, second in [*rng.normal(size=(20, 2, 3)), ([1, 0, 0], [-1, 0, 0]), ([0, 2, 0], [0, 3, 0])]:
        a, b = np.array(first, dtype=float), np.array(second, dtype=float)
        turn = swing(a, b)
        angle = np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))
        assert np.allclose(turn @ a / np.linalg.norm(a), b / np.linalg.norm(b))
        assert np.isclose(Rotation.from_matrix(turn).magnitude(), angle, atol=1e-6)


def test_resampling_follows_great_arcs(extension: Extension) -> None:
    clip_module = extension("motion.clip")
    keys = Rotation.random(6, random_state=4)
    hips = np.arange(18.0).reshape(6, 3)
    clip = clip_module.Clip("x", 10.0, ["pelvis"], keys.as_matrix()[:, None], hips)
    for fps in (24.0, 7.0, 10.0):
        new = clip_module.resampled(clip, fps)
        times = np.arange(len(new)) / fps
        assert times[-1] <= 0.5 + 1e-9 < times[-1] + 1 / fps + 1e-6
        difference = Slerp(np.arange(6) / 10, keys)(np.minimum(times, 0.5)).inv() * Rotation.from_matrix(
            new.rotations[:, 0]
        )
        assert difference.magnitude().max() < 1e-6
        assert np.allclose(new.hips[:, 0], times * 30)


def test_wrist_twist_is_shared_without_moving_the_hand(extension: Extension) -> None:
    retarget = extension("motion.retarget")
    turns = {name: Rotation.random(5, random_state=i).as_matrix() for i, name in enumerate(_arm_names())}
    heads = {name: np.array([i, 0.3 * i, 0.1]) for i, name in enumerate(_arm_names())}
    before = {side: turns[f"{side}_elbow"] @ turns[f"{side}_wrist"] for side in ("left", "right")}
    retarget._share_wrist_twist(turns, heads)
    for side, hand in before.items():
        assert np.allclose(turns[f"{side}_elbow"] @ turns[f"{side}_wrist"], hand)


def _arm_names() -> list[str]:
    return [f"{side}_{joint}" for side in ("left", "right") for joint in ("elbow", "wrist")]
