"""One rig, many naming schemes: bones, vertex groups, drivers and actions are renamed together."""

from __future__ import annotations

import json

import bpy

from ..compat import action_curves
from ..importer.armature import ordered_bones
from ..people import NAMING
from ..rigs import bone_name
from .poses import pose_actions


def rename_bones(rig: bpy.types.Object, scheme: str) -> None:
    """Rename the bones of ``rig`` after ``scheme``, a key of :data:`munet.rigs.SCHEMES`.

    Blender renames the vertex groups of bound meshes, drivers, constraints and the action that is played; the pose
    actions of ``rig`` that nobody plays are renamed here.
    """
    names = json.loads(rig["munet_bone_names"])
    bones = ordered_bones(rig, names)
    changes = {bone.name: bone_name(smpl, scheme) for bone, smpl in zip(bones, names, strict=True)}
    for bone in bones:
        before = bone.name
        bone.name = changes[before]
        changes[before] = bone.name
    for action in pose_actions(rig):
        _rename_curves(action, changes)
    rig[NAMING] = scheme


def _rename_curves(action: bpy.types.Action, changes: dict[str, str]) -> None:
    for curve in action_curves(action):
        head, quote, rest = curve.data_path.partition('pose.bones["')
        name, end, channel = rest.partition('"]')
        if not head and quote and name in changes:
            curve.data_path = f"{quote}{changes[name]}{end}{channel}"
