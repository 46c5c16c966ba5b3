"""The clothed surface of one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClothedSurface:
    """A clothed surface, posed and unposed, skinned to the body's joints.

    Attributes:
        vertices_cam: (S, 3) float32 posed, camera frame, metres.
        rest_vertices: (S, 3) float32 in the T-pose of this person, body frame; linear blend skinning of these
            with ``weights`` and the fitted pose gives ``vertices_cam`` back.
        weights: (S, J) float32, at most 4 a vertex, rows sum to 1.
        faces: (G, 3) int32.
        quads: (Q, 4) int32: the same surface in quads for artists, corners in the order of the faces;
            quad q consists of faces 2q and 2q + 1. Empty when the surface has no quads.
        uv: (G, 3, 2) float32 per face corner, origin bottom left.
        silhouette_iou: intersection over union of its silhouette with the mask, inside the image.
        warnings: sentences for the user.
    """

    vertices_cam: NDArray[np.float32]
    rest_vertices: NDArray[np.float32]
    weights: NDArray[np.float32]
    faces: NDArray[np.int32]
    quads: NDArray[np.int32]
    uv: NDArray[np.float32]
    silhouette_iou: float
    warnings: tuple[str, ...] = ()
