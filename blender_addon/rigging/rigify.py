"""A control rig made by Blender's own Rigify: a meta-rig with this person's joints, generated, moves our rig."""

from __future__ import annotations

import bpy
from mathutils import Matrix, Vector

from ..errors import AddonError
from ..importer.armature import SMPL_NAME, editing
from ..rigs import bone_name

_CONTROLS = "munet_control_rig"
_FOLLOW = "Control Rig"
_GUIDES = "MuNet"
_SPINE = {
    "pelvis": "spine",
    "spine1": "spine.001",
    "spine2": "spine.002",
    "spine3": "spine.003",
    "neck": "spine.004",
    "head": "spine.006",
}
_LEFT_OUT = ("face", "breast.L", "breast.R", "pelvis.L", "pelvis.R")
_HEEL = 0.35
_BEND = 0.005


def rigify_enabled() -> bool:
    """Return whether Rigify is enabled in the preferences; it is not ours to enable."""
    return "rigify" in bpy.context.preferences.addons


def control_rig(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the generated rig that moves ``rig``, or None."""
    found: bpy.types.Object | None = rig.get(_CONTROLS)
    return found if found is not None and found.name in bpy.data.objects else None


def _meta_name(smpl_name: str) -> str | None:
    if smpl_name.endswith("_hand"):
        return None
    return _SPINE.get(smpl_name) or bone_name(smpl_name, "BLENDER")


def generate_control_rig(context: bpy.types.Context, rig: bpy.types.Object) -> bpy.types.Object:
    """Generate a Rigify rig for ``rig``, which follows it from then on; both begin in the T-pose.

    ``context`` must be in Object Mode.

    Raises:
        AddonError: RIGIFY: Rigify could not generate it.
    """
    before = set(bpy.data.objects)
    try:
        meta = _make_meta_rig(context, rig)
        bpy.ops.pose.rigify_generate()
    except RuntimeError as error:
        bpy.data.batch_remove([obj for obj in bpy.data.objects if obj not in before and obj.type == "ARMATURE"])
        raise AddonError("RIGIFY", "Rigify could not generate the control rig.", detail=str(error).strip()) from error
    made = next(o for o in bpy.data.objects if o not in before and o != meta and o.type == "ARMATURE")
    made.name = f"{rig.name.removesuffix(' rig')} controls"
    armature = meta.data
    bpy.data.objects.remove(meta)
    bpy.data.armatures.remove(armature)
    _put_beside(made, rig)
    _follow(context, rig, made)
    rig[_CONTROLS] = made
    return made


def _put_beside(made: bpy.types.Object, rig: bpy.types.Object) -> None:
    for collection in list(made.users_collection):
        collection.objects.unlink(made)
    for collection in rig.users_collection:
        collection.objects.link(made)


def _make_meta_rig(context: bpy.types.Context, rig: bpy.types.Object) -> bpy.types.Object:
    bpy.ops.object.armature_human_metarig_add()
    meta = context.object
    meta.matrix_world = rig.matrix_world
    ends = {
        name: (bone.head_local.copy(), bone.tail_local.copy(), bone.matrix_local.to_3x3().col[2])
        for bone in rig.data.bones
        if SMPL_NAME in bone and (name := _meta_name(bone[SMPL_NAME]))
    }
    for side in "LR":
        for upper, lower, end in (("thigh", "shin", "foot"), ("upper_arm", "forearm", "hand")):
            _bend(ends, f"{upper}.{side}", f"{lower}.{side}", f"{end}.{side}")
    with editing(context, meta):
        _simplify(meta.data.edit_bones)
        _place(meta.data.edit_bones, ends)
    context.view_layer.objects.active = meta
    return meta


def _bend(ends: dict[str, tuple[Vector, Vector, Vector]], upper: str, lower: str, end: str) -> None:
    """Move elbow or knee so that Rigify, which guesses from a nearly straight limb, sees which way it bends.

    What is taken away lies along the joint's axis, where it changes nothing.
    """
    start, joint, goal = ends[upper][0], ends[lower][0], ends[end][0]
    line = (goal - start).normalized()
    ahead = ends[upper][2] - line * ends[upper][2].dot(line)
    ahead.normalize()
    way = joint - start
    placed = start + line * way.dot(line) + ahead * max(way.dot(ahead), _BEND)
    ends[lower] = (placed, ends[lower][1], ends[lower][2])


def _simplify(bones: bpy.types.ArmatureEditBones) -> None:
    """Take away what our rig does not have: the face, and the palms between wrist and fingers."""
    for name in _LEFT_OUT:
        if name in bones:
            for bone in [*bones[name].children_recursive, bones[name]]:
                bones.remove(bone)
    for side in "LR":
        for number in range(1, 5):
            palm = bones[f"palm.{number:02d}.{side}"]
            for child in palm.children:
                child.parent = bones[f"hand.{side}"]
            bones.remove(palm)


def _place(bones: bpy.types.ArmatureEditBones, ends: dict[str, tuple[Vector, Vector, Vector]]) -> None:
    for name, (head, tail, z_axis) in ends.items():
        bone = bones[name]
        child = next((c for c in bone.children if c.use_connect and c.name in ends), None)
        bone.head, bone.tail = head, ends[child.name][0] if child else tail
        bone.align_roll(z_axis)
    neck, head = ends["spine.004"][0], ends["spine.006"][0]
    bones["spine.004"].tail = bones["spine.005"].head = neck.lerp(head, 0.5)
    bones["spine.005"].tail = head
    bones["spine.003"].tail = neck
    for side in "LR":
        ankle, toe = ends[f"foot.{side}"][0], ends[f"toe.{side}"][0]
        back = ankle - (toe - ankle) * _HEEL
        half = Vector(((toe - ankle).length * _HEEL / 2, 0.0, 0.0))
        heel = bones[f"heel.02.{side}"]
        floor = Vector((back.x, back.y, 0.0))
        heel.head, heel.tail = (floor - half, floor + half) if side == "R" else (floor + half, floor - half)


def _follow(context: bpy.types.Context, rig: bpy.types.Object, controls: bpy.types.Object) -> None:
    """Let each bone of ``rig`` copy a hidden bone of ``controls`` that has its own rest axes."""
    followed = [(bone, name) for bone in rig.pose.bones if (name := _meta_name(bone.bone.get(SMPL_NAME, "_hand")))]
    with editing(context, controls):
        for bone, name in followed:
            _add_guide(controls.data.edit_bones, bone.bone, name)
    hidden = controls.data.collections.new(_GUIDES)
    hidden.is_visible = False
    for bone in rig.pose.bones:
        bone.matrix_basis = Matrix.Identity(4)
    for bone, name in followed:
        guide = controls.data.bones[f"{_GUIDES} {name}"]
        hidden.assign(guide)
        constraint = bone.constraints.new("COPY_TRANSFORMS")
        constraint.name = _FOLLOW
        constraint.target, constraint.subtarget = controls, guide.name


def _add_guide(bones: bpy.types.ArmatureEditBones, bone: bpy.types.Bone, name: str) -> None:
    guide = bones.new(f"{_GUIDES} {name}")
    guide.head, guide.tail = bone.head_local, bone.tail_local
    guide.align_roll(bone.matrix_local.to_3x3().col[2])
    guide.parent, guide.use_deform = bones[f"ORG-{name}"], False


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
    del rig[_CONTROLS]


def _delete_with_widgets(controls: bpy.types.Object) -> None:
    widgets = {bone.custom_shape for bone in controls.pose.bones if bone.custom_shape is not None}
    homes = {collection for widget in widgets for collection in widget.users_collection}
    meshes = {widget.data for widget in widgets if widget.data is not None}
    bpy.data.batch_remove([controls, controls.data, *widgets, *meshes])
    bpy.data.batch_remove([home for home in homes if not home.all_objects and not home.children])
