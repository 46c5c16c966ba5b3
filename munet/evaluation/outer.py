"""The outer part of a mesh: what a scanner would see of a person in clothes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from munet.evaluation.alignment import Array
from munet.evaluation.normal_views import about_vertical, parallel_image
from munet.evaluation.surface_metrics import Mesh
from munet.render import rasterise

# Azimuths and elevations of the views, degrees; none looks up, under skirts.
_AZIMUTHS = range(0, 360, 45)
_ELEVATIONS = (0, 40)
_GROWTH = 2
# Faces shorter than this may lie between the pixels of all views.
_SMALL_PIXELS = 2.0


def outer_faces(mesh: Mesh, pixels: int = 256) -> NDArray[np.bool_]:
    """Tell which faces (F,) can be seen from around and above, or lie within two faces of such a face.

    Args:
        mesh: metres, camera frame (y down) of a camera that is held about level.
        pixels: edge of the orthographic views; smaller faces may be missed by a view and are found by their neighbours.
    """
    return _with_neighbours(mesh, _seen(mesh, pixels), np.ones(len(mesh.faces), bool))


def outer_part(mesh: Mesh, pixels: int = 512) -> Mesh:
    """The part of a mesh that can be seen from around and above: two surfaces are compared fairly by theirs.

    Unlike :func:`outer_faces` it ends where sight ends, however large the faces are: neighbours of faces that are seen
    count only where they are too small for the views.

    Args:
        mesh: as of :func:`outer_faces`.
        pixels: edge of the views.
    """
    corners = mesh.vertices[mesh.faces]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    small = longest < _SMALL_PIXELS * _extent(mesh)[1] / pixels
    return Mesh(mesh.vertices, mesh.faces[_with_neighbours(mesh, _seen(mesh, pixels), small)])


def _extent(mesh: Mesh) -> tuple[Array, float]:
    """Vertices around their middle, and the edge in metres of a picture that shows them from everywhere."""
    centred = mesh.vertices - (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    return centred, 2.1 * float(np.linalg.norm(centred, axis=1).max())


def _seen(mesh: Mesh, pixels: int) -> NDArray[np.bool_]:
    """Which faces (F,) some view shows."""
    centred, edge = _extent(mesh)
    faces = torch.from_numpy(mesh.faces)
    seen = np.zeros(len(mesh.faces), bool)
    for rotation in _rotations():
        image = parallel_image(torch.from_numpy(centred @ rotation.T)[None], edge, pixels)
        index = rasterise(image, faces, pixels, pixels).face_index
        seen[index[index >= 0].numpy()] = True
    return seen


def _with_neighbours(mesh: Mesh, seen: NDArray[np.bool_], possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Faces (F,) that are seen, and possible ones within two faces of them."""
    result = seen.copy()
    for _ in range(_GROWTH):
        touched = np.zeros(len(mesh.vertices), bool)
        touched[mesh.faces[result]] = True
        result |= possible & touched[mesh.faces].any(1)
    return result


def _rotations() -> list[Array]:
    views = []
    for elevation in np.radians(_ELEVATIONS):
        tilt = np.array(
            [[1, 0, 0], [0, np.cos(elevation), -np.sin(elevation)], [0, np.sin(elevation), np.cos(elevation)]]
        )
        views += [tilt @ about_vertical(azimuth) for azimuth in _AZIMUTHS]
    return views
