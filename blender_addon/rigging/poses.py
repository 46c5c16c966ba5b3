"""The poses every person comes with, to put on and to keep in the asset library: as in the photo, T and A."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

from ..compat import action_curves, new_action
from ..importer.armature import apply_pose, ordered_bones, pose_channels
from ..importer.body import set_photo_corrective
from ..importer.frames import Floats
from ..rigs import POSES, PoseEntry
from .ik import snap_ik

_RIG = "munet_pose_of"
_A_POSE = np.radians(45.0)


def _pose(rig: bpy.types.Object, key: str) -> tuple[list[str], Floats, Floats | None]:
    """Return bone names, local rotations (J, 3, 3) in Blender's axes and the root's head, None for that at rest."""
    names: list[str] = json.loads(rig["munet_bone_names"])
    if key == "PHOTO":
        return names, np.array(rig["munet_rotations"]).reshape(-1, 3, 3), np.array(rig["munet_root_head"])
    rotations = np.tile(np.eye(3), (len(names), 1, 1))
    for name, sign in (("left_shoulder", 1.0), ("right_shoulder", -1.0)) if key == "A" else ():
        cos, sin = np.cos(_A_POSE), sign * np.sin(_A_POSE)
        rotations[names.index(name)] = [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]
    return names, rotations, None


def pose_rotations(rig: bpy.types.Object, key: str) -> dict[str, Floats]:
    """Return the local rotation (3, 3) in Blender's axes of each bone, by SMPL's name, in a pose of :data:`POSES`."""
    names, rotations, _ = _pose(rig, key)
    return dict(zip(names, rotations, strict=True))


def put_pose(rig: bpy.types.Object, key: str) -> None:
    """Put a pose of :data:`POSES` on every bone of ``rig``."""
    apply_pose(rig, *_pose(rig, key))
    set_photo_corrective(rig, 1.0 if key == "PHOTO" else 0.0)
    snap_ik(bpy.context, rig)


def pose_actions(rig: bpy.types.Object) -> list[bpy.types.Action]:
    """Return the actions that :func:`add_pose_assets` has made for ``rig``."""
    return [action for action in bpy.data.actions if action.get(_RIG) == rig]


def add_pose_assets(rig: bpy.types.Object) -> list[bpy.types.Action]:
    """Make an action, marked as asset, of each pose; those made before are replaced."""
    bpy.data.batch_remove(pose_actions(rig))
    return [_pose_action(rig, entry) for entry in POSES]


def _pose_action(rig: bpy.types.Object, entry: PoseEntry) -> bpy.types.Action:
    names, rotations, root_head = _pose(rig, entry.key)
    quaternions, location = pose_channels(rig, names, rotations, root_head)
    action = new_action(f"{rig.name.removesuffix(' rig')} {entry.label}", rig)
    curves, bones = action_curves(action), ordered_bones(rig, names)
    for bone, quaternion in zip(bones, quaternions, strict=True):
        _key_channel(curves, bone.path_from_id("rotation_quaternion"), quaternion)
    _key_channel(curves, bones[0].path_from_id("location"), location)
    action[_RIG] = rig
    action.asset_mark()
    action.asset_data.description = entry.text
    return action


def _key_channel(curves: bpy.types.bpy_prop_collection[Any], path: str, values: Floats) -> None:
    for index, value in enumerate(values.tolist()):
        curve = curves.new(path, index=index)
        curve.keyframe_points.add(1)
        curve.keyframe_points.foreach_set("co", [1.0, value])
        curve.update()
