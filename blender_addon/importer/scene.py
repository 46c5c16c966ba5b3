"""One photo's people, their cameras and their collections in the scene."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..errors import AddonError
from ..rigging.clothes import follow_identity, mark_covered_skin
from ..rigging.poses import put_pose
from ..rigging.wardrobe import near_body, uncorrected_rest
from .armature import build_armature, ordered_bones
from .body import build_body
from .camera import build_camera
from .character import Character
from .correctives import add_correctives
from .identity import remember_joint_directions
from .photo import Photo
from .placement import SceneFrame, place, scene_frame
from .provenance import provenance, write_properties
from .rollback import all_or_nothing
from .surface import build_surface

_SPACING = 1.5


@dataclass(frozen=True)
class Origin:
    """What is common to all people of one job: the photo, the settings used and the version that made them.

    ``persons`` are the people's numbers in the photo, from 0, where not all were reconstructed.
    """

    photo: Photo
    settings: Mapping[str, Any]
    version: str
    persons: tuple[int, ...] = ()


@dataclass(frozen=True)
class ImportedPerson:
    """The objects of one person."""

    rig: bpy.types.Object
    body: bpy.types.Object
    surface: bpy.types.Object
    camera: bpy.types.Object


def rig_of(obj: bpy.types.Object | None) -> bpy.types.Object | None:
    """Return the rig of the person that ``obj`` belongs to (the rig itself, the body or the clothes), or None."""
    while obj is not None and not (obj.type == "ARMATURE" and "munet_bone_names" in obj):
        obj = obj.parent
    return obj


def _new_collection(name: str, parent: bpy.types.Collection) -> bpy.types.Collection:
    collection = bpy.data.collections.new(name)
    parent.children.link(collection)
    return collection


def _find_layer(layer: bpy.types.LayerCollection, wanted: bpy.types.Collection) -> bpy.types.LayerCollection | None:
    if layer.collection == wanted:
        return layer
    return next((found for child in layer.children if (found := _find_layer(child, wanted))), None)


def _set_hidden(context: bpy.types.Context, collection: bpy.types.Collection, *, hidden: bool) -> None:
    layer = _find_layer(context.view_layer.layer_collection, collection)
    if layer is not None:
        layer.hide_viewport = hidden
    collection.hide_render = hidden


def show_body(context: bpy.types.Context, body: bpy.types.Object) -> None:
    """Show the ``body`` under the clothes, in the viewport and in renders."""
    for collection in body.users_collection:
        _set_hidden(context, collection, hidden=False)


def apply_photo_pose(rig: bpy.types.Object) -> None:
    """Put ``rig`` into the pose of its photo, which it carries as custom properties."""
    put_pose(rig, "PHOTO")


def apply_rest_pose(rig: bpy.types.Object) -> None:
    """Put ``rig`` into its T-pose on the floor."""
    put_pose(rig, "REST")


def _import_person(
    context: bpy.types.Context,
    character: Character,
    frame: SceneFrame,
    name: str,
    collection: bpy.types.Collection,
) -> tuple[bpy.types.Object, bpy.types.Object, bpy.types.Object]:
    placement = place(character, frame)
    rig = build_armature(context, character, placement, f"{name} rig", collection)
    rig["munet_bone_names"] = json.dumps(character.bone_names)
    bone_names = [bone.name for bone in ordered_bones(rig, character.bone_names)]
    rest, share = uncorrected_rest(character)
    surface = build_surface(character, placement.rest(rest), rig, bone_names, f"{name} clothed")
    body = build_body(character, placement, rig, bone_names, f"{name} body")
    near = near_body(character)
    follow_identity(surface, body, character, near)
    if share is not None:
        add_correctives(surface, character, rig, share)
    mark_covered_skin(body, character, near)
    collection.objects.link(surface)
    hidden = _new_collection(f"{name} body", collection)
    hidden.objects.link(body)
    _set_hidden(context, hidden, hidden=True)
    rig["munet_rotations"] = placement.rotations.reshape(-1).tolist()
    rig["munet_root_head"] = placement.root_head.tolist()
    remember_joint_directions(rig, character)
    apply_photo_pose(rig)
    return rig, body, surface


def _camera_for(
    character: Character,
    cameras: dict[bytes, bpy.types.Object],
    frame: SceneFrame,
    photo: Photo,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """Return the camera of ``character``; people fitted with the same camera matrix share one."""
    key = character.arrays["camera_matrix"].tobytes()
    if key not in cameras:
        cameras[key] = build_camera(character, frame, photo, f"{photo.stem} camera")
        collection.objects.link(cameras[key])
    return cameras[key]


def select_only(context: bpy.types.Context, rigs: Sequence[bpy.types.Object]) -> None:
    """Select ``rigs`` alone and make the first one active."""
    for obj in context.view_layer.objects:
        obj.select_set(False)
    for rig in rigs:
        rig.select_set(True)
    context.view_layer.objects.active = rigs[0]


def import_people(context: bpy.types.Context, characters: Sequence[Character], origin: Origin) -> list[ImportedPerson]:
    """Bring the people of one photo into the scene, all of them or, on failure, nothing.

    Raises:
        AddonError: NOBODY without people, WRONG_MODE outside Object Mode.
    """
    if not characters:
        raise AddonError("NOBODY", "The result holds no person.", hint="Use a photo that shows a person clearly.")
    if context.mode != "OBJECT":
        raise AddonError("WRONG_MODE", "People can only be inserted in Object Mode.", hint="Switch to Object Mode.")
    with all_or_nothing():
        return _import_people(context, characters, origin)


def _free_spot(scene: bpy.types.Scene) -> float:
    """Return an x beside the people that earlier photos have brought into ``scene``; 0 for the first photo."""
    taken = [obj.location.x for obj in scene.objects if obj.type == "ARMATURE" and "munet_bone_names" in obj]
    return max(taken) + _SPACING if taken else 0.0


def _import_people(context: bpy.types.Context, characters: Sequence[Character], origin: Origin) -> list[ImportedPerson]:
    stem = origin.photo.stem
    frame = scene_frame(characters, _free_spot(context.scene))
    home = _new_collection(stem, context.scene.collection)
    cameras: dict[bytes, bpy.types.Object] = {}
    people = []
    for index, character in enumerate(characters):
        name = f"{stem} {index + 1}"
        objects = _import_person(context, character, frame, name, _new_collection(name, home))
        camera = _camera_for(character, cameras, frame, origin.photo, home)
        properties = provenance(character, origin.photo, origin.settings, origin.version)
        properties["munet_person"] = origin.persons[index] if index < len(origin.persons) else index
        for obj in (*objects, camera):
            write_properties(obj, properties)
        objects[0]["munet_camera"] = camera
        people.append(ImportedPerson(*objects, camera))
    if context.scene.camera is None:
        context.scene.camera = people[0].camera
    select_only(context, [person.rig for person in people])
    return people
