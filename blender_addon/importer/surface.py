"""The clothed surface: skinned mesh with the photo's texture."""

from __future__ import annotations

from concurrent.futures import Future

import bpy

from ..steps import Beside, Steps, run_through
from .character import Character
from .frames import Floats
from .material import add_normal_map, textured_material
from .mesh import bind, build_skinned
from .pictures import files_of


def building_surface(
    character: Character,
    rest: Floats,
    rig: bpy.types.Object,
    bone_names: list[str],
    name: str,
    pictures: tuple[Future[bytes], Future[bytes]],
) -> Steps[bpy.types.Object]:
    """Build what :func:`build_surface` does in steps; ``pictures`` are files of the texture and of the normal map."""
    obj = build_skinned(name, character.surface, rest, bone_names)
    texture = yield Beside(pictures[0].result)
    material = textured_material(name, texture)
    obj.data.materials.append(material)
    folds = yield Beside(pictures[1].result)
    if folds:
        add_normal_map(material, f"{name} normals", folds)
    bind(obj, rig)
    return obj


def build_surface(
    character: Character, rest: Floats, rig: bpy.types.Object, bone_names: list[str], name: str
) -> bpy.types.Object:
    """Build the clothed mesh with its vertices at ``rest`` (S, 3) and its own weights, bound to ``rig``."""
    pictures = files_of(character.arrays)
    return run_through(building_surface(character, rest, rig, bone_names, name, pictures))
