"""One photo's people, their cameras and their collections in the scene."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import bpy

from ..errors import AddonError
from ..rigging.clothes import follow_identity, mark_covered_skin
from ..rigging.poses import put_pose
from ..steps import DRAW, Beside, Steps, run_through
from .armature import build_armature, ordered_bones
from .body import building_body
from .camera import building_camera
from .character import Character
from .correctives import adding_correctives
from .identity import remember_joint_directions
from .photo import Photo
from .placement import SceneFrame, place, scene_frame
from .prepare import Prepared, prepare
from .provenance import provenance, write_properties
from .rollback import all_or_nothing
from .surface import building_surface

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


@dataclass(frozen=True)
class Built:
    """The people of a photo in their collection, which no scene has yet."""

    people: list[ImportedPerson]
    home: bpy.types.Collection


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


def _building_person(
    prepared: Prepared, frame: SceneFrame, name: str, collection: bpy.types.Collection
) -> Steps[tuple[bpy.types.Object, bpy.types.Object, bpy.types.Object]]:
    character = prepared.character
    placement = place(character, frame)
    rig = build_armature(character, placement, f"{name} rig", collection)
    rig["munet_bone_names"] = json.dumps(character.bone_names)
    bone_names = [bone.name for bone in ordered_bones(rig, character.bone_names)]
    yield
    rest = placement.rest(prepared.rest)
    surface = yield from building_surface(character, rest, rig, bone_names, f"{name} clothed", prepared.pictures)
    yield
    body = yield from building_body(character, placement, rig, bone_names, f"{name} body")
    yield
    follow_identity(surface, body, prepared.shape_dirs)
    yield
    if prepared.share is not None:
        yield from adding_correctives(surface, character, rig, prepared.share)
        yield
    mark_covered_skin(body, prepared.covered)
    collection.objects.link(surface)
    _new_collection(f"{name} body", collection).objects.link(body)
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
) -> Steps[bpy.types.Object]:
    """Build the camera of ``character``; people fitted with the same camera matrix share one."""
    key = character.arrays["camera_matrix"].tobytes()
    if key not in cameras:
        cameras[key] = yield from building_camera(character, frame, photo, f"{photo.stem} camera")
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
        raise nobody()
    if context.mode != "OBJECT":
        raise AddonError("WRONG_MODE", "People can only be inserted in Object Mode.", hint="Switch to Object Mode.")
    with all_or_nothing():
        return run_through(importing_people(context, characters, origin))


def nobody() -> AddonError:
    """Return the error for a result without people."""
    return AddonError("NOBODY", "The result holds no person.", hint="Use a photo that shows a person clearly.")


def importing_people(
    context: bpy.types.Context, characters: Sequence[Character], origin: Origin
) -> Steps[list[ImportedPerson]]:
    """Bring people into the scene in steps; each is seen when it is complete."""
    built = yield from building_people(context, characters, origin)
    yield from showing_people(context, built)
    return built.people


def _free_spot(scene: bpy.types.Scene) -> float:
    """Return an x beside the people that earlier photos have brought into ``scene``; 0 for the first photo."""
    taken = [obj.location.x for obj in scene.objects if obj.type == "ARMATURE" and "munet_bone_names" in obj]
    return max(taken) + _SPACING if taken else 0.0


def building_people(context: bpy.types.Context, characters: Sequence[Character], origin: Origin) -> Steps[Built]:
    """Build the people of one photo in steps, beside the scene."""
    stem, spot = origin.photo.stem, _free_spot(context.scene)
    frame = yield Beside(lambda: scene_frame(characters, spot))
    home = bpy.data.collections.new(stem)
    cameras: dict[bytes, bpy.types.Object] = {}
    people = []
    for index, character in enumerate(characters):
        name = f"{stem} {index + 1}"
        prepared = yield Beside(partial(prepare, character))
        objects = yield from _building_person(prepared, frame, name, _new_collection(name, home))
        yield
        camera = yield from _camera_for(character, cameras, frame, origin.photo, home)
        properties = provenance(character, origin.photo, origin.settings, origin.version)
        properties["munet_person"] = origin.persons[index] if index < len(origin.persons) else index
        for obj in (*objects, camera):
            write_properties(obj, properties)
        objects[0]["munet_camera"] = camera
        people.append(ImportedPerson(*objects, camera))
        yield
    return Built(people, home)


def showing_people(context: bpy.types.Context, built: Built) -> Steps[None]:
    """Link what was built to the scene, one person after the other, because showing them the first time takes long.

    Blender deforms a person in one turn, for the box around it, and draws it in the next one.
    """
    places = list(built.home.children)
    for place_of_person in places[1:]:
        built.home.children.unlink(place_of_person)
    context.scene.collection.children.link(built.home)
    if context.scene.camera is None:
        context.scene.camera = built.people[0].camera
    for person, place_of_person in zip(built.people, places, strict=True):
        person.surface.display_type = "BOUNDS"
        if place_of_person is not places[0]:
            built.home.children.link(place_of_person)
        for hidden in place_of_person.children:
            _set_hidden(context, hidden, hidden=True)
        yield DRAW
        person.surface.display_type = "TEXTURED"
        yield DRAW
    select_only(context, [person.rig for person in built.people])
