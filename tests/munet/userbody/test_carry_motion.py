"""The motion of a clip carried to the user's body: its joints go where the default body's go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sitter import Person

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.sequence.carry import carry_motion
from munet.sequence.motion import Motion
from munet.settings import Settings
from munet.userbody.carry import carry_fit
from munet.userbody.model import UserBodies

LIMBS = [0, 1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21]


def joints(model: BodyModel, betas: np.ndarray, motion: Motion) -> np.ndarray:
    """Return the limbs' joints (T, 13, 3), camera frame."""
    pose = torch.from_numpy(motion.pose)
    with torch.no_grad():
        posed = pose_body(model, torch.from_numpy(betas)[None].repeat(len(pose), 1), pose)
    return posed.joints[:, LIMBS].numpy() * [1, -1, -1] + motion.translation[:, None]


def test_hips_stay_and_limbs_follow(body_file: Path, model: BodyModel, person: Person) -> None:
    user, fit = UserBodies(model).load(str(body_file)), person.fit
    carried = carry_fit(user, model, fit, person.observation, person.photo, Settings(preset="draft"))
    pose = np.repeat(fit.pose[None, :24], 3, 0)
    pose[1, 16:20] += np.random.default_rng(0).normal(0, 0.4, (4, 3)).astype(np.float32)
    pose[2, 0] += np.float32(0.5)
    way = fit.translation + np.array([[0, 0, 0], [0.2, 0, 0.5], [0.4, -0.1, 1.0]], np.float32)
    motion = Motion(pose, way, np.ones(3, np.float32), 25.0, np.arange(3, dtype=np.int32), 0)
    theirs = carry_motion(user, model, fit, carried, motion)
    wanted, found = joints(model, fit.betas, motion), joints(user.model, carried.betas, theirs)
    assert np.abs(found[:, 0] - wanted[:, 0]).max() < 1e-3
    assert np.linalg.norm(found - wanted, axis=-1).mean() < 0.02
    assert np.linalg.norm(found - wanted, axis=-1).max() < 0.06
