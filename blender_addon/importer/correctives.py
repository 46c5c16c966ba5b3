"""Live pose correctives: what a body model adds where bones bend, from the rotations of the pose bones.

A corrective is linear in ``R - I``, R being the local rotation of a bone (Loper et al., "SMPL", SIGGRAPH Asia 2015,
equation 9). Turned once into the rest axes of its bone it is linear in the same entries of the pose bone's own
rotation: exact in every pose, with constraints too. Geometry nodes do the sum before the Armature modifier; drivers
without Python hand them the quaternions.
"""

from __future__ import annotations

import json
from dataclasses import replace

import bpy
import numpy as np

from ..compat import modifier_input_path
from ..people import CORRECTIVES, ENTRIES, corrective_name, is_corrective
from ..steps import Beside, Steps
from .armature import ordered_bones
from .character import Character
from .corrective_data import Correctives, read_correctives, write_correctives
from .corrective_nodes import CHANNELS, corrective_nodes, input_names
from .frames import BLENDER_FROM_BODY, Floats, points_from_body

BAKED = "munet_baked_correctives"


def has_correctives(character: Character) -> bool:
    """Return whether ``character`` brings the correctives of every pose and not of the photo's alone."""
    return len(character.arrays.get("pose_dirs_vertices", ())) > 0


def _turned(directions: Floats, turns: Floats) -> Floats:
    """Turn both indices of directions (..., 9) that are linear in a rotation's entries by ``turns`` (..., 3, 3)."""
    square = directions.reshape(*directions.shape[:-1], 3, 3)
    return (np.swapaxes(turns, -1, -2) @ square @ turns).reshape(directions.shape)


def rest_axes(rig: bpy.types.Object, names: list[str]) -> Floats:
    """Return the axes (J, 3, 3) of the bones of ``rig`` at rest, in the order of SMPL's ``names``."""
    return np.array([bone.bone.matrix_local.to_3x3() for bone in ordered_bones(rig, names)])


def correctives_of(character: Character, axes: Floats, share: Floats | None = None) -> Correctives | None:
    """Return the correctives of ``character`` for pose bones with rest ``axes`` (J, 3, 3), None if they move nothing.

    Args:
        character: whose ``pose_dirs`` to use.
        axes: see :func:`rest_axes`.
        share: (V,) of the body's correctives that each vertex takes; None takes all.
    """
    vertices, movers = character.arrays["pose_dirs_vertices"], character.arrays["pose_dirs_bones"]
    turns = BLENDER_FROM_BODY.T @ axes
    directions = _turned(character.arrays["pose_dirs"].astype(np.float64), turns[movers][:, None])
    directions = np.moveaxis(points_from_body(np.moveaxis(directions, 1, 2)), 2, 1)
    if share is not None:
        directions = directions * share[vertices][:, None, None]
    kept = np.abs(directions).max(axis=(1, 2)) > 0
    return Correctives(vertices[kept], movers[kept], directions[kept]) if kept.any() else None


def adding_correctives(
    obj: bpy.types.Object, character: Character, rig: bpy.types.Object, share: Floats | None = None
) -> Steps[None]:
    """Add to ``obj`` the correctives of ``character``, whose body's vertices it has, live, in steps.

    Args:
        obj: body, or clothes with its topology, bound to ``rig``.
        character: whose ``pose_dirs`` to use.
        rig: the built armature.
        share: (V,) of the body's correctives that each vertex takes; None takes all.
    """
    axes = rest_axes(rig, character.bone_names)
    correctives = yield Beside(lambda: correctives_of(character, axes, share))
    if correctives is not None:
        write_correctives(obj.data, correctives)
        yield
        make_live(obj, rig, correctives)


def make_live(obj: bpy.types.Object, rig: bpy.types.Object, correctives: Correctives | None = None) -> None:
    """Let geometry nodes add ``correctives``, those stored on the mesh of ``obj``, driven by the bones of ``rig``."""
    correctives = correctives or read_correctives(obj.data)
    if correctives is None or not len(correctives.vertices):
        return
    _remove_modifier(obj)
    moving, names = correctives.moving_bones, json.loads(rig["munet_bone_names"])
    slots = int(np.bincount(correctives.vertices).max())
    modifier = obj.modifiers.new(CORRECTIVES, "NODES")
    modifier.node_group = corrective_nodes(len(moving), slots)
    modifier.show_expanded = False
    obj.modifiers.move(len(obj.modifiers) - 1, 0)
    inputs = iter(input_names(modifier.node_group))
    bones = ordered_bones(rig, names)
    for bone in moving:
        for channel in CHANNELS:
            _drive(obj, modifier_input_path(modifier, next(inputs)), rig, bones[bone].name, channel)


def _drive(obj: bpy.types.Object, path: str, rig: bpy.types.Object, bone_name: str, channel: str) -> None:
    driver = obj.driver_add(path).driver
    driver.type = "AVERAGE"
    variable = driver.variables.new()
    variable.type = "TRANSFORMS"
    target = variable.targets[0]
    target.id, target.bone_target = rig, bone_name
    target.transform_type, target.rotation_mode = f"ROT_{channel.upper()}", "QUATERNION"
    target.transform_space = "LOCAL_SPACE"


def _remove_modifier(obj: bpy.types.Object) -> None:
    modifier: bpy.types.Modifier | None = obj.modifiers.get(CORRECTIVES)
    if modifier is None:
        return
    for name in input_names(modifier.node_group) if modifier.node_group else ():
        obj.driver_remove(modifier_input_path(modifier, name))
    obj.modifiers.remove(modifier)


def set_correctives(obj: bpy.types.Object, rig: bpy.types.Object, *, live: bool) -> None:
    """Let ``obj`` be corrected live, or leave it without correctives; what was baked is dropped."""
    remove_corrective_keys(obj)
    if live:
        make_live(obj, rig)
    else:
        _remove_modifier(obj)


def remove_corrective_keys(obj: bpy.types.Object) -> None:
    """Remove the keys that :func:`add_corrective_keys` has made, and what was baked for them."""
    shape = obj.data.shape_keys
    if shape is None:
        return
    animation = shape.animation_data
    if animation is not None and animation.action is not None and BAKED in animation.action:
        animation.action = None
    for key in [key for key in shape.key_blocks if is_corrective(key)]:
        obj.shape_key_remove(key)


def add_corrective_keys(obj: bpy.types.Object) -> list[tuple[int, list[bpy.types.ShapeKey]]]:
    """Turn the correctives of ``obj`` into nine shape keys for each bone and take the live ones away.

    Returns:
        The number of each bone in SMPL's order, with its keys; their values are 0.
    """
    correctives = read_correctives(obj.data)
    _remove_modifier(obj)
    remove_corrective_keys(obj)
    if correctives is None:
        return []
    basis = _positions(obj.data.shape_keys.key_blocks[0])
    made = []
    for bone in correctives.moving_bones:
        rows = correctives.bones == bone
        keys = []
        for entry in range(ENTRIES):
            key = obj.shape_key_add(name=corrective_name(bone, entry), from_mix=False)
            target = basis.copy()
            target[correctives.vertices[rows]] += correctives.directions[rows, :, entry]
            key.points.foreach_set("co", target.astype(np.float32).reshape(-1))
            key.slider_min, key.slider_max, key.value = -2.0, 2.0, 0.0
            keys.append(key)
        made.append((bone, keys))
    return made


def correct_once(obj: bpy.types.Object, rig: bpy.types.Object) -> None:
    """Make what the correctives give in the pose of ``rig`` part of the mesh and its keys; nothing is live then."""
    correctives = read_correctives(obj.data)
    if correctives is None or CORRECTIVES not in obj.modifiers:
        return
    offsets = correctives.offsets(corrective_values(rig), len(obj.data.vertices)).astype(np.float32)
    _remove_modifier(obj)
    for points in (key.points for key in obj.data.shape_keys.key_blocks) if obj.data.shape_keys else ():
        flat = np.empty(offsets.size, dtype=np.float32)
        points.foreach_get("co", flat)
        points.foreach_set("co", flat + offsets.reshape(-1))
    place = np.empty(offsets.size, dtype=np.float32)
    obj.data.vertices.foreach_get("co", place)
    obj.data.vertices.foreach_set("co", place + offsets.reshape(-1))
    obj.data.update()


def turn_correctives(obj: bpy.types.Object, turns: Floats) -> None:
    """Keep the correctives of ``obj`` right after the rest axes of the bones have turned.

    Args:
        obj: body or clothes.
        turns: (J, 3, 3) old axes transposed times new axes, in SMPL's order.
    """
    correctives = read_correctives(obj.data)
    if correctives is not None:
        turned = _turned(correctives.directions, turns[correctives.bones][:, None])
        write_correctives(obj.data, replace(correctives, directions=turned))
        obj.data.update_tag()


def _positions(key: bpy.types.ShapeKey) -> Floats:
    flat = np.empty(3 * len(key.points), dtype=np.float32)
    key.points.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def corrective_values(rig: bpy.types.Object) -> Floats:
    """Return ``R - I`` (J, 9) of the pose bones of ``rig`` in the present pose, what the correctives depend on."""
    bones = ordered_bones(rig, json.loads(rig["munet_bone_names"]))
    local = [rig.convert_space(pose_bone=b, matrix=b.matrix, from_space="POSE", to_space="LOCAL") for b in bones]
    return np.array([m.to_quaternion().to_matrix() for m in local]).reshape(-1, 9) - np.eye(3).reshape(9)
