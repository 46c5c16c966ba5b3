"""Depth flips: a limb that points to the camera looks like one that points away; try both and keep the cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.evidence import INDEX, Evidence
from munet.fitting.objective import Objective
from munet.fitting.rig import TO_CAMERA, PointRig, State, pose_points, pose_skeleton
from munet.fitting.so3 import exp_rotation
from munet.fitting.solver import minimise
from munet.fitting.spheres import ARM_RADII
from munet.fitting.start import ARM_HINGE, LEG_HINGE, hinged_limb, within_limits

Array = NDArray[np.float64]

_LIMBS = (
    ("left", ("shoulder", "elbow", "wrist"), (16, 18), ARM_HINGE["left"]),
    ("right", ("shoulder", "elbow", "wrist"), (17, 19), ARM_HINGE["right"]),
    ("left", ("hip", "knee", "ankle"), (1, 4), LEG_HINGE),
    ("right", ("hip", "knee", "ankle"), (2, 5), LEG_HINGE),
)
_FOREARMS = (18, 19)
_TWIST = 1.2
_FIRST_STEPS = 2
_STEPS = 4
_HOPELESS = 12.0
"""Cost above the best at which a flip is given up after its first steps."""
_ARM_LANDMARKS = [
    INDEX[f"{side}_{part}"]
    for side in ("left", "right")
    for part in ("wrist", "wrist", "index", "pinky", "index", "pinky", "index", "pinky")
]
_SURELY = 0.25
"""Square-root weight from which a landmark is seen well enough that it can not be behind the body."""
_HIDDEN = 1.5
"""Cost of each part of a visible hand or forearm that would be hidden."""
_WORTH = 0.35
"""Share of its length by which a bone must point towards or away from the camera for a flip to matter."""


def mirrored_in_depth(bone: Array, view: Array) -> Array:
    """Return the direction whose projection is the same but which points the other way along ``view`` (unit)."""
    result: Array = bone - 2 * (bone @ view) * view
    return result


def flips(rig: PointRig, state: State, seen: NDArray[np.bool_], limb: int) -> Iterator[State]:
    """Yield the state with the upper, the lower or both bones of limb 0 to 3 flipped in depth."""
    side, parts, joints, hinge = _LIMBS[limb]
    if not seen[list(joints)].all():
        return
    at = [INDEX[f"{side}_{part}"] for part in parts]
    posed = pose_points(rig.subset(BodyPoints.LANDMARKS), state)[at]
    rest = rig.anchors[at].sum(1)
    bones = np.diff(posed, axis=0)
    views = posed[:2] / np.linalg.norm(posed[:2], axis=1, keepdims=True)
    slants = np.abs((bones * views).sum(1)) > _WORTH * np.linalg.norm(bones, axis=1)
    parent_joint = int(rig.parents[joints[0]])
    parent = pose_skeleton(rig, state).turns[parent_joint]
    for upper, lower in ((True, False), (False, True), (True, True)):
        if (upper and not slants[0]) or (lower and not slants[1]):
            continue
        first = mirrored_in_depth(bones[0], views[0]) if upper else bones[0]
        second = mirrored_in_depth(bones[1], views[1]) if lower else bones[1]
        wanted = first * TO_CAMERA, second * TO_CAMERA
        turns = hinged_limb(parent, (rest[1] - rest[0], rest[2] - rest[1]), wanted, hinge)
        yield _with_limb(state, joints, parent, turns)


def twists(state: State, seen: NDArray[np.bool_], limb: int) -> Iterator[State]:
    """Yield the state with the forearm of limb 0 or 1 turned about its own axis both ways."""
    joints = _LIMBS[limb][2]
    if joints[1] not in _FOREARMS or not seen[list(joints)].all():
        return
    for angle in (-_TWIST, _TWIST):
        rotations = state.rotations.copy()
        rotations[joints[1]] = rotations[joints[1]] @ exp_rotation(np.array([angle, 0.0, 0.0]))
        yield replace(state, rotations=within_limits(rotations))


def _with_limb(state: State, joints: tuple[int, int], parent: Array, turns: tuple[Array, Array]) -> State:
    rotations = state.rotations.copy()
    rotations[joints[0]] = parent.T @ turns[0]
    rotations[joints[1]] = turns[0].T @ turns[1]
    rotations = within_limits(rotations)
    return replace(state, rotations=rotations)


def hidden_cost(objective: Objective, state: State) -> float:
    """Return the cost of hands that are seen in the photo but would be hidden behind trunk or thighs."""
    points = pose_points(objective.body.rig.subset(BodyPoints.SPHERES), state)
    arms, trunk = points[: len(ARM_RADII)], points[len(ARM_RADII) :]
    behind = arms[:, None, 2] > trunk[None, :, 2]
    apart = np.linalg.norm(arms[:, None, :2] / arms[:, None, 2:] - trunk[:, :2] / trunk[:, 2:], axis=2)
    hidden = (behind & (apart < objective.body.trunk_radii / trunk[:, 2])).any(1)
    trust = objective.evidence.trust[_ARM_LANDMARKS] > _SURELY
    return _HIDDEN * float((hidden & trust).sum())


def try_flips(objective: Objective, state: State, cost: float, evidence: Evidence) -> tuple[State, float]:
    """Try every flip and twist of every limb for a few steps each; returns the likeliest state and its cost."""
    for limb in range(len(_LIMBS)):
        best = state, cost, cost + hidden_cost(objective, state)
        others = flips(objective.body.rig, state, evidence.seen, limb)
        for candidate in (*others, *twists(state, evidence.seen, limb)):
            tried, reached = minimise(candidate, objective, _FIRST_STEPS)
            if reached > best[2] + _HOPELESS:
                continue
            tried, reached = minimise(tried, objective, _STEPS)
            total = reached + hidden_cost(objective, tried)
            if total < best[2]:
                best = tried, reached, total
        state, cost, _ = best
    return state, cost
