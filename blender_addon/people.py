"""What belongs to a person of the scene and how it stands: the quick questions of panels and buttons.

This is imported when the extension is enabled, while Blender stands still: it needs none of the modules that build
people or work on them; those are imported when a button is pressed.
"""

from __future__ import annotations

import json

import bpy

SCHEMA = 1
"""Of the properties that a person carries."""
ENTRIES = 9
JOINT_DIRECTIONS = "munet_joint_shape_dirs"
CORRECTED = "munet_pose_bones"
CORRECTIVES = "Pose Correctives"
CONTROLS = "munet_control_rig"
IK = "munet_ik"
NAMING = "munet_naming"
COVERED, COVERED_MASK = "covered_skin", "Hide Covered Skin"
FLOOR = "munet_floor_of"
LIGHT, LIGHT_OF, LIGHT_WITH = "munet_light", "munet_light_of", "munet_light_with"
_TOLD_BY = ("munet_version", "munet_betas", "munet_translation", "munet_settings", "munet_silhouette_iou")
"""What of a person's provenance changes when it is reconstructed again."""


def rig_of(obj: bpy.types.Object | None) -> bpy.types.Object | None:
    """Return the rig of the person that ``obj`` belongs to, or None.

    That is the rig itself, what hangs on it (body, clothes, what the artist has parented to it), and its control rig.
    """
    chosen = obj
    while obj is not None and not (obj.type == "ARMATURE" and "munet_bone_names" in obj):
        obj = obj.parent
    if obj is None and chosen is not None and chosen.type == "ARMATURE":
        return next((rig for rig in bpy.data.objects if rig.get(CONTROLS) == chosen), None)
    return obj


def camera_of(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the photo's camera of the person of ``rig``, None if the artist has deleted it or put another thing there.

    What was deleted from all scenes lives on as long as the rig refers to it.
    """
    camera: bpy.types.Object | None = rig.get("munet_camera")
    there = camera is not None and camera.type == "CAMERA" and bool(camera.users_collection)
    return camera if there and "munet_image_size" in camera else None


def photo_shown(camera: bpy.types.Object) -> str:
    """Return whether the photo of ``camera`` is shown BEHIND the person, OVER it or not (OFF)."""
    data = camera.data
    if not data.show_background_images or not data.background_images:
        return "OFF"
    return "OVER" if data.background_images[0].display_depth == "FRONT" else "BEHIND"


def home_of(rig: bpy.types.Object) -> bpy.types.Collection | None:
    """Return the collection of this file that holds the person of ``rig``, None if that is a scene's own."""
    homes = (home for home in rig.users_collection if home.name in bpy.data.collections)
    return next((home for home in homes if home.library is None and home.override_library is None), None)


def floor_of(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the floor below the person of ``rig``, or None."""
    return next((obj for obj in bpy.data.objects if obj.get(FLOOR) == rig and obj.users_collection), None)


def has_ik(rig: bpy.types.Object) -> bool:
    """Return whether ``rig`` has controls for inverse kinematics."""
    return any(IK in bone for bone in rig.data.bones)


def rigify_enabled() -> bool:
    """Return whether Rigify is enabled in the preferences; it is not ours to enable."""
    return "rigify" in bpy.context.preferences.addons


def control_rig(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the generated rig that moves ``rig``, or None."""
    found: bpy.types.Object | None = rig.get(CONTROLS)
    return found if found is not None and found.name in bpy.data.objects else None


def shaped_body(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the body of ``rig``, the mesh with the identity's shape keys, or None."""
    if JOINT_DIRECTIONS not in rig:
        return None
    return next((child for child in rig.children if _has_own_shape(child)), None)


def _has_own_shape(obj: bpy.types.Object) -> bool:
    """Return whether ``obj`` has the identity's keys and they are not driven, as those of the clothes are."""
    keys = getattr(obj.data, "shape_keys", None)
    if not keys or "Shape000" not in keys.key_blocks:
        return False
    animation = keys.animation_data
    return animation is None or animation.drivers.find('key_blocks["Shape000"].value') is None


def covered_skin_hidden(body: bpy.types.Object) -> bool:
    """Return whether the skin under the clothes is hidden."""
    return COVERED_MASK in body.modifiers


def is_corrected(mesh: bpy.types.Mesh) -> bool:
    """Return whether correctives are stored on ``mesh``."""
    return CORRECTED in mesh


def corrected_meshes(rig: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the meshes of the person of ``rig`` that have correctives."""
    meshes = [child for child in rig.children_recursive if child.type == "MESH"]
    return [mesh for mesh in meshes if is_corrected(mesh.data)]


def correctives_state(obj: bpy.types.Object) -> str:
    """Return NONE, ON (live), OFF or BAKED (shape keys instead, with values or keyframes)."""
    if not is_corrected(obj.data):
        return "NONE"
    if CORRECTIVES in obj.modifiers:
        return "ON"
    blocks = obj.data.shape_keys.key_blocks if obj.data.shape_keys else ()
    return "BAKED" if any(is_corrective(key) for key in blocks) else "OFF"


def is_corrective(key: bpy.types.ShapeKey) -> bool:
    """Return whether ``key`` is a baked corrective, or one of an older release."""
    return key.name.startswith("Pose") and key.name[4:].isdigit()


def corrective_name(bone: int, entry: int) -> str:
    """Return the name of the key for an entry (0 to 8, row by row) of the rotation of a bone, counted as SMPL does."""
    return f"Pose{ENTRIES * (bone - 1) + entry:03d}"


def older_correctives(rig: bpy.types.Object, body: bpy.types.Object) -> list[int]:
    """Return the bones, counted as SMPL does, that have all of their correctives as keys of ``body``."""
    keys = set(body.data.shape_keys.key_blocks.keys())
    count = len(json.loads(rig["munet_bone_names"]))
    return [bone for bone in range(1, count) if all(corrective_name(bone, entry) in keys for entry in range(ENTRIES))]


def is_older(rig: bpy.types.Object) -> bool:
    """Return whether the person of ``rig`` has its correctives as an older release has made them."""
    body = shaped_body(rig)
    return body is not None and not is_corrected(body.data) and bool(older_correctives(rig, body))


def is_newer(rig: bpy.types.Object) -> bool:
    """Return whether a newer release has made the person of ``rig``, which this one may not understand."""
    return int(rig.get("munet_schema", SCHEMA)) > SCHEMA


def clothed_surface(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the clothed surface of ``rig`` in full detail, or None."""
    body = shaped_body(rig)
    bound = [child for child in rig.children_recursive if child.type == "MESH" and child.vertex_groups]
    return next((child for child in bound if child != body and not child.get(LIGHT)), None)


def light_version(rig: bpy.types.Object) -> bpy.types.Object | None:
    """Return the light version of the person of ``rig``, or None."""
    return next((child for child in rig.children_recursive if child.get(LIGHT)), None)


def light_version_shown(rig: bpy.types.Object) -> bool:
    """Return whether the light version is shown."""
    light = light_version(rig)
    return light is not None and not light.hide_render


def light_version_stale(rig: bpy.types.Object) -> bool:
    """Return whether the light version shows the person as it was before it was reconstructed again."""
    light = light_version(rig)
    return light is not None and LIGHT_OF in light and light[LIGHT_OF] != made_as(rig)


def light_version_options(rig: bpy.types.Object) -> tuple[int, int] | None:
    """Return the triangles wanted and the edge of the normal map of the light version there is, if they are known."""
    light = light_version(rig)
    return (int(light[LIGHT_WITH][0]), int(light[LIGHT_WITH][1])) if light and LIGHT_WITH in light else None


def made_as(rig: bpy.types.Object) -> str:
    """Return what tells this reconstruction of the person of ``rig`` from another one."""
    values = (rig.get(name, "") for name in _TOLD_BY)
    return repr([value.to_list() if hasattr(value, "to_list") else value for value in values])
