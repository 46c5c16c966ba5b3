"""Materials: the photo's texture on the clothed surface, plain skin on the body."""

from __future__ import annotations

import bpy

from ..compat import enable_nodes

_SKIN_COLOUR = (0.55, 0.33, 0.24, 1.0)
_CLOTH_ROUGHNESS = 0.85
_CLOTH_SHINE = 0.1
_SKIN_ROUGHNESS = 0.55


def pack_image(name: str, data: bytes) -> bpy.types.Image:
    """Make an image of the bytes of an image file, packed into the .blend."""
    image = bpy.data.images.new(name, 8, 8)
    image.source = "FILE"
    image.pack(data=data, data_len=len(data))
    return image


def _principled(material: bpy.types.Material) -> bpy.types.Node:
    enable_nodes(material)
    return next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")


def textured_material(name: str, picture: bytes) -> bpy.types.Material:
    """Make a rough material that shows ``picture``, the bytes of an image file."""
    material = bpy.data.materials.new(name)
    shader = _principled(material)
    shader.inputs["Roughness"].default_value = _CLOTH_ROUGHNESS
    material.roughness, material.specular_intensity = _CLOTH_ROUGHNESS, _CLOTH_SHINE
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = pack_image(name, picture)
    node.location = (shader.location.x - 320, shader.location.y)
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return material


def add_normal_map(material: bpy.types.Material, name: str, picture: bytes) -> None:
    """Let ``picture``, the bytes of an image file with tangent-space normals, give ``material`` its folds."""
    tree, shader = material.node_tree, _principled(material)
    image, bump = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeNormalMap")
    image.image = pack_image(name, picture)
    image.image.colorspace_settings.name = "Non-Color"
    bump.location = (shader.location.x - 200, shader.location.y - 320)
    image.location = (bump.location.x - 320, bump.location.y)
    tree.links.new(image.outputs["Color"], bump.inputs["Color"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])


def skin_material(name: str) -> bpy.types.Material:
    """Make a plain material for the body under the clothes."""
    material = bpy.data.materials.new(name)
    shader = _principled(material)
    shader.inputs["Base Color"].default_value = _SKIN_COLOUR
    shader.inputs["Roughness"].default_value = _SKIN_ROUGHNESS
    material.diffuse_color, material.roughness = _SKIN_COLOUR, _SKIN_ROUGHNESS
    return material
