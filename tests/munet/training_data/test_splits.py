"""What the test split uses is never seen in training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from munet.errors import InvalidInputError
from munet.training.data.draw import draw_sample
from munet.training.data.kinds import KINDS, SLOTS
from munet.training.data.poses import LIMITS, MIRROR, draw_pose, load_poses, shared_poses
from munet.training.data.splits import SPLITS, Split, random_of, read_held_out

SAMPLES = 60


def _kinds(split: Split) -> set[str]:
    drawn = torch.stack([draw_sample(0, split, i).kind for i in range(SAMPLES)])
    return {KINDS[k].name for k in drawn.flatten().tolist() if k >= 0}


def test_kinds_of_garments_are_disjoint() -> None:
    train, val, test = (_kinds(split) for split in SPLITS)
    assert not test & (train | val)
    assert len(train) > 12
    assert len(test) > 8


def test_every_slot_has_kinds_for_both() -> None:
    for slot in SLOTS:
        assert {kind.test_only for kind in KINDS if kind.slot == slot} == {True, False}


def test_clips_are_disjoint() -> None:
    used = {split: {int(draw_sample(0, split, i).clip) for i in range(SAMPLES)} - {-1} for split in SPLITS}
    assert not used["test"] & used["train"]
    assert not used["val"] & (used["train"] | used["test"])


def test_held_out_names_exist_and_agree_with_the_lifter() -> None:
    held, library = read_held_out(), load_poses()
    assert held.test | held.val <= set(library.names)
    assert all(library.names.index(name) % 5 == 0 for name in held.test)
    frames = np.diff(library.first)
    assert sum(frames[library.names.index(name)] for name in held.test) > 1000


def test_overlapping_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "held.json"
    path.write_text(json.dumps({"val": ["a"], "test": ["a"]}))
    with pytest.raises(InvalidInputError, match="two splits"):
        read_held_out(path)
    path.write_text("{")
    with pytest.raises(InvalidInputError, match="can not be read"):
        read_held_out(path)


def test_samples_differ_between_splits_and_indices() -> None:
    betas = torch.stack([draw_sample(0, s, i).betas for s in SPLITS for i in range(4)])
    assert torch.cdist(betas, betas).add(torch.eye(len(betas)) * 9).min() > 0.1


def test_poses_are_rotations() -> None:
    for index in range(20):
        pose, _ = draw_pose(random_of(1, "train", index), "train", *shared_poses())
        np.testing.assert_allclose(pose @ pose.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (24, 3, 3)), atol=1e-6)
        assert (np.linalg.det(pose) > 0.99).all()


def test_limits_name_each_pair_of_joints_once() -> None:
    assert all(MIRROR[joint] == joint or MIRROR[joint] not in LIMITS for joint in LIMITS)
    assert all(low <= high for limits in LIMITS.values() for low, high in limits)
