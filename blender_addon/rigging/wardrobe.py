"""How the clothed surface lies on the body: what it takes of its identity, and which skin it covers. No scene."""

from __future__ import annotations

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from ..importer.character import Array, Character
from ..importer.corrective_data import Correctives
from ..importer.correctives import has_correctives
from ..importer.frames import Floats, matrices_from_axis_angle
from .near import DENSE, Near, near_vertices, neighbours

_CLOSE, _FAR, _LEAST_SHARE = 0.01, 0.08, 1 / 3
_STAND_OFF = 0.003
_DRESSED = ("pelvis", "hip", "spine", "collar")
_BARE = ("head", "wrist", "hand", "index", "middle", "pinky", "ring", "thumb")


def same_topology(character: Character) -> bool:
    """Return whether the clothed surface has the body's vertices, moved."""
    body, surface = character.body.faces, character.surface.faces
    return len(character.body.vertices_cam) == len(character.surface.vertices_cam) and np.array_equal(body, surface)


def surface_shape_dirs(character: Character, near: Near | None) -> Array:
    """Return how the clothed surface changes (S, 3, B), float32, with the identity: as the body does below it."""
    directions = character.arrays["body_shape_dirs"].astype(np.float32)
    if near is None:
        return directions
    return near.blend(directions.reshape(len(directions), -1)).reshape(-1, *directions.shape[1:])


def near_body(character: Character) -> Near | None:
    """Return which vertices of the body are near those of the surface, None where the surface has its topology."""
    body, surface = character.body, character.surface
    if same_topology(character):
        return None
    points, vertices = surface.vertices_cam.astype(np.float64), body.vertices_cam.astype(np.float64)
    return near_vertices(points, surface.faces, vertices, body.faces)


def uncorrected_rest(character: Character) -> tuple[Floats, Floats | None]:
    """Return the clothed surface at rest (S, 3), body frame, without the body's correctives of the photo's pose.

    Also the share (S,) of the body's correctives that each of its vertices takes: all where the clothes lie on the
    skin, less the further they stand off. None where nothing can be taken over, because the surface has a topology of
    its own or the body no correctives; then the rest is as the backend sends it.
    """
    rest = character.surface.rest_vertices_body.astype(np.float64)
    if not has_correctives(character) or not same_topology(character):
        return rest, None
    share = corrective_share(character)
    rotations = matrices_from_axis_angle(character.arrays["bone_rotations"].astype(np.float64))
    arrays = character.arrays
    directions = arrays["pose_dirs"].astype(np.float64)
    photo = Correctives(arrays["pose_dirs_vertices"], arrays["pose_dirs_bones"], directions)
    moved = photo.offsets((rotations - np.eye(3)).reshape(-1, 9), len(rest))
    return rest - share[:, None] * moved, share


def corrective_share(character: Character) -> Floats:
    """Return the share (S,) of the body's correctives that the clothed surface takes, 1 to a third."""
    away = character.surface.vertices_cam.astype(np.float64) - character.body.vertices_cam
    return share_of_correctives(away, character.body.faces)


def share_of_correctives(away: Floats, faces: Array) -> Floats:
    """Return the share (V,) of the body's correctives for clothes that lie ``away`` (V, 3) from its vertices."""
    stand_off = np.linalg.norm(away, axis=1)
    share = np.clip(1.0 - np.maximum(stand_off - _CLOSE, 0.0) / _FAR, _LEAST_SHARE, 1.0)
    return _Neighbours(faces, len(share)).mean(share, 6)


def covered_skin(character: Character, near: Near | None) -> Array:
    """Return which vertices (V,) of the body the clothes cover, with a margin: not head and hands, nor bare skin.

    Trunk and thighs count as dressed, other limbs where the surface stands off from most of a segment, and the rest
    vertex by vertex. The surface may be shifted against the body by a few millimetres limb by limb; what counts is
    how far it stands off beyond that, in the photo's pose.
    """
    neighbours = _Neighbours(character.body.faces, len(character.body.vertices_cam))
    off = neighbours.mean((_stand_off(character, near) > _STAND_OFF).astype(np.float64), 4)
    weights = character.body.weights.astype(np.float64)
    segment, names = weights.argmax(axis=1), character.bone_names
    share = np.bincount(segment, off, len(names)) / np.maximum(np.bincount(segment, minlength=len(names)), 1)
    dressed = (share > 0.5) | np.array([any(part in name for part in _DRESSED) for name in names])
    parents = character.arrays["bone_parents"]
    dressed |= np.array([name.endswith("_foot") for name in names]) & dressed[parents]
    bare = np.array([any(part in name for part in _BARE) for name in names])
    covered = ((off > 0.5) | dressed[segment]) & (weights[:, bare].sum(axis=1) < 0.5)
    return neighbours.mean(covered.astype(np.float64), 1) > 1.0 - 1e-6


def _stand_off(character: Character, near: Near | None) -> Floats:
    weights, vertices = character.body.weights.astype(np.float64), character.body.vertices_cam.astype(np.float64)
    away = _to_surface(character, near)
    shifts = weights.T @ away / np.maximum(weights.sum(axis=0), 1e-6)[:, None]
    result: Floats = ((away - weights @ shifts) * _normals(vertices, character.body.faces)).sum(axis=1)
    return result


def _to_surface(character: Character, near: Near | None) -> Floats:
    """Return the way (V, 3) from each vertex of the body to the surface."""
    vertices, skin = character.body.vertices_cam.astype(np.float64), character.surface
    if near is None:
        return skin.vertices_cam - vertices
    if len(skin.vertices_cam) > DENSE * len(vertices):
        away = near.gather(skin.vertices_cam - vertices[near.index[:, 0]], len(vertices))
        return np.where(np.isnan(away), np.nanmean(away, axis=0), away)
    tree = BVHTree.FromPolygons(skin.vertices_cam.tolist(), skin.faces.tolist())
    return np.array([tree.find_nearest(Vector(point))[0] for point in vertices.tolist()]) - vertices


def _normals(vertices: Floats, faces: Array) -> Floats:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], np.cross(b - a, c - a))
    result: Floats = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return result


class _Neighbours:
    """Averages over a vertex and its neighbours."""

    def __init__(self, faces: Array, count: int) -> None:
        self._from, self._to = neighbours(faces, count)
        self._count = 1.0 + np.bincount(self._from, minlength=count)

    def mean(self, values: Floats, rounds: int) -> Floats:
        """Average ``values`` (V,) that many times."""
        for _ in range(rounds):
            values = (values + np.bincount(self._from, values[self._to], len(values))) / self._count
        return values
