"""From the skeleton of a BVH file to the rotations of SMPL's joints. No bpy.

A joint's change of world rotation since rest, times the smallest swing that carries the rig's rest bone onto the
file's (chained from upper to lower limb, so that T-poses, A-poses and hanging arms all come out right), is its world
rotation. Trunk, neck, head and collars take the change as it is; feet take it with a turn about the vertical only, so
that a flat foot stays flat.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..importer.frames import BLENDER_FROM_BODY, Floats, matrices_from_axis_angle
from .axes import BLENDER_FROM, up_axis
from .bvh import Bvh
from .clip import BODY_JOINTS, HAND_JOINTS, Clip
from .rotations import matrices, quaternions, slerp, swing, twist
from .skeletons import Skeleton

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
_SIDES = ("left", "right")
_WRIST_SHARE = 0.5
_REST_SHARE = 0.75


def _upright(bvh: Bvh, skeleton: Skeleton, up: str) -> Floats:
    """Return the rotation (3, 3) from the file's axes to Blender's in which its rest pose stands and faces -y."""
    at = {name: bvh.rest[index] for name, index in skeleton.joints.items()}
    ankles = (at["left_ankle"] + at["right_ankle"]) / 2
    turn = BLENDER_FROM[up_axis(at["head"] - ankles, up)]
    left = turn @ (at["left_hip"] - at["right_hip"] + at["left_shoulder"] - at["right_shoulder"])
    angle = np.arctan2(left[1], left[0])
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ turn


def _rest_corrections(rest: Mapping[str, Floats], heads: Mapping[str, Floats], skeleton: Skeleton) -> dict[str, Floats]:
    """Return for each limb joint the rotation from the rig's rest to the file's, both in Blender's axes."""
    found: dict[str, Floats] = {}
    for side in _SIDES:
        for joint, child in _LIMBS:
            name, end = f"{side}_{joint}", f"{side}_{child}"
            above = found.get({"knee": f"{side}_hip", "elbow": f"{side}_shoulder"}.get(joint, ""), np.eye(3))
            theirs = rest[end] - rest[name]
            known = np.linalg.norm(theirs) > 1e-6
            found[name] = (swing(above @ (heads[end] - heads[name]), theirs) if known else np.eye(3)) @ above
        found[f"{side}_wrist"] = found[f"{side}_elbow"]
        found |= {name: found[f"{side}_elbow"] for name in HAND_JOINTS[side] if name in skeleton.joints}
        found |= _flat_foot(rest, heads, side)
    for name, degrees in skeleton.corrections.items():
        found[name] = found.get(name, np.eye(3)) @ _correction(name, np.array(degrees), heads)
    return found


def _correction(name: str, degrees: Floats, heads: Mapping[str, Floats]) -> Floats:
    """Return the rotation of a correction; limbs only twist, so that they keep pointing where the file has them."""
    turn = BLENDER_FROM_BODY @ np.radians(degrees)
    side, _, joint = name.partition("_")
    end = dict(_LIMBS).get(joint)
    if end is not None:
        along = heads[f"{side}_{end}"] - heads[name]
        turn = along * (turn @ along) / (along @ along)
    result: Floats = matrices_from_axis_angle(turn[None])[0]
    return result


def _flat_foot(rest: Mapping[str, Floats], heads: Mapping[str, Floats], side: str) -> dict[str, Floats]:
    ankle, toe = f"{side}_ankle", f"{side}_foot"
    if toe not in rest or np.linalg.norm((rest[toe] - rest[ankle])[:2]) < 1e-6:
        return {}
    flat = np.array([1.0, 1.0, 0.0])
    turn = swing((heads[toe] - heads[ankle]) * flat, (rest[toe] - rest[ankle]) * flat)
    return {ankle: turn, toe: turn}


def _along(chain: list[Floats], count: int) -> list[Floats]:
    """Spread the world rotations of a chain, its base first, over ``count`` joints above the base."""
    turns = [quaternions(link) for link in chain]
    found = []
    for step in range(1, count + 1):
        position = step * (len(chain) - 1) / count
        before = min(int(position), len(chain) - 2)
        share = np.full(len(chain[0]), position - before)
        found.append(matrices(slerp(turns[before], turns[before + 1], share)))
    return found


def _world_rotations(changes: Floats, skeleton: Skeleton, corrections: Mapping[str, Floats]) -> dict[str, Floats]:
    def of(name: str) -> Floats:
        return changes[:, skeleton.joints[name]] @ corrections.get(name, np.eye(3))

    worlds = {name: of(name) for name in skeleton.joints if name != "pelvis"}
    worlds["pelvis"] = changes[:, skeleton.joints["pelvis"]]
    spine = _along([worlds["pelvis"], *(changes[:, index] for index in skeleton.spine)], 3)
    worlds |= dict(zip(("spine1", "spine2", "spine3"), spine, strict=True))
    if skeleton.neck:
        worlds["neck"] = changes[:, skeleton.neck[0]] @ corrections.get("neck", np.eye(3))
    else:
        worlds["neck"] = _along([worlds["spine3"], worlds["head"]], 2)[0]
    return worlds


def _share_wrist_twist(locals_: dict[str, Floats], heads: Mapping[str, Floats]) -> None:
    """Move half of the twist of each wrist to the forearm, where it is in an arm of flesh."""
    for side in _SIDES:
        elbow, wrist = f"{side}_elbow", f"{side}_wrist"
        axis = heads[wrist] - heads[elbow]
        turned = twist(quaternions(locals_[wrist]), axis / np.linalg.norm(axis))
        still = np.tile([1.0, 0.0, 0.0, 0.0], (len(turned), 1))
        half = matrices(slerp(still, turned, np.full(len(turned), _WRIST_SHARE)))
        locals_[elbow] = locals_[elbow] @ half
        locals_[wrist] = np.swapaxes(half, -1, -2) @ locals_[wrist]


def _locals(worlds: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return local rotations; joints that the file lacks keep to their parents."""
    everything, found = dict(worlds), {}
    parents = {name: BODY_JOINTS[parent] for name, parent in zip(BODY_JOINTS, PARENTS, strict=True) if parent >= 0}
    for side in _SIDES:
        for index, name in enumerate(HAND_JOINTS[side]):
            parents[name] = f"{side}_wrist" if index % 3 == 0 else HAND_JOINTS[side][index - 1]
    for name in [*BODY_JOINTS[:22], *(n for side in _SIDES for n in HAND_JOINTS[side] if n in worlds)]:
        if name == "pelvis":
            found[name] = everything[name]
            continue
        everything.setdefault(name, everything[parents[name]])
        above = everything.setdefault(parents[name], everything[parents.get(parents[name], "pelvis")])
        found[name] = np.swapaxes(above, -1, -2) @ everything[name]
    return found


def _leg(points: Mapping[str, Floats]) -> float:
    pairs = [(f"{side}_{a}", f"{side}_{b}") for side in _SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))]
    return sum(float(np.linalg.norm(points[b] - points[a])) for a, b in pairs) / 2


def _without_rest_frame(bvh: Bvh) -> slice:
    """Leave out a first frame that only shows a rest pose, as many CMU files have it.

    Most of its joints are not turned at all, and in the frame after it they are.
    """
    still = []
    for frame in bvh.rotations[:2]:
        above = np.array([frame[parent] if parent >= 0 else np.eye(3) for parent in bvh.parents])
        still.append(float(np.mean(np.abs(frame - above).max(axis=(1, 2)) < 1e-6)))
    return slice(1 if len(still) == 2 and still[0] > _REST_SHARE > still[1] else 0, None)


def retarget(name: str, bvh: Bvh, skeleton: Skeleton, heads: Mapping[str, Floats], *, up: str = "AUTO") -> Clip:
    """Carry the motion of ``bvh`` over to a rig.

    Args:
        name: of the clip.
        bvh: the file.
        skeleton: which of its joints are which.
        heads: (3,) rest head of each bone of the rig in Blender's axes, by SMPL name.
        up: Y, Z or -Y; AUTO takes the axis along which the file's rest pose stands.

    Returns:
        The clip; the way of the hips is scaled by the lengths of the legs.
    """
    turn, frames = _upright(bvh, skeleton, up), _without_rest_frame(bvh)
    rest = {joint: turn @ bvh.rest[index] for joint, index in skeleton.joints.items()}
    changes = turn @ bvh.rotations[frames] @ turn.T
    corrections = _rest_corrections(rest, heads, skeleton)
    turns = _locals(_world_rotations(changes, skeleton, corrections))
    _share_wrist_twist(turns, heads)
    hips = bvh.positions[frames][:, skeleton.joints["pelvis"]] @ turn.T * (_leg(heads) / max(_leg(rest), 1e-9))
    notes = (f"Skeleton: {skeleton.family}.",)
    return Clip(name, bvh.fps, list(turns), np.stack(list(turns.values()), axis=1), hips, notes)
