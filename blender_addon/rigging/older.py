"""People in files of older releases: correctives are shape keys with drivers, and clothes have none."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

from ..importer.corrective_data import Correctives, write_correctives
from ..importer.correctives import make_live, remove_corrective_keys, rest_axes
from ..importer.frames import Floats
from ..people import ENTRIES, clothed_surface, corrective_name, is_older, older_correctives, shaped_body
from .wardrobe import share_of_correctives

_NOTHING = 1e-7


def update_person(rig: bpy.types.Object) -> None:
    """Make the correctives of an older person those of this release, live, for the clothes as well.

    Keys that hold them go, also baked ones. Clothes get their share where they have the body's vertices. The person
    looks as before in the photo's pose.
    """
    body = shaped_body(rig)
    if body is None or not is_older(rig):
        return
    rest = _places(body.data.shape_keys.key_blocks[0].points)
    correctives = _from_keys(rig, body, rest)
    _remove_keys(rig, body)
    write_correctives(body.data, correctives)
    make_live(body, rig, correctives)
    surface = clothed_surface(rig)
    if surface is not None and _same_topology(surface.data, body.data):
        _correct_clothes(rig, surface, body, rest, correctives)


def _places(points: bpy.types.bpy_prop_collection[Any]) -> Floats:
    flat = np.empty(3 * len(points), dtype=np.float32)
    points.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _from_keys(rig: bpy.types.Object, body: bpy.types.Object, rest: Floats) -> Correctives:
    blocks = body.data.shape_keys.key_blocks
    vertices, bones, directions = [], [], []
    for bone in older_correctives(rig, body):
        moved = [_places(blocks[corrective_name(bone, entry)].points) - rest for entry in range(ENTRIES)]
        square = np.stack(moved, axis=-1)
        rows = np.flatnonzero(np.abs(square).max(axis=(1, 2)) > _NOTHING)
        vertices.append(rows)
        bones.append(np.full(len(rows), bone))
        directions.append(square[rows])
    return Correctives(np.concatenate(vertices), np.concatenate(bones), np.concatenate(directions))


def _remove_keys(rig: bpy.types.Object, body: bpy.types.Object) -> None:
    blocks = body.data.shape_keys.key_blocks
    for bone in older_correctives(rig, body):
        for entry in range(ENTRIES):
            blocks[corrective_name(bone, entry)].driver_remove("value")
    remove_corrective_keys(body)


def _same_topology(one: bpy.types.Mesh, other: bpy.types.Mesh) -> bool:
    if (len(one.vertices), len(one.loops)) != (len(other.vertices), len(other.loops)):
        return False
    corners = [np.empty(len(mesh.loops), dtype=np.int32) for mesh in (one, other)]
    for mesh, values in zip((one, other), corners, strict=True):
        mesh.loops.foreach_get("vertex_index", values)
    return bool(np.array_equal(*corners))


def _correct_clothes(
    rig: bpy.types.Object, surface: bpy.types.Object, body: bpy.types.Object, rest: Floats, correctives: Correctives
) -> None:
    """Give the clothes their share of the correctives; what the photo's pose gives is in their vertices already."""
    names = json.loads(rig["munet_bone_names"])
    axes, turns = rest_axes(rig, names), np.array(rig["munet_rotations"]).reshape(-1, 3, 3)
    values = (np.swapaxes(axes, -1, -2) @ turns @ axes - np.eye(3)).reshape(-1, ENTRIES)
    photo = correctives.offsets(values, len(rest))
    faces = np.array([polygon.vertices[:] for polygon in body.data.polygons])
    share = share_of_correctives(_places(surface.data.vertices) - rest - photo, faces)
    keys = surface.data.shape_keys.key_blocks if surface.data.shape_keys else ()
    for points in (surface.data.vertices, *(key.points for key in keys)):
        points.foreach_set("co", (_places(points) - share[:, None] * photo).astype(np.float32).reshape(-1))
    directions = correctives.directions * share[correctives.vertices][:, None, None]
    write_correctives(surface.data, Correctives(correctives.vertices, correctives.bones, directions))
    make_live(surface, rig)
    surface.data.update()
