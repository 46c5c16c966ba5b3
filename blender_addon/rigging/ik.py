"""Inverse kinematics on request: controls for hands and feet, and poles for elbows and knees."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import bpy
from mathutils import Matrix, Quaternion, Vector

from ..importer.armature import SMPL_NAME, bones_gone, editing
from ..people import IK, has_ik

_COLLECTION = "IK"
_CHAINS = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
_BENT = 0.05
_SIDEWAYS = 0.25
_STIFF = 0.99
_KINDS = ("IK", "COPY_ROTATION")
_LEAST_BEND = math.radians(0.2)
_REACH = 1.2


@dataclass(frozen=True)
class Limb:
    """The pose bones of an arm or a leg from the trunk outwards, and its controls where it has them."""

    upper: bpy.types.PoseBone
    lower: bpy.types.PoseBone
    end: bpy.types.PoseBone
    control: bpy.types.PoseBone | None
    pole: bpy.types.PoseBone | None


def _limbs(rig: bpy.types.Object) -> Iterator[Limb]:
    bones = {bone.bone[SMPL_NAME]: bone for bone in reversed(rig.pose.bones) if SMPL_NAME in bone.bone}
    controls = {bone.bone[IK]: bone for bone in rig.pose.bones if IK in bone.bone}
    for side in ("left", "right"):
        for chain in _CHAINS:
            upper, lower, end = names = [f"{side}_{part}" for part in chain]
            missing = [name for name in names if name not in bones]
            if missing:
                raise bones_gone(missing)
            yield Limb(bones[upper], bones[lower], bones[end], controls.get(end), controls.get(lower))


def add_ik(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Add controls and constraints to ``rig``; the pose stays. ``context`` must be in Object Mode."""
    ends = [(limb.lower.name, limb.end.name) for limb in _limbs(rig)]
    with editing(context, rig):
        for lower, end in ends:
            _add_controls(rig.data.edit_bones, lower, end)
    collection = rig.data.collections.get(_COLLECTION) or rig.data.collections.new(_COLLECTION)
    for limb in _limbs(rig):
        for bone in (limb.control, limb.pole):
            collection.assign(bone)
            bone.rotation_mode = "QUATERNION"
        _constrain(rig, limb)
    snap_ik(context, rig)


def _add_controls(bones: bpy.types.ArmatureEditBones, lower_name: str, end_name: str) -> None:
    lower, end = bones[lower_name], bones[end_name]
    control = bones.new(f"ik_{end_name}")
    control.head, control.tail, control.roll = end.head, end.tail, end.roll
    pole = bones.new(f"pole_{lower_name}")
    pole.head = lower.head + lower.z_axis * _REACH * lower.length
    pole.tail = pole.head + Vector((0.0, 0.0, lower.length / 5))
    for bone, of in ((control, end), (pole, lower)):
        bone.use_deform = False
        bone[IK] = of[SMPL_NAME]


def _constrain(rig: bpy.types.Object, limb: Limb) -> None:
    reach = limb.lower.constraints.new("IK")
    reach.target, reach.subtarget = rig, limb.control.name
    reach.pole_target, reach.pole_subtarget = rig, limb.pole.name
    reach.chain_count, reach.use_stretch = 2, False
    turn = limb.end.constraints.new("COPY_ROTATION")
    turn.target, turn.subtarget = rig, limb.control.name


def _constraints(rig: bpy.types.Object, limb: Limb) -> list[bpy.types.Constraint]:
    """Return the two constraints of ``limb``, IK and copied rotation, those of them that the artist has left."""
    names = {"", limb.control.name if limb.control is not None else ""}
    own = [(c, kind) for bone, kind in zip((limb.lower, limb.end), _KINDS, strict=True) for c in bone.constraints]
    return [c for c, kind in own if c.type == kind and c.target == rig and c.subtarget in names]


def _controlled(rig: bpy.types.Object) -> list[Limb]:
    """Return the limbs of ``rig`` whose controls and constraints are complete."""
    limbs = [limb for limb in _limbs(rig) if limb.control is not None and limb.pole is not None]
    return [limb for limb in limbs if len(_constraints(rig, limb)) == len(_KINDS)]


def snap_ik(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Put the controls of ``rig``, if it has some, to where its own rotations put hands, feet, elbows and knees."""
    if not has_ik(rig):
        return
    constraints = [constraint for limb in _controlled(rig) for constraint in _constraints(rig, limb)]
    for constraint in constraints:
        constraint.mute = True
    context.view_layer.update()
    for limb in _controlled(rig):
        _bend_a_little(limb)
    context.view_layer.update()
    for limb in _controlled(rig):
        _keep_hinge(limb)
        _snap(rig, limb)
    for constraint in constraints:
        constraint.mute = False
    context.view_layer.update()


def _bends(limb: Limb) -> tuple[Vector, Vector]:
    """Return the way from the line through both ends of ``limb`` to its joint, and the direction its hinge bends to."""
    start, joint, end = limb.upper.head, limb.lower.head, limb.lower.tail
    line = (end - start).normalized()
    bend, hinge = (joint - start) - line * (joint - start).dot(line), limb.upper.z_axis
    return bend, (hinge - line * hinge.dot(line)).normalized()


def _bend_a_little(limb: Limb) -> None:
    """Bend a straight ``limb`` by a fifth of a degree around its hinge; from straight, IK finds no way to bend.

    The end stays where it is, and no point of the limb moves by a millimetre.
    """
    bend, forward = _bends(limb)
    upper, lower = limb.upper.length, limb.lower.length
    angle = bend.dot(forward) * (upper + lower) / (upper * lower)
    missing = _LEAST_BEND - angle
    if 0.0 < missing < 1.5 * _LEAST_BEND:
        share = lower / (upper + lower)
        for bone, turn in ((limb.upper, missing * share), (limb.lower, -missing)):
            bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((1.0, 0.0, 0.0), turn)


def _keep_hinge(limb: Limb) -> None:
    """Let a joint that stands off sideways bend as a hinge; IK would go on sideways and knees would splay."""
    bend, forward = _bends(limb)
    sideways = (bend - forward * bend.dot(forward)).length > _SIDEWAYS * bend.length
    limb.lower.ik_stiffness_y = limb.lower.ik_stiffness_z = _STIFF if sideways else 0.0


def _snap(rig: bpy.types.Object, limb: Limb) -> None:
    limb.control.matrix = limb.end.matrix
    bend, forward = _bends(limb)
    way = bend.normalized() if bend.length > _BENT else forward
    place = limb.lower.head + way * _REACH * limb.lower.length
    limb.pole.matrix = Matrix.Translation(place) @ limb.pole.bone.matrix_local.to_3x3().to_4x4()
    _constraints(rig, limb)[0].pole_angle = _pole_angle(limb, place)


def _pole_angle(limb: Limb, pole: Vector) -> float:
    """Return the angle around the upper bone from its x axis to the plane of the limb."""
    along = limb.upper.tail - limb.upper.head
    normal = (limb.lower.tail - limb.upper.head).cross(pole - limb.upper.head)
    projected = normal.cross(along)
    angle: float = limb.upper.x_axis.angle(projected, 0.0)
    return -angle if limb.upper.x_axis.cross(projected).dot(along) > 0 else angle


def remove_ik(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Remove controls and constraints; the pose stays. ``context`` must be in Object Mode."""
    context.view_layer.update()
    limbs = list(_limbs(rig))
    turns = [(b.name, _local_rotation(rig, b)) for limb in limbs for b in (limb.upper, limb.lower, limb.end)]
    for limb in limbs:
        for constraint in _constraints(rig, limb):
            owner = limb.lower if constraint.type == _KINDS[0] else limb.end
            owner.constraints.remove(constraint)
    for name, rotation in turns:
        rig.pose.bones[name].rotation_quaternion = rotation
    with editing(context, rig):
        for bone in [bone for bone in rig.data.edit_bones if IK in bone]:
            rig.data.edit_bones.remove(bone)
    collection = rig.data.collections.get(_COLLECTION)
    if collection is not None:
        rig.data.collections.remove(collection)


def _local_rotation(rig: bpy.types.Object, bone: bpy.types.PoseBone) -> Quaternion:
    local = rig.convert_space(pose_bone=bone, matrix=bone.matrix, from_space="POSE", to_space="LOCAL")
    return local.to_quaternion()
