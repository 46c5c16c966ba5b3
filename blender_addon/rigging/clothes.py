"""Clothes on a body: they follow its identity, and the skin they cover can be hidden."""

from __future__ import annotations

import bpy
import numpy as np

from ..importer.character import Array
from ..importer.frames import Floats, points_from_body
from ..people import COVERED, COVERED_MASK, covered_skin_hidden


def follow_identity(surface: bpy.types.Object, body: bpy.types.Object, directions: Floats) -> None:
    """Give the clothed ``surface`` the identity keys of ``body``, driven by them: one set of sliders moves both.

    Args:
        surface: the clothes.
        body: with its keys.
        directions: (S, 3, B) how the clothes change with each key, body frame.
    """
    flat = np.empty(3 * len(surface.data.vertices), dtype=np.float32)
    surface.data.vertices.foreach_get("co", flat)
    rest = flat.reshape(-1, 3)
    surface.shape_key_add(name="Basis", from_mix=False)
    shape = body.data.shape_keys
    for index, moves in enumerate(np.moveaxis(directions, 2, 0)):
        key = surface.shape_key_add(name=f"Shape{index:03d}", from_mix=False)
        key.points.foreach_set("co", (rest + points_from_body(moves)).astype(np.float32).reshape(-1))
        source = shape.key_blocks[key.name]
        key.slider_min, key.slider_max, key.value = source.slider_min, source.slider_max, source.value
        _follow(key, shape, source)


def _follow(key: bpy.types.ShapeKey, shape: bpy.types.Key, source: bpy.types.ShapeKey) -> None:
    driver = key.driver_add("value").driver
    driver.type = "SUM"
    variable = driver.variables.new()
    variable.type = "SINGLE_PROP"
    target = variable.targets[0]
    target.id_type, target.id = "KEY", shape
    target.data_path = source.path_from_id("value")


def mark_covered_skin(body: bpy.types.Object, covered: Array) -> None:
    """Remember, as an attribute of the mesh of ``body``, which skin (V,) lies under the clothes."""
    attribute = body.data.attributes.new(COVERED, "BOOLEAN", "POINT")
    attribute.data.foreach_set("value", covered)


def hide_covered_skin(body: bpy.types.Object, *, hidden: bool) -> None:
    """Hide the skin under the clothes with a vertex group and a Mask modifier, or show it again."""
    if hidden and not covered_skin_hidden(body):
        values = np.zeros(len(body.data.vertices), dtype=np.bool_)
        body.data.attributes[COVERED].data.foreach_get("value", values)
        group = body.vertex_groups.new(name=COVERED)
        group.add(np.flatnonzero(values).tolist(), 1.0, "REPLACE")
        modifier = body.modifiers.new(COVERED_MASK, "MASK")
        modifier.vertex_group, modifier.invert_vertex_group = group.name, True
    elif not hidden and covered_skin_hidden(body):
        group = body.vertex_groups.get(body.modifiers[COVERED_MASK].vertex_group)
        body.modifiers.remove(body.modifiers[COVERED_MASK])
        if group is not None:
            body.vertex_groups.remove(group)
