"""A new reconstruction in place of an old one: what the artist has made of the old person stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
from mathutils import Vector

from ..people import NAMING, shaped_body
from ..rigging.naming import rename_bones
from ..rigging.poses import put_pose
from ..rigs import SCHEMES
from .armature import SMPL_NAME, apart, editing
from .scene import ImportedPerson, select_only

_KEPT_OF_RIG = {NAMING}
LIGHT = "munet_light"
"""Marks a light copy of the clothed surface, which is made from it and is not exchanged."""
_PLAIN = ("hide_viewport", "hide_render", "hide_select", "show_in_front", "show_wire", "display_type", "pass_index")


@dataclass(frozen=True)
class _Ends:
    """A bone at rest in armature space."""

    head: Vector
    tail: Vector
    z_axis: Vector


def replace_person(
    context: bpy.types.Context, rig: bpy.types.Object, new: ImportedPerson, *, keep_materials: bool
) -> None:
    """Make the person of ``rig`` the ``new`` one, which need not be in a scene, and remove what is left over.

    The rig itself stays, with its place, name, animation, constraints and bones of the artist's own; its joints move.
    The meshes are exchanged; names, places, collections, modifiers and, if wanted, materials of the old ones pass to
    the new ones. The photo's camera moves with the person if it is nobody else's. ``context`` must be in Object Mode.
    """
    places = [*new.rig.users_collection, *new.camera.users_collection]
    rename_bones(new.rig, str(rig.get(NAMING, SCHEMES[0].key)))
    old = _meshes(rig)
    _move_camera(context, rig, new)
    _move_bones(rig, new.rig)
    for mesh in (new.surface, new.body):
        mesh.parent = rig
    _pass_to(new.rig, rig)
    _take_properties(rig, new.rig, _KEPT_OF_RIG)
    for mesh, before in zip((new.surface, new.body), old, strict=True):
        _take_place(context, mesh, before, rig, keep_materials=keep_materials)
    _remove_leftovers(new, places)
    select_only(context, [rig])
    if not _is_animated(rig):
        put_pose(rig, "PHOTO")


def _pass_to(new: bpy.types.Object, old: bpy.types.Object) -> None:
    """Let everything that refers to ``new`` refer to ``old``, but for its collections."""
    for collection in list(new.users_collection):
        collection.objects.unlink(new)
    new.user_remap(old)


def _meshes(rig: bpy.types.Object) -> tuple[bpy.types.Object | None, bpy.types.Object | None]:
    """Return the clothed surface and the body of ``rig``, None for what the artist has deleted."""
    body = shaped_body(rig)
    made = (child for child in rig.children if child.type == "MESH" and "munet_photo_sha256" in child)
    return next((mesh for mesh in made if mesh != body and LIGHT not in mesh), None), body


def _is_animated(rig: bpy.types.Object) -> bool:
    data = rig.animation_data
    return data is not None and (data.action is not None or bool(data.nla_tracks))


def _rest_of(rig: bpy.types.Object) -> dict[str, _Ends]:
    """Return the bones of ``rig`` by SMPL's names."""
    return {
        bone[SMPL_NAME]: _Ends(bone.head_local.copy(), bone.tail_local.copy(), bone.matrix_local.to_3x3().col[2])
        for bone in rig.data.bones
        if SMPL_NAME in bone
    }


def _move_bones(rig: bpy.types.Object, new: bpy.types.Object) -> None:
    rest = _rest_of(new)
    with apart(rig) as context, editing(context, rig):
        for bone in rig.data.edit_bones:
            ends = rest.get(bone.get(SMPL_NAME, ""))
            if ends is not None:
                bone.use_connect = False
                bone.head, bone.tail = ends.head, ends.tail
                bone.align_roll(ends.z_axis)
        for bone in rig.data.edit_bones:
            other = new.data.bones.get(bone.name)
            if other is not None and other.use_connect and bone.parent is not None:
                bone.use_connect = True


def _move_camera(context: bpy.types.Context, rig: bpy.types.Object, new: ImportedPerson) -> None:
    """Let the old camera see the new person as the new one does, unless others of the photo look through it, too."""
    camera = rig.get("munet_camera")
    if camera is None:
        return
    people = [obj for obj in bpy.data.objects if obj.get("munet_camera") == camera and obj not in {rig, new.rig}]
    if not people and camera.animation_data is None:
        context.view_layer.update()
        camera.matrix_world = rig.matrix_world @ new.rig.matrix_basis.inverted() @ new.camera.matrix_basis
        for name in ("lens", "shift_x", "shift_y", "sensor_fit", "sensor_width"):
            setattr(camera.data, name, getattr(new.camera.data, name))
        _take_properties(camera, new.camera, set())
    _pass_to(new.camera, camera)


def _take_properties(old: bpy.types.Object, new: bpy.types.Object, kept: set[str]) -> None:
    """Copy our custom properties."""
    for name in new.keys():  # noqa: SIM118 - an object is no dictionary
        if name.startswith("munet_") and name not in kept:
            value = new[name]
            old[name] = value.to_list() if hasattr(value, "to_list") else value


def _take_place(
    context: bpy.types.Context,
    mesh: bpy.types.Object,
    old: bpy.types.Object | None,
    rig: bpy.types.Object,
    *,
    keep_materials: bool,
) -> None:
    """Let ``mesh`` be what ``old`` was; without an old one it stands beside the rig."""
    collections = list(old.users_collection if old is not None else rig.users_collection)
    for collection in list(mesh.users_collection):
        collection.objects.unlink(mesh)
    for collection in collections:
        collection.objects.link(mesh)
    if old is None:
        return
    name, data_name = old.name, old.data.name
    hidden = old.name in context.view_layer.objects and old.hide_get()
    for attribute in _PLAIN:
        setattr(mesh, attribute, getattr(old, attribute))
    mesh.matrix_parent_inverse, mesh.matrix_basis = old.matrix_parent_inverse.copy(), old.matrix_basis.copy()
    if keep_materials:
        _take_materials(mesh.data, old.data)
    _take_modifiers(mesh, old)
    old.user_remap(mesh)
    for other in list(old.children):
        other.parent = mesh
    old_data = old.data
    bpy.data.objects.remove(old)
    if old_data.users == 0:
        bpy.data.meshes.remove(old_data)
    mesh.name, mesh.data.name = name, data_name
    if mesh.name in context.view_layer.objects:
        mesh.hide_set(hidden)


def _take_materials(mesh: bpy.types.Mesh, old: bpy.types.Mesh) -> None:
    materials = list(old.materials)
    mesh.materials.clear()
    for material in materials:
        mesh.materials.append(material)


def _take_modifiers(mesh: bpy.types.Object, old: bpy.types.Object) -> None:
    """Copy the modifiers that the artist has added, with their settings."""
    known = {modifier.name for modifier in mesh.modifiers}
    for modifier in old.modifiers:
        if modifier.name not in known:
            made = mesh.modifiers.new(modifier.name, modifier.type)
            for prop in modifier.bl_rna.properties:
                if not prop.is_readonly and prop.identifier not in {"name", "is_active"}:
                    setattr(made, prop.identifier, getattr(modifier, prop.identifier))


def _remove_leftovers(new: ImportedPerson, places: Sequence[bpy.types.Collection]) -> None:
    """Remove the new rig and camera, and those of the collections made for them that are empty."""
    made = dict.fromkeys(child for place in places for child in (place, *place.children_recursive))
    bpy.data.batch_remove([new.rig, new.camera, new.rig.data, new.camera.data])
    for collection in sorted(made, key=lambda c: len(c.children_recursive)):
        if not collection.objects and not collection.children:
            bpy.data.collections.remove(collection)
