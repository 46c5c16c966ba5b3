"""A temporary copy of one character, ready for an exporter, while the artist's scene stays as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from ..compat import all_curves
from ..errors import AddonError
from ..importer.corrective_data import remove_correctives, rotate_correctives
from ..importer.correctives import correct_once
from ..people import CORRECTIVES, COVERED, light_version, shaped_body
from ..rigging.bake import bake_correctives, frames_to_bake
from ..rigging.poses import put_pose
from .options import CopyOptions

_CENTIMETRES = 100.0
_PARTS = {"BODY": "body any more", "SURFACE": "clothed surface any more", "BOTH": "mesh", "LIGHT": "light version"}
_KINDS = ("objects", "collections", "meshes", "armatures", "actions", "images", "materials", "node_groups")


def meshes_of(rig: bpy.types.Object, part: str) -> list[bpy.types.Object]:
    """Return the meshes of a character: SURFACE is all but the body and the light version, BOTH body and surface.

    Raises:
        AddonError: NO_PART: there is none.
    """
    kinds = {shaped_body(rig): "BODY", light_version(rig): "LIGHT"}
    meshes = [child for child in rig.children_recursive if child.type == "MESH" and _is_bound(child, rig)]
    wanted = {"BODY", "SURFACE"} if part == "BOTH" else {part}
    chosen = [mesh for mesh in meshes if kinds.get(mesh, "SURFACE") in wanted]
    if not chosen:
        hint = "Choose another part to export."
        raise AddonError("NO_PART", f"{rig.name} has no {_PARTS[part]}.", hint=hint)
    return chosen


def _is_bound(mesh: bpy.types.Object, rig: bpy.types.Object) -> bool:
    return any(modifier.type == "ARMATURE" and modifier.object == rig for modifier in mesh.modifiers)


@contextmanager
def exportable_copy(
    context: bpy.types.Context, rig: bpy.types.Object, options: CopyOptions
) -> Iterator[list[bpy.types.Object]]:
    """Make a copy of the character of ``rig`` at the origin, select it, and take it away after the ``with`` block.

    The copies bear the names of what they copy. Selection, mode, frame, unit and names are as before afterwards.

    Raises:
        AddonError: NO_PART: the character lacks the chosen part.
    """
    meshes = meshes_of(rig, options.part)
    context.view_layer.update()
    present = set(_present())
    with _scene_kept(context), _names_lent([rig, *meshes]) as names:
        try:
            home = bpy.data.collections.new("munet export")
            context.scene.collection.children.link(home)
            rig_copy = _copy_rig(rig, options, home)
            copies = [_copy_mesh(mesh, rig, rig_copy, home) for mesh in meshes]
            if options.pose == "REST":
                put_pose(rig_copy, "REST")
            if options.pose == "ANIMATION" and rig_copy.animation_data and rig_copy.animation_data.action:
                span = rig_copy.animation_data.action.frame_range
                context.scene.frame_start, context.scene.frame_end = math.floor(span[0]), math.ceil(span[1])
            for copy in copies:
                _settle(context, copy, rig_copy, options)
                strip(copy.data)
            if options.centimetres:
                _to_centimetres(context.scene, [rig_copy, *copies])
            for copy, (name, data_name) in zip([rig_copy, *copies], names, strict=True):
                copy.name, copy.data.name = name, data_name
            if options.centimetres:
                rig_copy.name = "root"
            _select(context, [rig_copy, *copies])
            yield [rig_copy, *copies]
        finally:
            bpy.data.batch_remove([block for uid, block in _present().items() if uid not in present])


def _present() -> dict[int, bpy.types.ID]:
    return {block.session_uid: block for kind in _KINDS for block in getattr(bpy.data, kind)}


@contextmanager
def _scene_kept(context: bpy.types.Context) -> Iterator[None]:
    scene, layer = context.scene, context.view_layer
    selected, active, mode = context.selected_objects[:], layer.objects.active, context.mode
    unit, frame = scene.unit_settings.scale_length, (scene.frame_current, scene.frame_subframe)
    span = scene.frame_start, scene.frame_end
    if mode == "POSE":
        bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        scene.unit_settings.scale_length = unit
        scene.frame_start, scene.frame_end = span
        if (scene.frame_current, scene.frame_subframe) != frame:
            scene.frame_set(frame[0], subframe=frame[1])
        layer.update()
        for obj in layer.objects:
            obj.select_set(False)
        for obj in selected:
            obj.select_set(True)
        layer.objects.active = active
        if mode == "POSE":
            bpy.ops.object.mode_set(mode="POSE")


@contextmanager
def _names_lent(objects: list[bpy.types.Object]) -> Iterator[list[tuple[str, str]]]:
    """Give ``objects`` and their data other names inside the ``with`` block; yields their own.

    What is linked from another file keeps its name, which nothing of this file can have taken from it.
    """
    names = [(obj.name, obj.data.name) for obj in objects]
    try:
        for index, obj in enumerate(objects):
            _call(obj, f".munet {index}", f".munet {index}")
        yield names
    finally:
        for obj, (name, data_name) in zip(objects, names, strict=True):
            _call(obj, name, data_name)


def _call(obj: bpy.types.Object, name: str, data_name: str) -> None:
    for block, wanted in ((obj, name), (obj.data, data_name)):
        if block.library is None:
            block.name = wanted


def _copy_rig(rig: bpy.types.Object, options: CopyOptions, home: bpy.types.Collection) -> bpy.types.Object:
    copy = rig.copy()
    copy.data = rig.data.copy()
    home.objects.link(copy)
    _show(copy)
    for constraint in [constraint for bone in copy.pose.bones for constraint in bone.constraints]:
        for goal in ("target", "pole_target"):
            if getattr(constraint, goal, None) == rig:
                setattr(constraint, goal, copy)
    if options.pose != "ANIMATION":
        copy.animation_data_clear()
        if any(bone.constraints for bone in copy.pose.bones):
            _hold_pose(rig, copy)
    copy.location = (0.0, 0.0, 0.0)
    return copy


def _hold_pose(rig: bpy.types.Object, copy: bpy.types.Object) -> None:
    """Put what constraints and actions do to ``rig`` at this frame into the channels of ``copy``."""
    for bone in copy.pose.bones:
        while bone.constraints:
            bone.constraints.remove(bone.constraints[0])
    for shown, bone in zip(rig.pose.bones, copy.pose.bones, strict=True):
        above = shown.parent.matrix if shown.parent else Matrix.Identity(4)
        above_rest = shown.parent.bone.matrix_local if shown.parent else Matrix.Identity(4)
        bone.matrix_basis = (
            (above_rest.inverted() @ shown.bone.matrix_local).inverted() @ above.inverted() @ shown.matrix
        )


def _show(obj: bpy.types.Object) -> None:
    obj.hide_viewport = obj.hide_render = obj.hide_select = False
    obj.hide_set(False)


def _copy_mesh(
    mesh: bpy.types.Object, rig: bpy.types.Object, rig_copy: bpy.types.Object, home: bpy.types.Collection
) -> bpy.types.Object:
    """Copy ``mesh`` under ``rig_copy``, its vertices in the space of the rig."""
    copy = mesh.copy()
    copy.data = mesh.data.copy()
    home.objects.link(copy)
    _show(copy)
    space = _space_in(rig, mesh)
    _transform(copy.data, space)
    rotate_correctives(copy.data, np.array(space.to_3x3()))
    _forget_action(copy)
    copy.parent, copy.matrix_parent_inverse, copy.matrix_basis = rig_copy, Matrix.Identity(4), Matrix.Identity(4)
    for modifier in copy.modifiers:
        if modifier.type == "ARMATURE" and modifier.object == rig:
            modifier.object = rig_copy
    for animated in (copy, copy.data.shape_keys):
        _redirect_drivers(animated, rig, rig_copy)
    return copy


def _forget_action(obj: bpy.types.Object) -> None:
    """Leave ``obj`` its drivers alone."""
    animation = obj.animation_data
    if animation is not None:
        animation.action = None
        while animation.nla_tracks:
            animation.nla_tracks.remove(animation.nla_tracks[0])


def _redirect_drivers(animated: bpy.types.ID | None, rig: bpy.types.Object, rig_copy: bpy.types.Object) -> None:
    animation = animated.animation_data if animated else None
    for curve in animation.drivers if animation else ():
        for target in [target for variable in curve.driver.variables for target in variable.targets]:
            if target.id == rig:
                target.id = rig_copy


def _transform(mesh: bpy.types.Mesh, matrix: Matrix) -> None:
    mesh.transform(matrix, shape_keys=True)


def _space_in(rig: bpy.types.Object, mesh: bpy.types.Object) -> Matrix:
    """Return the way from the space of ``mesh`` to that of ``rig``, also where Blender does not evaluate it."""
    space = Matrix.Identity(4)
    while mesh is not None and mesh != rig:
        space = mesh.matrix_parent_inverse @ mesh.matrix_basis @ space
        mesh = mesh.parent
    return space


def _settle(context: bpy.types.Context, copy: bpy.types.Object, rig: bpy.types.Object, options: CopyOptions) -> None:
    """Leave ``copy`` the Armature modifier alone: exporters can not apply others together with shape keys.

    Without keys the shape and all other modifiers become the mesh, except masks when the body goes alone, because what
    they hide would be missing. With keys the body's live correctives become keys, with keyframes in an animation; the
    clothes take those of the present pose into their mesh.
    """
    if options.keys and copy.data.shape_keys:
        _correct_with_keys(context, copy, rig, options)
    others = [modifier for modifier in copy.modifiers if modifier.type != "ARMATURE"]
    if options.part == "BODY" or (options.keys and copy.data.shape_keys):
        for modifier in [m for m in others if options.keys or m.type == "MASK"]:
            copy.modifiers.remove(modifier)
    if options.keys and copy.data.shape_keys:
        return
    armatures = [modifier for modifier in copy.modifiers if modifier.type == "ARMATURE"]
    shown = [modifier.show_viewport for modifier in armatures]
    for modifier in armatures:
        modifier.show_viewport = False
    graph = context.evaluated_depsgraph_get()
    graph.update()
    plain = bpy.data.meshes.new_from_object(copy.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    old, copy.data = copy.data, plain
    bpy.data.meshes.remove(old)
    for modifier in [m for m in copy.modifiers if m.type != "ARMATURE"]:
        copy.modifiers.remove(modifier)
    for modifier, visible in zip(armatures, shown, strict=True):
        modifier.show_viewport = visible


def _correct_with_keys(
    context: bpy.types.Context, copy: bpy.types.Object, rig: bpy.types.Object, options: CopyOptions
) -> None:
    """Do without the live correctives of ``copy``, which exporters do not know."""
    context.view_layer.update()
    if CORRECTIVES in copy.modifiers and copy == shaped_body(rig):
        frames = frames_to_bake(context, rig) if options.pose == "ANIMATION" else None
        bake_correctives(context, [copy], rig, frames)
    else:
        correct_once(copy, rig)


def strip(mesh: bpy.types.Mesh) -> None:
    """Take off what only our own add-on reads."""
    remove_correctives(mesh)
    if COVERED in mesh.attributes:
        mesh.attributes.remove(mesh.attributes[COVERED])


def _to_centimetres(scene: bpy.types.Scene, objects: list[bpy.types.Object]) -> None:
    """Scale the copies by 100 in a scene whose unit is a hundredth, so that no node of the file carries a scale."""
    scene.unit_settings.scale_length /= _CENTIMETRES
    scale = Matrix.Scale(_CENTIMETRES, 4)
    rig, *meshes = objects
    rig.data.transform(scale)
    rig.location = rig.location * _CENTIMETRES
    for bone in rig.pose.bones:
        bone.location = bone.location * _CENTIMETRES
    for mesh in meshes:
        _transform(mesh.data, scale)
    if rig.animation_data and rig.animation_data.action:
        _scale_action(rig)


def _scale_action(rig: bpy.types.Object) -> None:
    """Let ``rig`` play a copy of its action whose locations are centimetres."""
    data = rig.animation_data
    slot = data.action_slot.identifier if getattr(data, "action_slot", None) else None
    data.action = data.action.copy()
    if slot is not None:
        data.action_slot = data.action.slots[slot]
    for curve in all_curves(data.action):
        if curve.data_path.endswith("location"):
            for point in curve.keyframe_points:
                for part in (point.co, point.handle_left, point.handle_right):
                    part[1] *= _CENTIMETRES
            curve.update()


def _select(context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
    for obj in context.view_layer.objects:
        obj.select_set(False)
    for obj in objects:
        obj.select_set(True)
    context.view_layer.objects.active = objects[0]
