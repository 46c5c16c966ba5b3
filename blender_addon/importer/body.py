"""The naked body: skinned mesh with identity and pose shape keys."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..steps import Steps
from .character import Character
from .correctives import adding_correctives, has_correctives
from .frames import points_from_body
from .material import skin_material
from .mesh import bind, build_skinned
from .placement import Placement

PHOTO_POSE_KEY = "PhotoPose"
_SHAPE_RANGE = 5.0


def _add_key(obj: bpy.types.Object, name: str, vertices: NDArray[Any]) -> bpy.types.ShapeKey:
    key = obj.shape_key_add(name=name, from_mix=False)
    key.points.foreach_set("co", np.ascontiguousarray(vertices, dtype=np.float32).reshape(-1))
    return key


def _adding_keys(obj: bpy.types.Object, character: Character, rest: NDArray[Any], rig: bpy.types.Object) -> Steps[None]:
    obj.shape_key_add(name="Basis", from_mix=False)
    directions = np.moveaxis(character.arrays["body_shape_dirs"].astype(np.float64), 2, 0)
    for index, direction in enumerate(directions):
        key = _add_key(obj, f"Shape{index:03d}", rest + points_from_body(direction))
        key.slider_min, key.slider_max = -_SHAPE_RANGE, _SHAPE_RANGE
        key.value = 0.0
    yield
    if has_correctives(character):
        yield from adding_correctives(obj, character, rig)
        return
    corrective = _add_key(obj, PHOTO_POSE_KEY, rest + points_from_body(character.arrays["body_corrective"]))
    corrective.value = 1.0


def building_body(
    character: Character, placement: Placement, rig: bpy.types.Object, bone_names: list[str], name: str
) -> Steps[bpy.types.Object]:
    """Build the body mesh bound to ``rig`` in steps; its basis is this person's own rest shape."""
    rest = placement.rest(character.body.rest_vertices_body)
    obj = build_skinned(name, character.body, rest, bone_names)
    yield
    obj.data.materials.append(skin_material(f"{name} skin"))
    yield from _adding_keys(obj, character, rest, rig)
    bind(obj, rig)
    return obj


def set_photo_corrective(rig: bpy.types.Object, value: float) -> None:
    """Set the key that holds the corrective of the photo's pose, on bodies that have no live correctives."""
    for child in rig.children:
        keys = getattr(child.data, "shape_keys", None)
        if keys and PHOTO_POSE_KEY in keys.key_blocks:
            keys.key_blocks[PHOTO_POSE_KEY].value = value
