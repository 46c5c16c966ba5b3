"""Live pose correctives: shape keys of the body that drivers set from the rotations of the bones.

A corrective is linear in ``R - I``, R being the local rotation of a bone (Loper et al., "SMPL", SIGGRAPH Asia 2015,
equation 9). Turned once into the rest axes of its bone it is linear in the same entries of the pose bone's own
rotation, which simple expressions of the quaternion give without Python: exact in every pose, with constraints too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import bpy
import numpy as np

from .armature import ordered_bones
from .character import Character
from .frames import BLENDER_FROM_BODY, Floats, points_from_body

BAKED = "munet_baked_correctives"
_RANGE = 2.0
_ENTRIES = (
    "-2*(y*y+z*z)", "2*(x*y-w*z)", "2*(x*z+w*y)",
    "2*(x*y+w*z)", "-2*(x*x+z*z)", "2*(y*z-w*x)",
    "2*(x*z-w*y)", "2*(y*z+w*x)", "-2*(x*x+y*y)",
)  # fmt: skip


def key_name(bone: int, entry: int) -> str:
    """Return the name of the key for an entry (0 to 8, row by row) of the rotation of a bone, counted as SMPL does."""
    return f"Pose{9 * (bone - 1) + entry:03d}"


def has_correctives(character: Character) -> bool:
    """Return whether ``character`` brings the correctives of every pose and not of the photo's alone."""
    return len(character.arrays.get("pose_dirs_vertices", ())) > 0


def _turned(directions: Floats, turns: Floats) -> Floats:
    """Turn both indices of directions (..., 9) that are linear in a rotation's entries by ``turns`` (..., 3, 3)."""
    square = directions.reshape(*directions.shape[:-1], 3, 3)
    return (np.swapaxes(turns, -1, -2) @ square @ turns).reshape(directions.shape)


def add_corrective_keys(obj: bpy.types.Object, character: Character, rest: Floats, rig: bpy.types.Object) -> None:
    """Add to the body ``obj`` nine keys for each bone that has correctives, and their drivers.

    Args:
        obj: the body with a Basis key.
        character: whose ``pose_dirs`` to use.
        rest: (V, 3) vertices of the Basis.
        rig: the built armature.
    """
    bones = ordered_bones(rig, character.bone_names)
    vertices, movers = character.arrays["pose_dirs_vertices"], character.arrays["pose_dirs_bones"]
    axes = BLENDER_FROM_BODY.T @ np.array([bone.bone.matrix_local.to_3x3() for bone in bones])
    directions = _turned(character.arrays["pose_dirs"].astype(np.float64), axes[movers][:, None])
    for bone in np.unique(movers).tolist():
        rows = movers == bone
        moved = points_from_body(np.moveaxis(directions[rows], 2, 0))
        for entry in range(9):
            key = obj.shape_key_add(name=key_name(bone, entry), from_mix=False)
            target = rest.astype(np.float32)
            np.add.at(target, vertices[rows], moved[entry].astype(np.float32))
            key.points.foreach_set("co", target.reshape(-1))
            key.slider_min, key.slider_max = -_RANGE, _RANGE
            _drive(key, rig, bones[bone].name, entry)


def _drive(key: bpy.types.ShapeKey, rig: bpy.types.Object, bone_name: str, entry: int) -> None:
    driver = key.driver_add("value").driver
    driver.type = "SCRIPTED"
    expression = _ENTRIES[entry]
    for name in "wxyz":
        if name not in expression:
            continue
        variable = driver.variables.new()
        variable.name, variable.type = name, "TRANSFORMS"
        target = variable.targets[0]
        target.id, target.bone_target = rig, bone_name
        target.transform_type, target.rotation_mode = f"ROT_{name.upper()}", "QUATERNION"
        target.transform_space = "LOCAL_SPACE"
    driver.expression = expression


def corrective_keys(body: bpy.types.Object, rig: bpy.types.Object) -> Iterator[tuple[int, list[bpy.types.ShapeKey]]]:
    """Yield each bone (its number in SMPL's order) that has corrective keys, with its nine keys."""
    blocks = body.data.shape_keys.key_blocks if body.data.shape_keys else {}
    for bone in range(1, len(json.loads(rig["munet_bone_names"]))):
        names = [key_name(bone, entry) for entry in range(9)]
        if all(name in blocks for name in names):
            yield bone, [blocks[name] for name in names]


def correctives_state(body: bpy.types.Object, rig: bpy.types.Object) -> str:
    """Return NONE (no keys), ON (driven), OFF (muted) or BAKED (values or keyframes instead of drivers)."""
    first = next((keys[0] for _, keys in corrective_keys(body, rig)), None)
    if first is None:
        return "NONE"
    if first.mute:
        return "OFF"
    animation = body.data.shape_keys.animation_data
    path = first.path_from_id("value")
    return "ON" if animation and animation.drivers.find(path) else "BAKED"


def set_correctives(body: bpy.types.Object, rig: bpy.types.Object, *, live: bool) -> None:
    """Let the drivers set the corrective keys, or leave the body without them; what was baked is dropped."""
    names = json.loads(rig["munet_bone_names"])
    bones = ordered_bones(rig, names)
    animation = body.data.shape_keys.animation_data
    if animation is not None and animation.action is not None and BAKED in animation.action:
        animation.action = None
    for bone, keys in corrective_keys(body, rig):
        for entry, key in enumerate(keys):
            key.driver_remove("value")
            key.mute = not live
            if live:
                _drive(key, rig, bones[bone].name, entry)


def turn_correctives(body: bpy.types.Object, rig: bpy.types.Object, turns: Floats) -> None:
    """Keep the correctives right after the rest axes of the bones have turned.

    Args:
        body: the body.
        rig: its rig.
        turns: (J, 3, 3) old axes transposed times new axes, in SMPL's order.
    """
    basis = _positions(body.data.shape_keys.key_blocks[0])
    for bone, keys in corrective_keys(body, rig):
        moved = np.stack([_positions(key) - basis for key in keys], axis=-1)
        turned = _turned(moved, turns[bone])
        for entry, key in enumerate(keys):
            key.points.foreach_set("co", (basis + turned[..., entry]).astype(np.float32).reshape(-1))
    body.data.update_tag()


def _positions(key: bpy.types.ShapeKey) -> Floats:
    flat = np.empty(3 * len(key.points), dtype=np.float32)
    key.points.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def corrective_values(rig: bpy.types.Object) -> Floats:
    """Return what the drivers would give in the present pose: ``R - I`` (J, 9) of the pose bones of ``rig``."""
    bones = ordered_bones(rig, json.loads(rig["munet_bone_names"]))
    local = [rig.convert_space(pose_bone=b, matrix=b.matrix, from_space="POSE", to_space="LOCAL") for b in bones]
    return np.array([m.to_quaternion().to_matrix() for m in local]).reshape(-1, 9) - np.eye(3).reshape(9)
