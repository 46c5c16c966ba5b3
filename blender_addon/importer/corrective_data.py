"""Pose correctives as attributes of a mesh: what each of the bones that bend there adds to a vertex.

A vertex has as many *slots* as bones correct it. Slot ``s`` is stored on the points of the mesh as

* ``munet_pose_<s>_in`` (bool): the vertex has this slot;
* ``munet_pose_<s>_bone`` (int): position of its bone in the list ``munet_pose_bones``, a property of the mesh;
* ``munet_pose_<s>_0`` to ``_2`` (4x4 matrix): column ``r`` of matrix ``c`` is what one unit of entry ``(r, c)`` of
  ``R - I`` adds, ``R`` being the rotation of the pose bone in its own rest axes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..people import CORRECTED
from .frames import Floats

PREFIX = "munet_pose_"


@dataclass(frozen=True)
class Correctives:
    """What bones add to vertices. N pairs of a vertex and a bone.

    Attributes:
        vertices: (N,) vertex of each pair.
        bones: (N,) number of its bone in SMPL's order.
        directions: (N, 3, 9) metres in Blender's axes per unit of the entries, row by row, of ``R - I`` of the bone.
    """

    vertices: np.ndarray
    bones: np.ndarray
    directions: Floats

    @property
    def moving_bones(self) -> list[int]:
        """The bones that correct something, in order."""
        return [int(bone) for bone in np.unique(self.bones)]

    def offsets(self, values: Floats, count: int) -> Floats:
        """Return what is added (count, 3) to the vertices where ``R - I`` of the bones is ``values`` (J, 9)."""
        moved = np.einsum("nak,nk->na", self.directions, values[self.bones])
        return np.stack([np.bincount(self.vertices, axis, count) for axis in moved.T], axis=1)


def slot_numbers(vertices: np.ndarray) -> np.ndarray:
    """Return for each pair (N,) the how manieth of its vertex it is."""
    order = np.argsort(vertices, kind="stable")
    ordered = vertices[order]
    numbers = np.empty(len(vertices), dtype=np.int64)
    numbers[order] = np.arange(len(vertices)) - np.searchsorted(ordered, ordered)
    return numbers


def write_correctives(mesh: bpy.types.Mesh, correctives: Correctives) -> int:
    """Store ``correctives`` on ``mesh`` in place of those it has; returns the number of slots."""
    remove_correctives(mesh)
    bones, count = correctives.moving_bones, len(mesh.vertices)
    slots = slot_numbers(correctives.vertices)
    for slot in range(int(slots.max(initial=-1)) + 1):
        rows = slots == slot
        vertices = correctives.vertices[rows]
        used, index = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int32)
        used[vertices], index[vertices] = True, np.searchsorted(bones, correctives.bones[rows])
        _attribute(mesh, f"{slot}_in", "BOOLEAN").foreach_set("value", used)
        _attribute(mesh, f"{slot}_bone", "INT").foreach_set("value", index)
        square = correctives.directions[rows].reshape(-1, 3, 3, 3)
        for column in range(3):
            matrices = np.zeros((count, 4, 4), dtype=np.float32)
            matrices[vertices, :3, :3] = np.moveaxis(square[..., column], 1, 2)
            _attribute(mesh, f"{slot}_{column}", "FLOAT4X4").foreach_set("value", matrices.reshape(-1))
    mesh[CORRECTED] = json.dumps(bones)
    return int(slots.max(initial=-1)) + 1


def _attribute(mesh: bpy.types.Mesh, name: str, kind: str) -> bpy.types.bpy_prop_collection[Any]:
    data: bpy.types.bpy_prop_collection[Any] = mesh.attributes.new(f"{PREFIX}{name}", kind, "POINT").data
    return data


def read_correctives(mesh: bpy.types.Mesh) -> Correctives | None:
    """Return what :func:`write_correctives` has stored on ``mesh``, or None."""
    if CORRECTED not in mesh or f"{PREFIX}0_in" not in mesh.attributes:
        return None
    bones, count = np.array(json.loads(mesh[CORRECTED])), len(mesh.vertices)
    vertices, movers, directions = [], [], []
    slot = 0
    while f"{PREFIX}{slot}_in" in mesh.attributes:
        used, index = np.empty(count, dtype=np.bool_), np.empty(count, dtype=np.int32)
        mesh.attributes[f"{PREFIX}{slot}_in"].data.foreach_get("value", used)
        mesh.attributes[f"{PREFIX}{slot}_bone"].data.foreach_get("value", index)
        rows = np.flatnonzero(used)
        square = np.empty((len(rows), 3, 3, 3))
        for column in range(3):
            matrices = np.empty(count * 16, dtype=np.float32)
            mesh.attributes[f"{PREFIX}{slot}_{column}"].data.foreach_get("value", matrices)
            square[..., column] = np.moveaxis(matrices.reshape(-1, 4, 4)[rows, :3, :3], 2, 1)
        vertices.append(rows)
        movers.append(bones[index[rows]])
        directions.append(square.reshape(-1, 3, 9))
        slot += 1
    return Correctives(np.concatenate(vertices), np.concatenate(movers), np.concatenate(directions))


def correcting_bones(mesh: bpy.types.Mesh) -> list[int]:
    """Return the bones, in SMPL's order, that correct something of ``mesh``; quick."""
    bones: list[int] = json.loads(mesh[CORRECTED]) if CORRECTED in mesh else []
    return bones


def rotate_correctives(mesh: bpy.types.Mesh, matrix: Floats) -> None:
    """Let what is added follow a linear map (3, 3) of the vertices of ``mesh``."""
    correctives = read_correctives(mesh)
    if correctives is not None and not np.allclose(matrix, np.eye(3)):
        directions = np.einsum("ab,nbk->nak", matrix, correctives.directions)
        write_correctives(mesh, Correctives(correctives.vertices, correctives.bones, directions))


def remove_correctives(mesh: bpy.types.Mesh) -> None:
    """Take the correctives off ``mesh``."""
    for name in [attribute.name for attribute in mesh.attributes if attribute.name.startswith(PREFIX)]:
        mesh.attributes.remove(mesh.attributes[name])
    if CORRECTED in mesh:
        del mesh[CORRECTED]
