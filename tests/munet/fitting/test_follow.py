"""The last fit after the networks: which knees it holds straight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from people import photograph

from munet.body.default import load_default_body
from munet.fitting.body_points import make_body_points
from munet.fitting.fit import finish, fit_body, prepare
from munet.fitting.prior import load_pose_prior, resting_pose
from munet.fitting.so3 import exp_rotation
from munet.learned.body_step import follow, state_of
from munet.network.infer import NetworkBody
from munet.settings import Settings


def left_knee_after(right_knee: float) -> float:
    """How far, in radians, the left knee is bent in the end; it looks straight and the networks bend it by 0.5."""
    model = load_default_body()
    body, vectors = make_body_points(model), resting_pose()
    vectors[[1, 4], 0] = -0.25, 0.5
    vectors[[2, 5], 0] = -right_knee / 2, right_knee
    turns = exp_rotation(np.concatenate([vectors, np.zeros((24 - len(vectors), 3))]))
    sitter = photograph(body, turns, np.random.default_rng(3))
    fit = fit_body(model, sitter.observation, sitter.photo, Settings(preset="draft"))
    objective, _ = prepare(body, sitter.observation, sitter.photo, load_pose_prior())
    bent = finish(model, body, replace(state_of(fit), rotations=turns), sitter.observation, objective)
    moved = NetworkBody(bent.vertices_cam, turns.astype(np.float32), fit.betas)
    followed = follow(model, body, fit, moved, sitter.observation, sitter.photo)
    return float(np.linalg.norm(followed.pose[4]))


def test_a_knee_that_looks_straight_is_held_straight_only_of_who_stands_on_both() -> None:
    assert left_knee_after(right_knee=0.5) < 0.3
    assert left_knee_after(right_knee=1.4) > 0.4
