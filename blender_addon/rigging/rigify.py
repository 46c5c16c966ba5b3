"""A control rig made by Blender's own Rigify moves the rig of a person."""

from __future__ import annotations

import json
from collections.abc import Sequence

import bpy
from mathutils import Matrix

from ..importer.armature import SMPL_NAME, ordered_bones
from ..people import CONTROLS, control_rig
from ..rigs import bone_name
from ..steps import Steps
from .metarig import GUIDES, SCRIPT, Ends, Plan, build_controls
from .rigify_aside import bringing_controls

_FOLLOW = "Control Rig"
_SPINE = {
    "pelvis": "spine",
    "spine1": "spine.001",
    "spine2": "spine.002",
    "spine3": "spine.003",
    "neck": "spine.004",
    "head": "spine.006",
}


def _meta_name(smpl_name: str) -> str | None:
    if smpl_name.endswith("_hand"):
        return None
    return _SPINE.get(smpl_name) or bone_name(smpl_name, "BLENDER")


def _followed(rig: bpy.types.Object) -> dict[str, bpy.types.PoseBone]:
    """Return the bones of ``rig`` that a control rig moves, by the names that the meta-rig gives them."""
    bones = ((bone, _meta_name(bone.bone.get(SMPL_NAME, "_hand"))) for bone in rig.pose.bones)
    return {name: bone for bone, name in bones if name}


def _plan(rig: bpy.types.Object) -> Plan:
    ordered_bones(rig, json.loads(rig["munet_bone_names"]))
    bones = {
        name: Ends(
            bone.bone.head_local.to_tuple(),
            bone.bone.tail_local.to_tuple(),
            bone.bone.matrix_local.to_3x3().col[2].to_tuple(),
        )
        for name, bone in _followed(rig).items()
    }
    place = tuple(tuple(row) for row in rig.matrix_world)
    return Plan(f"{rig.name.removesuffix(' rig')} controls", place, bones)


def generating_control_rig(
    context: bpy.types.Context, rig: bpy.types.Object, program: Sequence[str]
) -> Steps[bpy.types.Object]:
    """Generate a Rigify rig for ``rig``, which follows it from then on, in steps; both begin in the T-pose.

    Args:
        context: in Object Mode.
        rig: of the person.
        program: the command that runs a script in another Blender, which then generates it; empty: this one does.

    Raises:
        AddonError: RIGIFY: Rigify could not generate it; BONES_GONE.
    """
    plan = _plan(rig)
    made, homes = (yield from bringing_controls(plan, program)) if program else build_controls(context, plan)
    yield
    _link(context, rig, made, homes)
    _follow(rig, made)
    rig[CONTROLS] = made
    for obj in context.selected_objects:
        obj.select_set(False)
    made.select_set(True)
    context.view_layer.objects.active = made
    return made


def _link(
    context: bpy.types.Context, rig: bpy.types.Object, made: bpy.types.Object, homes: list[bpy.types.Collection]
) -> None:
    """Put ``made`` beside ``rig``, and the collections of its widgets, out of sight, into the scene."""
    for collection in list(made.users_collection):
        collection.objects.unlink(made)
    for collection in rig.users_collection:
        collection.objects.link(made)
    scene = context.scene.collection
    for home in homes:
        if home not in scene.children_recursive:
            scene.children.link(home)
            context.view_layer.layer_collection.children[home.name].exclude = True


def _follow(rig: bpy.types.Object, controls: bpy.types.Object) -> None:
    """Let each bone of ``rig`` copy the hidden bone of ``controls`` that has its own rest axes."""
    for bone in rig.pose.bones:
        bone.matrix_basis = Matrix.Identity(4)
    for name, bone in _followed(rig).items():
        constraint = bone.constraints.new("COPY_TRANSFORMS")
        constraint.name = _FOLLOW
        constraint.target, constraint.subtarget = controls, f"{GUIDES} {name}"


def remove_control_rig(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Remove the control rig; the pose stays on the bones of ``rig``."""
    context.view_layer.update()
    posed = [
        (bone, rig.convert_space(pose_bone=bone, matrix=bone.matrix, from_space="POSE", to_space="LOCAL"))
        for bone in rig.pose.bones
    ]
    for bone, local in posed:
        for constraint in [c for c in bone.constraints if c.name.startswith(_FOLLOW)]:
            bone.constraints.remove(constraint)
        bone.location, bone.rotation_quaternion, bone.scale = local.decompose()
    controls = control_rig(rig)
    if controls is not None:
        _delete_with_widgets(controls)
    del rig[CONTROLS]


def _delete_with_widgets(controls: bpy.types.Object) -> None:
    widgets = {bone.custom_shape for bone in controls.pose.bones if bone.custom_shape is not None}
    homes = {collection for widget in widgets for collection in widget.users_collection}
    meshes = {widget.data for widget in widgets if widget.data is not None}
    script = controls.get(SCRIPT)
    bpy.data.batch_remove([controls, controls.data, *widgets, *meshes, *([script] if script is not None else [])])
    bpy.data.batch_remove([home for home in homes if not home.all_objects and not home.children])
