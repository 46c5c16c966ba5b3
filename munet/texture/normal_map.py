"""A tangent-space normal map of folds, from a picture of how folds turn a surface's normals."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from munet.geometry.camera import Camera
from munet.render import vertex_normals
from munet.surface.result import ClothedSurface
from munet.texture.atlas import Texels, texels_of
from munet.texture.pad import pad_seams
from munet.texture.regions import regions_of

Floats = NDArray[np.float32]

FLAT = (128, 128, 255)
_PAD_SHARE = 1 / 128
# Cosine to the direction of view from which a picture of folds begins to be believed, and is believed fully.
_FACING = (0.2, 0.5)
# Metres between a texel and the surface that its pixel shows.
_SAME_SURFACE = 0.015
# A normal may lean so far from the surface's own, as the smallest cosine.
_STEEPEST = 0.35
_NOTHING = 1e-6


@dataclass(frozen=True)
class FoldPicture:
    """Folds of a clothed person as the camera sees them.

    Attributes:
        lean: (H, W, 3) what folds add to the unit normals of the nearest surface, camera frame (x right, y down, z
            away); zero where none are seen.
        depth: (H, W) metres of the nearest surface.
        camera: of the picture, in the frame of the surface.
    """

    lean: Floats
    depth: Floats
    camera: Camera


@dataclass(frozen=True)
class _Frames:
    """Normals, tangents (S or N, 3) and signs of the bitangent (N,) at texels."""

    normal: Floats
    tangent: Floats
    sign: Floats


def bake_normals(surface: ClothedSurface, picture: FoldPicture, size: int) -> NDArray[np.uint8]:
    """Express folds in the surface's own tangent frames.

    The frames are those of Blender and glTF: x along u, y along v (so green is up), z along the smooth normal. Head,
    hands and eyes keep the surface's normals, and so does what the picture does not show.

    Args:
        surface: with its atlas.
        picture: of its folds.
        size: edge of the map in pixels.

    Returns:
        (size, size, 3) uint8, first row at the top (v = 1); 128, 128, 255 is the surface's own normal.

    Raises:
        InvalidInputError: the UVs do not belong to the faces.
    """
    texels = texels_of(surface.faces, surface.uv, size)
    covered = np.zeros(size * size, np.bool_)
    covered[texels.index] = True
    result = np.empty((size * size, 3), np.uint8)
    result[:] = FLAT
    vertices = surface.vertices_cam.astype(np.float32)
    normals = vertex_normals(torch.from_numpy(vertices), torch.from_numpy(surface.faces.astype(np.int64))).numpy()
    regions = regions_of(surface)
    keeps = regions.head | regions.face | regions.hands | regions.eyes
    shown = ~keeps & (np.einsum("sd,sd->s", normals, _unit(vertices)) < 0)
    texels = texels.pick(np.flatnonzero(shown[texels.corners].any(1)))
    frames = _frames(surface, normals, texels)
    free = 1 - texels.carry(keeps.astype(np.float32)[:, None])
    lean = free * _look_up(texels.carry(vertices), frames.normal, picture)
    result[texels.index] = np.rint(_in_frames(_unit(frames.normal + lean), frames) * 127 + 128).clip(0, 255)
    return pad_seams(result.reshape(size, size, 3), covered.reshape(size, size), max(4, round(size * _PAD_SHARE)))


def _frames(surface: ClothedSurface, normals: Floats, texels: Texels) -> _Frames:
    """Tangent frames of the posed surface; tangents are averaged over the corners that share vertex and atlas place."""
    vertices, faces = surface.vertices_cam.astype(np.float32), surface.faces.astype(np.int64)
    edges, flat = vertices[faces[:, 1:]] - vertices[faces[:, :1]], surface.uv[:, 1:] - surface.uv[:, :1]
    turn = flat[:, 0, 0] * flat[:, 1, 1] - flat[:, 0, 1] * flat[:, 1, 0]
    along = edges[:, 0] * flat[:, 1, 1:2] - edges[:, 1] * flat[:, 0, 1:2]
    along = _unit(along * np.where(turn < 0, -1, 1)[:, None].astype(np.float32))
    key = np.concatenate([faces.reshape(-1, 1), np.rint(surface.uv.reshape(-1, 2) * 65536).astype(np.int64)], 1)
    _, place = np.unique(key, axis=0, return_inverse=True)
    total = np.zeros((int(place.max()) + 1, 3), np.float32)
    np.add.at(total, place.reshape(-1), np.repeat(along, 3, 0))
    corner = total[place.reshape(-1)].reshape(-1, 3, 3)
    face = _faces_of(texels, faces)
    tangent = np.einsum("nk,nkd->nd", texels.weights, corner[face])
    normal = _unit(texels.carry(normals))
    tangent = _unit(tangent - np.einsum("nd,nd->n", tangent, normal)[:, None] * normal)
    return _Frames(normal, tangent, np.where(turn < 0, -1, 1)[face].astype(np.float32))


def _faces_of(texels: Texels, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """The face (N,) of each texel, found by its corners."""
    base = int(faces.max()) + 1
    codes = (faces[:, 0] * base + faces[:, 1]) * base + faces[:, 2]
    order = np.argsort(codes)
    wanted = (texels.corners[:, 0] * base + texels.corners[:, 1]) * base + texels.corners[:, 2]
    found: NDArray[np.int64] = order[np.searchsorted(codes[order], wanted)]
    return found


def _look_up(point: Floats, normal: Floats, picture: FoldPicture) -> Floats:
    """Lean of normals (N, 3) at points (N, 3), fading where the picture shows them obliquely, else zero."""
    pixel = picture.camera.project(point)
    facing = -np.einsum("nd,nd->n", normal, _unit(point))
    low, high = _FACING
    near = np.abs(_read(picture.depth[..., None], pixel, cv2.INTER_NEAREST)[:, 0] - point[:, 2]) < _SAME_SURFACE
    trust = np.clip((facing - low) / (high - low), 0, 1) * near
    return np.asarray(trust[:, None].astype(np.float32) * _read(picture.lean, pixel, cv2.INTER_LINEAR), np.float32)


def _read(picture: Floats, pixel: Floats, how: int) -> Floats:
    """Values (N, C) of a picture (R, R, C) at pixels (N, 2), zero outside."""
    places = np.ascontiguousarray(pixel - 0.5, np.float32)
    rows = [
        cv2.remap(picture, part[:, None, 0], part[:, None, 1], how).reshape(len(part), -1)
        for part in np.array_split(places, 1 + len(places) // 30000)
    ]
    return np.concatenate(rows).astype(np.float32)


def _in_frames(normals: Floats, frames: _Frames) -> Floats:
    """Normals (N, 3) along tangent, bitangent and normal, not leaning too far."""
    bitangent = frames.sign[:, None] * np.cross(frames.normal, frames.tangent)
    axes = (frames.tangent, bitangent, frames.normal)
    local = np.stack([np.einsum("nd,nd->n", normals, axis) for axis in axes], 1)
    local[:, 2] = np.maximum(local[:, 2], _STEEPEST * np.linalg.norm(local[:, :2], axis=1))
    local[:, 2] = np.maximum(local[:, 2], _STEEPEST)
    return _unit(local)


def _unit(vectors: Floats) -> Floats:
    length = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))[..., None]
    return np.asarray(vectors / np.maximum(length, _NOTHING), np.float32)
