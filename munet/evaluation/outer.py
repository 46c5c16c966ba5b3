"""The outer part of a mesh: what a scanner would see of a person in clothes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from munet.evaluation.alignment import Array
from munet.evaluation.surface_metrics import Mesh
from munet.render import rasterise

# Azimuths and elevations of the views, degrees; none looks up, under skirts.
_AZIMUTHS = range(0, 360, 45)
_ELEVATIONS = (0, 40)
_GROWTH = 2
_FAR_METRES = 1000.0


def outer_faces(mesh: Mesh, pixels: int = 256) -> NDArray[np.bool_]:
    """Tell which faces (F,) can be seen from around and above, or lie within two faces of such a face.

    Args:
        mesh: metres, camera frame (y down) of a camera that is held about level.
        pixels: edge of the orthographic views; smaller faces may be missed by a view and are found by their neighbours.
    """
    middle = (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    centred = mesh.vertices - middle
    edge = 2.1 * float(np.linalg.norm(centred, axis=1).max())
    faces = torch.from_numpy(mesh.faces)
    seen = np.zeros(len(mesh.faces), bool)
    for rotation in _rotations():
        turned = torch.from_numpy(centred @ rotation.T)[None]
        image = torch.cat([turned[..., :2] * (pixels / edge) + pixels / 2, turned[..., 2:] + _FAR_METRES], -1)
        index = rasterise(image, faces, pixels, pixels).face_index
        seen[index[index >= 0].numpy()] = True
    for _ in range(_GROWTH):
        touched = np.zeros(len(mesh.vertices), bool)
        touched[mesh.faces[seen]] = True
        seen = np.asarray(touched[mesh.faces].any(1))
    return seen


def _rotations() -> list[Array]:
    views = []
    for elevation in np.radians(_ELEVATIONS):
        tilt = np.array(
            [[1, 0, 0], [0, np.cos(elevation), -np.sin(elevation)], [0, np.sin(elevation), np.cos(elevation)]]
        )
        for azimuth in np.radians(_AZIMUTHS):
            turn = np.array([[np.cos(azimuth), 0, np.sin(azimuth)], [0, 1, 0], [-np.sin(azimuth), 0, np.cos(azimuth)]])
            views.append(tilt @ turn)
    return views
