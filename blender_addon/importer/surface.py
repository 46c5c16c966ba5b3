"""The clothed surface: skinned mesh with the photo's texture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import bpy

from .character import Character
from .frames import Floats
from .material import add_normal_map, textured_material
from .mesh import bind, build_skinned
from .png import encode_png


def build_surface(
    character: Character, rest: Floats, rig: bpy.types.Object, bone_names: list[str], name: str
) -> bpy.types.Object:
    """Build the clothed mesh with its vertices at ``rest`` (S, 3) and its own weights, bound to ``rig``."""
    with ThreadPoolExecutor(1) as beside:
        picture = beside.submit(encode_png, character.arrays["texture"])
        obj = build_skinned(name, character.surface, rest, bone_names)
        material = textured_material(name, picture.result())
        obj.data.materials.append(material)
    folds = character.arrays.get("normal_map")
    if folds is not None and folds.size:
        add_normal_map(material, f"{name} normals", encode_png(folds))
    bind(obj, rig)
    return obj
