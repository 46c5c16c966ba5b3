"""The armature: natural bones of the right lengths at rest, and poses on its pose bones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import AddonError
from ..rigs import BoneStyle, bone_style
from .character import Character
from .frames import Floats, bone_local
from .placement import Placement

SMPL_NAME = "munet_smpl_name"
_SHORTEST_BONE = 0.005
CONNECT_WITHIN = 0.001


@dataclass(frozen=True)
class RestBone:
    """One bone at rest in armature space: where it lies, whose child it is and how it is presented."""

    smpl_name: str
    style: BoneStyle
    parent: int
    head: Floats
    tail: Floats
    connected: bool


def rest_bones(character: Character, placement: Placement) -> list[RestBone]:
    """Return the bones of ``character`` in armature space, parents first, none too short for Blender to keep."""
    parents = character.arrays["bone_parents"].tolist()
    heads = placement.rest(character.arrays["bone_heads"])
    tails = placement.rest(character.arrays["bone_tails"])
    connected = [p >= 0 and bool(np.linalg.norm(heads[i] - tails[p]) < CONNECT_WITHIN) for i, p in enumerate(parents)]
    for index, parent in enumerate(parents):
        if connected[index]:
            tails[parent] = heads[index]
    for index, parent in enumerate(parents):
        if np.linalg.norm(tails[index] - heads[index]) < _SHORTEST_BONE:
            along = tails[parent] - heads[parent] if parent >= 0 else np.array([0.0, 0.0, 1.0])
            tails[index] = heads[index] + along / max(float(np.linalg.norm(along)), 1e-9) * 4 * _SHORTEST_BONE
    names = character.bone_names
    return [
        RestBone(names[i], bone_style(names[i]), parents[i], heads[i], tails[i], connected[i])
        for i in range(len(parents))
    ]


@contextmanager
def editing(context: bpy.types.Context, rig: bpy.types.Object) -> Iterator[None]:
    """Put ``rig`` into Edit Mode for a while; ``context`` must be in Object Mode."""
    active = context.view_layer.objects.active
    context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        context.view_layer.objects.active = active


@contextmanager
def apart(rig: bpy.types.Object) -> Iterator[bpy.types.Context]:
    """Give ``rig`` a scene of its own for a while, so that nothing else is evaluated or shown for it."""
    scene = bpy.data.scenes.new("MuNet")
    try:
        scene.collection.objects.link(rig)
        layer = scene.view_layers[0]
        layer.objects.active = rig
        with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=rig, object=rig):
            yield bpy.context
    finally:
        bpy.data.scenes.remove(scene)


def _add_edit_bones(armature: bpy.types.Armature, bones: list[RestBone]) -> None:
    made: list[bpy.types.EditBone] = []
    for bone in bones:
        edit_bone = armature.edit_bones.new(bone.style.name)
        edit_bone.head, edit_bone.tail = bone.head.tolist(), bone.tail.tolist()
        edit_bone.align_roll(Vector(bone.style.z_axis))
        edit_bone[SMPL_NAME] = bone.smpl_name
        if bone.parent >= 0:
            edit_bone.parent = made[bone.parent]
            edit_bone.use_connect = bone.connected
        made.append(edit_bone)


def _sort_into_collections(armature: bpy.types.Armature, bones: list[RestBone]) -> None:
    for bone in bones:
        collection = armature.collections.get(bone.style.collection) or armature.collections.new(bone.style.collection)
        collection.assign(armature.bones[bone.style.name])


def build_armature(
    character: Character, placement: Placement, name: str, collection: bpy.types.Collection
) -> bpy.types.Object:
    """Build the rig of ``character`` in its rest pose and link it to ``collection``, which need not be in a scene."""
    bones = rest_bones(character, placement)
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    rig.location = placement.location.tolist()
    with apart(rig) as context, editing(context, rig):
        _add_edit_bones(armature, bones)
    collection.objects.link(rig)
    _sort_into_collections(armature, bones)
    rig.show_in_front = True
    armature.display_type = "STICK"
    return rig


def ordered_bones(rig: bpy.types.Object, smpl_names: list[str]) -> list[bpy.types.PoseBone]:
    """Return the pose bones of ``rig`` in the order of ``smpl_names``, whatever they are called now.

    Of bones that the artist has duplicated the first counts.

    Raises:
        AddonError: BONES_GONE.
    """
    by_smpl = {bone.bone.get(SMPL_NAME): bone for bone in reversed(rig.pose.bones)}
    missing = [name for name in smpl_names if name not in by_smpl]
    if missing:
        raise bones_gone(missing)
    return [by_smpl[name] for name in smpl_names]


def bones_gone(names: Sequence[str]) -> AddonError:
    """Return the error for bones, with SMPL's ``names``, that the artist has deleted."""
    return AddonError(
        "BONES_GONE",
        "Bones of this person were deleted.",
        detail=f"Missing: {', '.join(names)}.",
        hint="Undo that, or reconstruct the person as a new one.",
    )


def pose_channels(
    rig: bpy.types.Object, smpl_names: list[str], rotations: Floats, root_head: Floats | None
) -> tuple[Floats, Floats]:
    """Return a pose as values of pose bones: quaternions (J, 4), w first, and the location (3,) of the root bone.

    Args:
        rig: the armature object.
        smpl_names: names of the J bones.
        rotations: (J, 3, 3) local rotations in Blender's axes, as SMPL means them.
        root_head: (3,) head of the root bone in armature space; None leaves it at rest.
    """
    bones = ordered_bones(rig, smpl_names)
    rest = np.array([bone.bone.matrix_local.to_3x3() for bone in bones])
    local = bone_local(rest, rotations)
    quaternions = np.array([Matrix(matrix.tolist()).to_quaternion() for matrix in local])
    if root_head is None:
        return quaternions, np.zeros(3)
    return quaternions, rest[0].T @ (root_head - np.array(bones[0].bone.head_local))


def apply_pose(rig: bpy.types.Object, smpl_names: list[str], rotations: Floats, root_head: Floats | None) -> None:
    """Put a pose, given as for :func:`pose_channels`, on ``rig``."""
    bones = ordered_bones(rig, smpl_names)
    quaternions, location = pose_channels(rig, smpl_names, rotations, root_head)
    for bone, quaternion in zip(bones, quaternions.tolist(), strict=True):
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = quaternion
        bone.location = (0.0, 0.0, 0.0)
        bone.scale = (1.0, 1.0, 1.0)
    bones[0].location = location.tolist()
