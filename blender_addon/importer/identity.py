"""Let the rig follow the body when its identity is changed with the shape keys."""

from __future__ import annotations

import json

import bpy
import numpy as np
from mathutils import Vector

from ..people import JOINT_DIRECTIONS, corrected_meshes
from ..rigs import bone_style
from .armature import CONNECT_WITHIN, apply_pose, editing, ordered_bones
from .character import Character
from .correctives import turn_correctives
from .frames import Floats, points_from_body

_SHAPE = "munet_rig_shape"


def remember_joint_directions(rig: bpy.types.Object, character: Character) -> None:
    """Keep on ``rig`` how its joints move per unit of each shape key."""
    directions = np.moveaxis(character.arrays["joint_shape_dirs"].astype(np.float64), 2, 0)
    rig[JOINT_DIRECTIONS] = points_from_body(directions).reshape(-1).tolist()
    rig[_SHAPE] = [0.0] * len(directions)


def fit_rig_to_shape(context: bpy.types.Context, rig: bpy.types.Object, body: bpy.types.Object) -> None:
    """Move the rest joints of ``rig`` to where the shape keys of ``body`` put them; the pose stays.

    ``context`` must be in Object Mode.
    """
    names: list[str] = json.loads(rig["munet_bone_names"])
    before = np.array(rig[_SHAPE])
    keys = body.data.shape_keys.key_blocks
    kept = [keys.get(f"Shape{index:03d}") for index in range(len(before))]
    shape = np.array([key.value if key is not None else 0.0 for key in kept])
    directions = np.array(rig[JOINT_DIRECTIONS]).reshape(len(before), len(names), 3)
    bones = ordered_bones(rig, names)
    rest = np.array([bone.bone.matrix_local.to_3x3() for bone in bones])
    basis = np.array([bone.matrix_basis.to_3x3() for bone in bones])
    moved_root = rest[0] @ np.array(bones[0].location)
    _move_joints(context, rig, [bone.name for bone in bones], np.tensordot(shape - before, directions, axes=1))
    apply_pose(rig, names, rest @ basis @ np.swapaxes(rest, -1, -2), None)
    after = ordered_bones(rig, names)
    axes = np.array([bone.bone.matrix_local.to_3x3() for bone in after])
    for mesh in corrected_meshes(rig):
        turn_correctives(mesh, np.swapaxes(rest, -1, -2) @ axes)
    root = after[0]
    root.location = (np.array(root.bone.matrix_local.to_3x3()).T @ moved_root).tolist()
    rig[_SHAPE] = shape.tolist()


def _move_joints(context: bpy.types.Context, rig: bpy.types.Object, bone_names: list[str], moves: Floats) -> None:
    with editing(context, rig):
        edit_bones = [rig.data.edit_bones[name] for name in bone_names]
        ends = [_moved_ends(edit_bones, moves, index) for index in range(len(edit_bones))]
        for bone, (head, tail) in zip(edit_bones, ends, strict=True):
            bone.head, bone.tail = head, tail
            bone.align_roll(Vector(bone_style(bone["munet_smpl_name"]).z_axis))


def _moved_ends(bones: list[bpy.types.EditBone], moves: Floats, index: int) -> tuple[Vector, Vector]:
    """Return head and tail of a bone; a tail that lies on a child's head moves with the child."""
    bone = bones[index]
    on_tail = [i for i, b in enumerate(bones) if b.parent == bone and (b.head - bone.tail).length < CONNECT_WITHIN]
    return bone.head + Vector(moves[index]), bone.tail + Vector(moves[on_tail[0] if on_tail else index])
