"""Closed-form start: a rotation for every bone from the directions between 3D landmarks (swing and twist)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.fitting.evidence import INDEX
from munet.fitting.prior import joint_limits, resting_pose
from munet.fitting.rig import JOINTS, MOVED, TO_CAMERA
from munet.fitting.so3 import exp_rotation, log_rotation, rotation_aligning, rotation_between

Array = NDArray[np.float64]

_SIDES = ("left", "right")
ARM_HINGE = {"left": np.array([0.0, -1.0, 0.0]), "right": np.array([0.0, 1.0, 0.0])}
"""Axis about which the elbow bends, at rest; upper arm x forearm points along it."""
LEG_HINGE = np.array([1.0, 0.0, 0.0])


def _at(points: Array, side: str, part: str) -> Array:
    result: Array = points[INDEX[f"{side}_{part}"]]
    return result


def _middle(points: Array, part: str) -> Array:
    result: Array = (_at(points, "left", part) + _at(points, "right", part)) / 2
    return result


def _unit(vector: Array) -> Array:
    result: Array = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return result


def upright_frame(across: Array, up: Array) -> Array:
    """Return the rotation (3, 3) whose y axis is ``up`` and whose x axis is nearest to ``across``."""
    y = _unit(up)
    x = _unit(across - (across @ y) * y)
    return np.stack([x, y, np.cross(x, y)], 1)


def hinged_limb(
    parent: Array, rest: tuple[Array, Array], wanted: tuple[Array, Array], hinge: Array
) -> tuple[Array, Array]:
    """Turn a limb of two bones so that it bends only about its hinge.

    Args:
        parent: (3, 3) global rotation of the bone above.
        rest: (3,) rest directions of the upper and of the lower bone.
        wanted: (3,) directions of the two bones to reach, body frame.
        hinge: (3,) rest axis of the bend.

    Returns:
        Global rotations (3, 3) of the upper and of the lower bone.
    """
    upper_rest, lower_rest = (_unit(bone) for bone in rest)
    upper, lower = (_unit(bone) for bone in wanted)
    normal = np.cross(upper, lower)
    bent = float(np.linalg.norm(normal))
    swing = rotation_between(parent @ upper_rest, upper) @ parent
    usual = swing @ hinge
    if bent > 1e-6:
        # The elbow or knee of a nearly straight limb says nothing about the twist.
        trust = float(np.clip((bent - 0.17) / 0.35, 0, 1))
        usual = _unit(trust * normal / bent + (1 - trust) * usual)
    turn = rotation_aligning(np.stack([upper_rest, hinge]), np.stack([upper, usual]), np.array([10.0, 1.0]))
    straight = turn @ lower_rest
    angle = float(np.arctan2(np.cross(straight, lower) @ (turn @ hinge), straight @ lower))
    return turn, turn @ exp_rotation(hinge * max(angle, 0.0))


def _trunk(turns: dict[int, Array], points: Array) -> None:
    up = _middle(points, "shoulder") - _middle(points, "hip")
    turns[0] = upright_frame(_at(points, "left", "hip") - _at(points, "right", "hip"), up)
    chest = upright_frame(_at(points, "left", "shoulder") - _at(points, "right", "shoulder"), up)
    third = exp_rotation(log_rotation(turns[0].T @ chest) / 3)
    turns[3] = turns[0] @ third
    turns[6] = turns[3] @ third
    turns[9] = chest


def _head(turns: dict[int, Array], rest: Array, points: Array) -> None:
    def directions(p: Array) -> Array:
        ears = _middle(p, "ear")
        return np.stack([_unit(_at(p, "left", "ear") - _at(p, "right", "ear")), _unit(p[INDEX["nose"]] - ears)])

    head = rotation_aligning(directions(rest), directions(points))
    relative = log_rotation(turns[9].T @ head)
    turns[12] = turns[9] @ exp_rotation(0.4 * relative)
    turns[15] = head


def _arm(turns: dict[int, Array], rest: Array, points: Array, side: str) -> None:
    offset = _SIDES.index(side)
    turns[13 + offset] = turns[9]

    def bones(p: Array) -> tuple[Array, Array]:
        elbow = _at(p, side, "elbow")
        return elbow - _at(p, side, "shoulder"), _at(p, side, "wrist") - elbow

    upper, lower = hinged_limb(turns[9], bones(rest), bones(points), ARM_HINGE[side])
    turns[16 + offset] = upper

    def hand(p: Array) -> Array:
        index, pinky = _at(p, side, "index"), _at(p, side, "pinky")
        return np.stack([_unit((index + pinky) / 2 - _at(p, side, "wrist")), _unit(index - pinky)])

    hand_turn = rotation_aligning(hand(rest), hand(points), np.array([1.0, 0.5]))
    along = _unit(bones(points)[1])
    twist = _twist(hand_turn @ lower.T, along)
    turns[18 + offset] = exp_rotation(along * np.clip(0.6 * twist, -0.9, 0.9)) @ lower
    turns[20 + offset] = hand_turn


def _twist(turn: Array, axis: Array) -> float:
    """Angle of the part of ``turn`` (3, 3) about ``axis`` (3,)."""
    vector = log_rotation(turn)
    angle = float(np.linalg.norm(vector))
    if angle < 1e-9:
        return 0.0
    return float(2 * np.arctan2(np.sin(angle / 2) * (vector @ axis) / angle, np.cos(angle / 2)))


def _leg(turns: dict[int, Array], rest: Array, points: Array, side: str) -> None:
    offset = _SIDES.index(side)

    def bones(p: Array) -> tuple[Array, Array]:
        knee = _at(p, side, "knee")
        return knee - _at(p, side, "hip"), _at(p, side, "ankle") - knee

    turns[1 + offset], turns[4 + offset] = hinged_limb(turns[0], bones(rest), bones(points), LEG_HINGE)

    def foot(p: Array) -> Array:
        heel = _at(p, side, "heel")
        return np.stack([_unit(_at(p, side, "foot_index") - heel), _unit(_at(p, side, "ankle") - heel)])

    turns[7 + offset] = rotation_aligning(foot(rest), foot(points), np.array([1.0, 0.4]))


def closed_form_start(
    rest_landmarks: Array, landmarks_world: Array, parents: NDArray[np.int64], seen: NDArray[np.bool_]
) -> Array:
    """Turn 3D landmarks into local rotations.

    Args:
        rest_landmarks: (33, 3) of the body at rest, body frame.
        landmarks_world: (33, 3) measured, metres, axes of the camera frame.
        parents: (24,) tree.
        seen: (24,) joints with evidence; the others rest.

    Returns:
        (24, 3, 3) local rotations within the joint limits, root first.
    """
    points = landmarks_world * TO_CAMERA
    if not seen[3]:
        points = _with_hips_below(rest_landmarks, points)
    turns: dict[int, Array] = {}
    _trunk(turns, points)
    _head(turns, rest_landmarks, points)
    for side in _SIDES:
        _arm(turns, rest_landmarks, points, side)
        _leg(turns, rest_landmarks, points, side)
    local = np.tile(np.eye(3), (JOINTS, 1, 1))
    resting = exp_rotation(resting_pose())
    local[0] = turns[0]
    for joint in range(1, MOVED):
        if joint in turns and seen[joint]:
            local[joint] = turns[int(parents[joint])].T @ turns[joint]
        else:
            local[joint] = resting[joint]
    return within_limits(local)


def _with_hips_below(rest: Array, points: Array) -> Array:
    """Put unseen hips upright below the shoulders and parallel to them."""
    moved = points.copy()
    across = _at(points, "left", "shoulder") - _at(points, "right", "shoulder")
    turn = upright_frame(across * np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    for side in _SIDES:
        offset = _at(rest, side, "hip") - _middle(rest, "shoulder")
        moved[INDEX[f"{side}_hip"]] = _middle(points, "shoulder") + turn @ offset
    return moved


def within_limits(local: Array) -> Array:
    """Clip local rotations (24, 3, 3) to the joint limits."""
    low, high = joint_limits()
    clipped = local.copy()
    clipped[1:MOVED] = exp_rotation(np.clip(log_rotation(local[1:MOVED]), low, high))
    return clipped
