"""Rotations along the kinematic tree against the chain written out, and back."""

from __future__ import annotations

import torch
from scipy.spatial.transform import Rotation

from munet.body.model import SMPL_JOINT_NAMES, SMPL_PARENTS
from munet.body.tree import JOINTS, TURNED, global_rotations, local_rotations, tree_levels, with_hands

LOCAL = torch.from_numpy(Rotation.random(2 * JOINTS, random_state=0).as_matrix()).reshape(2, JOINTS, 3, 3)


def test_a_hand_is_turned_by_all_above_it() -> None:
    turns = global_rotations(LOCAL)
    wanted = torch.eye(3, dtype=torch.float64)
    for name in ("pelvis", "spine1", "spine2", "spine3", "left_collar", "left_shoulder", "left_elbow", "left_wrist"):
        wanted = wanted @ LOCAL[:, SMPL_JOINT_NAMES.index(name)]
    torch.testing.assert_close(turns[:, SMPL_JOINT_NAMES.index("left_wrist")], wanted)
    torch.testing.assert_close(global_rotations(LOCAL, TURNED), turns[:, :TURNED])


def test_local_ones_come_back_and_what_is_left_out_rests() -> None:
    torch.testing.assert_close(local_rotations(global_rotations(LOCAL)), LOCAL)
    torch.testing.assert_close(local_rotations(global_rotations(LOCAL[0])), LOCAL[0])
    short = local_rotations(global_rotations(LOCAL, TURNED))
    torch.testing.assert_close(short[:, :TURNED], LOCAL[:, :TURNED])
    torch.testing.assert_close(local_rotations(with_hands(global_rotations(LOCAL, TURNED))), short)
    assert short[:, TURNED:].equal(torch.eye(3, dtype=torch.float64).expand(2, 2, 3, 3))


def test_levels_hold_every_turned_joint_once_below_its_parent() -> None:
    seen: set[int] = set()
    for joints, parents in tree_levels():
        assert [SMPL_PARENTS[joint] for joint in joints] == (parents or [-1])
        assert set(parents) <= seen
        seen |= set(joints)
    assert seen == set(range(TURNED))
