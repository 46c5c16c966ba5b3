"""The floor below a person: feet on it, and a plane that catches the shadow."""

from __future__ import annotations

import bpy
import numpy as np

from ..people import FLOOR, floor_of, shaped_body

_SIZE = 6.0


def lowest_point(context: bpy.types.Context, rig: bpy.types.Object) -> float:
    """Return the lowest z of what is shown of the person of ``rig`` at this frame; of its bones if nothing is."""
    context.view_layer.update()
    meshes = [child for child in rig.children_recursive if child.type == "MESH" and FLOOR not in child]
    shown = [mesh for mesh in meshes if mesh.visible_get()]
    filled = [mesh for mesh in shown if len(mesh.data.vertices)]
    clothed = [mesh for mesh in filled if mesh != shaped_body(rig)] or filled
    if not clothed:
        heights = [float((rig.matrix_world @ bone.tail).z) for bone in rig.pose.bones]
        return min(heights, default=float(rig.matrix_world.translation.z))
    graph = context.evaluated_depsgraph_get()
    lowest = min(_lowest(mesh.evaluated_get(graph)) for mesh in clothed)
    return lowest if np.isfinite(lowest) else float(rig.matrix_world.translation.z)


def _lowest(shown: bpy.types.Object) -> float:
    mesh = shown.to_mesh()
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    matrix = np.array(shown.matrix_world)
    heights = flat.reshape(-1, 3) @ matrix[2, :3] + matrix[2, 3]
    shown.to_mesh_clear()
    return float(heights.min(initial=np.inf))


def stand_on_floor(context: bpy.types.Context, rig: bpy.types.Object) -> float:
    """Move ``rig`` up or down so that the lowest point of the person is at z = 0; returns the way."""
    way = -lowest_point(context, rig)
    matrix = rig.matrix_world.copy()
    matrix.translation.z += way
    rig.matrix_world = matrix
    return way


def add_floor(context: bpy.types.Context, rig: bpy.types.Object) -> bpy.types.Object:
    """Lay a plane below the lowest point of the person; in Cycles it shows nothing but shadows."""
    half, centre = _SIZE / 2, rig.matrix_world.translation
    corners = [(-half, -half, 0.0), (half, -half, 0.0), (half, half, 0.0), (-half, half, 0.0)]
    mesh = bpy.data.meshes.new(f"{rig.name.removesuffix(' rig')} floor")
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    floor = bpy.data.objects.new(mesh.name, mesh)
    floor.location = (centre.x, centre.y, lowest_point(context, rig))
    floor.is_shadow_catcher = True
    floor[FLOOR] = rig
    own = [home for home in rig.users_collection if home.library is None and home.override_library is None]
    for collection in own or [context.scene.collection]:
        collection.objects.link(floor)
    return floor


def remove_floor(rig: bpy.types.Object) -> None:
    """Take the floor below the person away."""
    floor = floor_of(rig)
    if floor is not None:
        bpy.data.batch_remove([floor, *([floor.data] if floor.data.users == 1 else [])])
