"""A tangent-space normal map of folds, from pictures of a surface's normals from the front and from behind.

Only detail is taken over: what the pictures say about directions on the large is the business of the surface itself,
and where the two differ a normal map would shade the character as if it had another shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from munet.geometry.camera import Camera
from munet.render import normal_map, project, rasterise, vertex_normals
from munet.surface.result import ClothedSurface
from munet.texture.atlas import Texels, texels_of
from munet.texture.pad import pad_seams
from munet.texture.regions import regions_of

Floats = NDArray[np.float32]

FLAT = (128, 128, 255)
_PAD_SHARE = 1 / 128
# Cosine to the direction of view from which a picture of normals begins to be believed, and is believed fully.
_FACING = (0.2, 0.55)
# Metres between a texel and the surface that its pixel shows.
_SAME_SURFACE = 0.015
# A normal may lean so far from the surface's own, as the smallest cosine.
_STEEPEST = 0.35
_NOTHING = 1e-6
# Shorter waves than about six times this are folds, longer ones are shape.
_FOLD_METRES = 0.03
_KNOWN = 0.5


@dataclass(frozen=True)
class NormalPictures:
    """Unit normals of a clothed person, camera frame (x right, y down, z away); shorter where unsure, zero if unknown.

    Attributes:
        front: (R, R, 3) of the nearest surface.
        back: (R, R, 3) of the farthest surface behind the same pixels.
        camera: of the pictures, in the frame of the surface.
    """

    front: Floats
    back: Floats
    camera: Camera


@dataclass(frozen=True)
class _Frames:
    """Normals, tangents (S or N, 3) and signs of the bitangent (N,) at texels."""

    normal: Floats
    tangent: Floats
    sign: Floats


def bake_normals(surface: ClothedSurface, pictures: NormalPictures, size: int) -> NDArray[np.uint8]:
    """Express what pictures say about normals in the surface's own tangent frames.

    The frames are those of Blender and glTF: x along u, y along v (so green is up), z along the smooth normal. Face,
    hands and eyes keep the surface's normals, and so does what no picture shows.

    Args:
        surface: with its atlas.
        pictures: of its normals.
        size: edge of the map in pixels.

    Returns:
        (size, size, 3) uint8, first row at the top (v = 1); 128, 128, 255 is the surface's own normal.

    Raises:
        InvalidInputError: the UVs do not belong to the faces.
    """
    texels = texels_of(surface.faces, surface.uv, size)
    frames = _frames(surface, texels)
    regions = regions_of(surface)
    keeps = (regions.face | regions.hands | regions.eyes).astype(np.float32)[:, None]
    free = 1 - texels.carry(keeps)[:, 0]
    detail = _look_up(surface, texels, frames.normal, pictures)
    local = _in_frames(_unit(frames.normal + free[:, None] * detail), frames)
    result = np.empty((size * size, 3), np.uint8)
    result[:] = FLAT
    result[texels.index] = np.rint(local * 127 + 128).clip(0, 255)
    covered = np.zeros(size * size, np.bool_)
    covered[texels.index] = True
    return pad_seams(result.reshape(size, size, 3), covered.reshape(size, size), max(4, round(size * _PAD_SHARE)))


def _frames(surface: ClothedSurface, texels: Texels) -> _Frames:
    """Tangent frames of the posed surface; tangents are averaged over the corners that share vertex and atlas place."""
    vertices, faces = surface.vertices_cam.astype(np.float32), surface.faces.astype(np.int64)
    normals = vertex_normals(torch.from_numpy(vertices), torch.from_numpy(faces)).numpy()
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
    tangent = _unit(tangent - (tangent * normal).sum(1, keepdims=True) * normal)
    return _Frames(normal, tangent, np.where(turn < 0, -1, 1)[face].astype(np.float32))


def _faces_of(texels: Texels, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """The face (N,) of each texel, found by its corners."""
    base = int(faces.max()) + 1
    codes = (faces[:, 0] * base + faces[:, 1]) * base + faces[:, 2]
    order = np.argsort(codes)
    wanted = (texels.corners[:, 0] * base + texels.corners[:, 1]) * base + texels.corners[:, 2]
    found: NDArray[np.int64] = order[np.searchsorted(codes[order], wanted)]
    return found


def _look_up(surface: ClothedSurface, texels: Texels, normal: Floats, pictures: NormalPictures) -> Floats:
    """Detail of the normals at each texel (N, 3), fading where the pictures show it obliquely, else zero."""
    camera = pictures.camera
    point = texels.carry(surface.vertices_cam.astype(np.float32))
    pixel = camera.project(point)
    facing = -(normal * _unit(point)).sum(1)
    result = np.zeros_like(point)
    reach = camera.focal * _FOLD_METRES / float(np.median(point[:, 2]))
    low, high = _FACING
    sides = zip((pictures.front, pictures.back), _sides(surface, camera), (1.0, -1.0), strict=True)
    for picture, (depth, own), sign in sides:
        near = np.abs(_read(depth[..., None], pixel, cv2.INTER_NEAREST)[:, 0] - point[:, 2]) < _SAME_SURFACE
        trust = np.clip((sign * facing - low) / (high - low), 0, 1) * near
        result += trust[:, None].astype(np.float32) * _read(folds(picture, own, reach), pixel, cv2.INTER_LINEAR)
    return result


def folds(picture: Floats, own: Floats, reach: float) -> Floats:
    """How normals (R, R, 3) differ from a surface's own ones (R, R, 3), without what differs over large parts.

    Args:
        picture: normals of a network, zero where unknown.
        own: of the surface, zero outside.
        reach: pixels; waves that are much longer are left out.
    """
    known = ((np.linalg.norm(picture, axis=2) > _KNOWN) & (np.linalg.norm(own, axis=2) > _KNOWN)).astype(np.float32)
    # The band along the outline is a mixture of surface and background.
    kernel = np.ones((3, 3), np.uint8)
    known = cv2.erode(known, kernel, borderValue=0)[..., None]
    apart = known * (_unit(picture) - own)
    share = cv2.GaussianBlur(known, (0, 0), reach)[..., None]
    smooth = cv2.GaussianBlur(apart, (0, 0), reach) / np.maximum(share, _NOTHING)
    return np.asarray(known * (apart - smooth), np.float32)


def _read(picture: Floats, pixel: Floats, how: int) -> Floats:
    """Values (N, C) of a picture (R, R, C) at pixels (N, 2), zero outside."""
    places = np.ascontiguousarray(pixel - 0.5, np.float32)
    rows = [
        cv2.remap(picture, part[:, None, 0], part[:, None, 1], how).reshape(len(part), -1)
        for part in np.array_split(places, 1 + len(places) // 30000)
    ]
    return np.concatenate(rows).astype(np.float32)


def _sides(surface: ClothedSurface, camera: Camera) -> list[tuple[Floats, Floats]]:
    """Depth (R, R) and normals (R, R, 3) of the nearest and of the farthest surface, zero where there is none."""
    vertices = torch.from_numpy(surface.vertices_cam.astype(np.float32))[None]
    faces = torch.from_numpy(surface.faces.astype(np.int64))
    pixels = project(torch.from_numpy(camera.matrix), vertices)
    turned, both = pixels.clone(), float(pixels[..., 2].min() + pixels[..., 2].max())
    turned[..., 2] = both - pixels[..., 2]
    near, far = (rasterise(seen, faces, camera.height, camera.width) for seen in (pixels, turned))
    behind = torch.where(far.depth[0] > 0, both - far.depth[0], far.depth[0])
    normals = [normal_map(side, vertices, faces)[0].numpy() for side in (near, far)]
    return [(near.depth[0].numpy(), normals[0]), (behind.numpy(), normals[1])]


def _in_frames(normals: Floats, frames: _Frames) -> Floats:
    """Normals (N, 3) along tangent, bitangent and normal, not leaning too far."""
    bitangent = frames.sign[:, None] * np.cross(frames.normal, frames.tangent)
    local = np.stack([(normals * axis).sum(1) for axis in (frames.tangent, bitangent, frames.normal)], 1)
    local[:, 2] = np.maximum(local[:, 2], _STEEPEST * np.linalg.norm(local[:, :2], axis=1))
    local[:, 2] = np.maximum(local[:, 2], _STEEPEST)
    return _unit(local)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _NOTHING), np.float32)
