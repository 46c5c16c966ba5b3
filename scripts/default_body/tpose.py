"""From Anny's A-pose to SMPL's T-pose: arms along x with the palms down, knees and elbows straight, feet flat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from default_body.source import Source

Array = NDArray[np.float64]

CLAVICLE_RAISE = np.deg2rad(6.0)
THIGH_OUTWARD = np.deg2rad(2.5)
FLEXION_AXIS = np.array([0.0, -1.0, 0.0])
PALM_NORMAL = np.array([0.0, -1.0, 0.0])


def _unit(v: Array) -> Array:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _frame(direction: Array, side: Array) -> Array:
    """Orthonormal frames (N, 3, 3) with columns: direction, the part of side orthogonal to it, their cross."""
    first = _unit(direction)
    second = _unit(side - (side * first).sum(-1, keepdims=True) * first)
    return np.stack([first, second, np.cross(first, second)], -1)


def _turn(direction: Array, side: Array, new_direction: Array, new_side: Array) -> Array:
    """Rotations (N, 3, 3) that carry a direction and a side vector onto new ones."""
    new = _frame(np.broadcast_to(new_direction, direction.shape), np.broadcast_to(new_side, side.shape))
    return new @ np.swapaxes(_frame(direction, side), -1, -2)


def _rotation_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _partial(rotation: Array, fraction: float) -> Array:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(Rotation.from_matrix(rotation).as_rotvec() * fraction).as_matrix()


def _arm_turns(heads: dict[str, Array], side: str) -> dict[str, Array]:
    """World rotations of the arm's bones; the forearm's twist grows towards the wrist."""
    out = np.array([1.0 if side == "L" else -1.0, 0, 0])
    shoulder, elbow, wrist = (heads[f"{n}.{side}"] for n in ("upperarm01", "lowerarm01", "wrist"))
    flexion = np.cross(elbow - shoulder, wrist - elbow)
    axis = FLEXION_AXIS * out[0]
    upper = _turn(elbow - shoulder, flexion, out, axis)
    fore = _turn(wrist - elbow, flexion, out, axis)
    knuckles = {n: heads[f"finger{n}-1.{side}"] for n in (2, 3, 4, 5)}
    along = np.mean(list(knuckles.values()), 0) - wrist
    palm = np.cross(knuckles[5] - wrist, knuckles[2] - wrist) * out[0]
    hand = _turn(along, palm, out, PALM_NORMAL)
    twist = _forearm_twist(hand @ np.swapaxes(fore, -1, -2), out)
    clavicle = np.broadcast_to(_rotation_z(CLAVICLE_RAISE * out[0]), upper.shape)
    turns = {
        "clavicle": clavicle,
        "shoulder01": clavicle,
        "upperarm01": upper,
        "upperarm02": upper,
        "lowerarm01": _partial(twist, 0.35) @ fore,
        "lowerarm02": _partial(twist, 0.75) @ fore,
        "wrist": hand,
    }
    return {f"{name}.{side}": turn for name, turn in turns.items()}


def _forearm_twist(turn: Array, axis: Array) -> Array:
    """The part of rotations (N, 3, 3) that turns about ``axis``."""
    from scipy.spatial.transform import Rotation

    quaternion = Rotation.from_matrix(turn).as_quat()
    angle = 2 * np.arctan2(quaternion[:, :3] @ axis, quaternion[:, 3])
    return Rotation.from_rotvec(angle[:, None] * axis).as_matrix()


def _leg_turns(heads: dict[str, Array], side: str) -> dict[str, Array]:
    out = 1.0 if side == "L" else -1.0
    hip, knee, ankle = (heads[f"{n}.{side}"] for n in ("upperleg01", "lowerleg01", "foot"))
    thigh_down = np.array([out * np.sin(THIGH_OUTWARD), -np.cos(THIGH_OUTWARD), 0])
    hinge = np.array([1.0, 0, 0])
    thigh = _turn(knee - hip, np.broadcast_to(hinge, hip.shape), thigh_down, hinge)
    shin = _turn(ankle - knee, np.broadcast_to(hinge, hip.shape), np.array([0, -1.0, 0]), hinge)
    identity = np.broadcast_to(np.eye(3), thigh.shape)
    turns = {"upperleg01": thigh, "upperleg02": thigh, "lowerleg01": shin, "lowerleg02": shin, "foot": identity}
    return {f"{name}.{side}": turn for name, turn in turns.items()}


def tpose_turns(source: Source) -> Array:
    """World rotations (N, B, 3, 3) of Anny's bones that lead from its rest pose to the T-pose."""
    heads = {name: source.heads[:, i] for i, name in enumerate(source.bones)}
    named: dict[str, Array] = {}
    for side in "LR":
        named |= _arm_turns(heads, side) | _leg_turns(heads, side)
    count = len(source.heads)
    turns = np.empty((count, len(source.bones), 3, 3))
    for bone, (name, parent) in enumerate(zip(source.bones, source.parents, strict=True)):
        if name in named:
            turns[:, bone] = named[name]
        elif parent < 0 or name.startswith(("pelvis", "spine", "neck")):
            turns[:, bone] = np.eye(3)
        else:
            turns[:, bone] = turns[:, parent]
    return turns


def skin(source: Source, turns: Array) -> tuple[Array, Array]:
    """Pose all people with world rotations per bone: vertices (N, V, 3) and bone heads (N, B, 3)."""
    heads = source.heads.copy()
    for bone, parent in enumerate(source.parents):
        if parent >= 0:
            step = source.heads[:, bone] - source.heads[:, parent]
            heads[:, bone] = heads[:, parent] + np.einsum("nij,nj->ni", turns[:, parent], step)
    offsets = heads - np.einsum("nbij,nbj->nbi", turns, source.heads)
    affine = np.concatenate([turns, offsets[..., None]], -1).reshape(len(turns), -1, 12)
    vertices = np.empty_like(source.vertices)
    for person, rest in enumerate(source.vertices):
        blended = (source.weights @ affine[person]).reshape(-1, 3, 4)
        vertices[person] = np.einsum("vij,vj->vi", blended[..., :3], rest) + blended[..., 3]
    return vertices, heads
