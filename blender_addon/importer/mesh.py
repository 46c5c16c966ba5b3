"""Skinned meshes: polygons, UVs, vertex groups and the Armature modifier."""

from __future__ import annotations

from collections import deque
from itertools import chain, repeat
from operator import setitem
from typing import Any

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from .character import Skin
from .topology import Polygons, polygons

UV_NAME = "UVMap"


def _fill_polygons(mesh: bpy.types.Mesh, shape: Polygons) -> None:
    mesh.loops.add(len(shape.corners))
    mesh.attributes[".corner_vert"].data.foreach_set("value", shape.corners)
    mesh.polygons.add(len(shape.starts))
    mesh.polygons.foreach_set("loop_start", shape.starts)
    mesh.update(calc_edges=True)
    layer = mesh.uv_layers.new(name=UV_NAME, do_init=False)
    layer.uv.foreach_set("vector", shape.uv.reshape(-1))


def _fill_weights(mesh: bpy.types.Mesh, weights: NDArray[Any]) -> None:
    """Store ``weights`` (V, J), normalised to a sum of 1 per vertex, in a mesh that has no polygons yet.

    BMesh is the one way in that is not a call into Blender for each weight; without polygons it costs next to nothing.
    """
    flat = np.ascontiguousarray(weights).reshape(-1)
    used = np.flatnonzero(flat > 0).astype(np.int32)
    vertices, bones = np.divmod(used, np.int32(weights.shape[1]))
    values = flat[used] / np.bincount(vertices, flat[used], len(weights))[vertices]
    work = bmesh.new()
    work.from_mesh(mesh)
    layer = work.verts.layers.deform.verify()
    rows = [vertex[layer] for vertex in work.verts]
    repeated = chain.from_iterable(map(repeat, rows, np.bincount(vertices, minlength=len(weights)).tolist()))
    deque(map(setitem, repeated, bones.tolist(), values.tolist()), maxlen=0)
    work.to_mesh(mesh)
    work.free()


def build_skinned(name: str, skin: Skin, rest: NDArray[Any], bone_names: list[str]) -> bpy.types.Object:
    """Build ``skin`` with its vertices at ``rest`` (V, 3), smooth, with one UV map and a vertex group for each bone."""
    mesh, shape = bpy.data.meshes.new(name), polygons(skin)
    mesh.vertices.add(len(rest))
    mesh.attributes["position"].data.foreach_set("vector", np.ascontiguousarray(rest, dtype=np.float32).reshape(-1))
    _fill_weights(mesh, skin.weights)
    _fill_polygons(mesh, shape)
    mesh.shade_smooth()
    if not shape.plain:
        mesh.validate()
    obj = bpy.data.objects.new(name, mesh)
    for bone_name in bone_names:
        obj.vertex_groups.new(name=bone_name)
    return obj


def bind(obj: bpy.types.Object, rig: bpy.types.Object) -> None:
    """Parent ``obj`` to ``rig`` and let the rig deform it by linear blend skinning."""
    obj.parent = rig
    modifier = obj.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    modifier.use_deform_preserve_volume = False
