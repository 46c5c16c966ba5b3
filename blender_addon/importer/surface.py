"""The clothed surface: skinned mesh with the photo's texture."""

from __future__ import annotations

import bpy

from .character import Character
from .material import textured_material
from .mesh import add_weights, bind, build_mesh
from .placement import Placement


def build_surface(
    character: Character, placement: Placement, rig: bpy.types.Object, bone_names: list[str], name: str
) -> bpy.types.Object:
    """Build the clothed mesh with its own weights, bound to ``rig``."""
    mesh = build_mesh(name, character.surface, placement.rest(character.surface.rest_vertices_body))
    mesh.materials.append(textured_material(name, character.arrays["texture"]))
    obj = bpy.data.objects.new(name, mesh)
    add_weights(obj, character.surface.weights, bone_names)
    bind(obj, rig)
    return obj
