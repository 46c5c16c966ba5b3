"""Skinned meshes: polygons, UVs, vertex groups and the Armature modifier."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .character import Skin
from .topology import Polygons, polygons

UV_NAME = "UVMap"


def _fill_polygons(mesh: bpy.types.Mesh, shape: Polygons) -> None:
    mesh.loops.add(len(shape.corners))
    mesh.loops.foreach_set("vertex_index", shape.corners)
    mesh.polygons.add(len(shape.starts))
    mesh.polygons.foreach_set("loop_start", shape.starts)
    mesh.update(calc_edges=True)
    layer = mesh.uv_layers.new(name=UV_NAME, do_init=False)
    layer.data.foreach_set("uv", shape.uv.reshape(-1))


def build_mesh(name: str, skin: Skin, rest: NDArray[Any]) -> bpy.types.Mesh:
    """Build the mesh of ``skin`` with its vertices at ``rest`` (V, 3), smooth, with one UV map."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(rest))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(rest, dtype=np.float32).reshape(-1))
    _fill_polygons(mesh, polygons(skin))
    mesh.shade_smooth()
    mesh.validate()
    return mesh


def add_weights(obj: bpy.types.Object, weights: NDArray[Any], bone_names: list[str]) -> None:
    """Give ``obj`` one vertex group per bone from ``weights`` (V, J), normalised to a sum of 1 per vertex."""
    normalised = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    for bone, name in enumerate(bone_names):
        group = obj.vertex_groups.new(name=name)
        members = np.flatnonzero(normalised[:, bone] > 0)
        for vertex, weight in zip(members.tolist(), normalised[members, bone].tolist(), strict=True):
            group.add((vertex,), weight, "REPLACE")


def bind(obj: bpy.types.Object, rig: bpy.types.Object) -> None:
    """Parent ``obj`` to ``rig`` and let the rig deform it by linear blend skinning."""
    obj.parent = rig
    modifier = obj.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    modifier.use_deform_preserve_volume = False
