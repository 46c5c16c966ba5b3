"""A control rig made by Blender's own Rigify: a meta-rig with a person's joints, generated. Needs no person."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from mathutils import Matrix, Vector

from ..errors import AddonError
from ..importer.armature import editing

GUIDES = "MuNet"
SCRIPT = "rig_ui"
"""Property of a generated rig: the text that draws the panel of its controls."""
_LEFT_OUT = ("face", "breast.L", "breast.R", "pelvis.L", "pelvis.R")
_HEEL = 0.35
_BEND = 0.005
_Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Ends:
    """A bone at rest in armature space: where it begins and ends, and its z axis."""

    head: _Vector
    tail: _Vector
    z_axis: _Vector


@dataclass(frozen=True)
class Plan:
    """What a control rig is made of.

    Attributes:
        name: of the control rig.
        place: matrix of the rig in the world, row by row.
        bones: of the person by the names that the meta-rig gives them.
    """

    name: str
    place: tuple[tuple[float, ...], ...]
    bones: dict[str, Ends]


def build_controls(context: bpy.types.Context, plan: Plan) -> tuple[bpy.types.Object, list[bpy.types.Collection]]:
    """Generate a control rig in the scene, with a hidden bone for each of the person's; ``context`` in Object Mode.

    Returns:
        The rig, and the collections that were made for its widgets.

    Raises:
        AddonError: RIGIFY: Rigify could not generate it.
    """
    before, homes, armatures = set(bpy.data.objects), set(bpy.data.collections), set(bpy.data.armatures)
    try:
        meta = _make_meta_rig(context, plan)
        bpy.ops.pose.rigify_generate()
    except RuntimeError as error:
        bpy.data.batch_remove([obj for obj in bpy.data.objects if obj not in before and obj.type == "ARMATURE"])
        raise AddonError("RIGIFY", "Rigify could not generate the control rig.", detail=str(error).strip()) from error
    made = next(o for o in bpy.data.objects if o not in before and o != meta and o.type == "ARMATURE")
    made.name = plan.name
    # Rigify leaves what it generates at the origin, wherever the meta-rig stands.
    made.matrix_world = Matrix(plan.place)
    bpy.data.objects.remove(meta)
    bpy.data.batch_remove({*bpy.data.armatures} - armatures - {made.data})
    _add_guides(context, made, plan)
    return made, [home for home in bpy.data.collections if home not in homes]


def _make_meta_rig(context: bpy.types.Context, plan: Plan) -> bpy.types.Object:
    bpy.ops.object.armature_human_metarig_add()
    meta: bpy.types.Object = context.object
    meta.matrix_world = Matrix(plan.place)
    ends = {name: (Vector(b.head), Vector(b.tail), Vector(b.z_axis)) for name, b in plan.bones.items()}
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


def _add_guides(context: bpy.types.Context, controls: bpy.types.Object, plan: Plan) -> None:
    """Add to ``controls`` a hidden bone with the rest axes of each of the person's, which it moves."""
    with editing(context, controls):
        for name, ends in plan.bones.items():
            guide = controls.data.edit_bones.new(f"{GUIDES} {name}")
            guide.head, guide.tail = ends.head, ends.tail
            guide.align_roll(Vector(ends.z_axis))
            guide.parent, guide.use_deform = controls.data.edit_bones[f"ORG-{name}"], False
    hidden = controls.data.collections.new(GUIDES)
    hidden.is_visible = False
    for name in plan.bones:
        hidden.assign(controls.data.bones[f"{GUIDES} {name}"])
