"""The body and camera that were fitted to one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.geometry.camera import Camera


@dataclass(frozen=True)
class BodyFit:
    """A posed body in the camera frame (metres).

    Attributes:
        betas: (10,) float32 identity.
        pose: (J, 3) float32 local axis-angle of every joint of the model, root first; the 24 SMPL joints come
            first, finger joints after them. The root rotates the body frame (y up); the camera frame is reached
            by ``diag(1, -1, -1)`` and ``translation``.
        translation: (3,) float32 metres, camera frame: ``vertices_cam = vertices_body @ diag(1,-1,-1) + translation``.
        camera: camera in working pixels.
        vertices_cam: (V, 3) float32 posed body.
        joints_cam: (J, 3) float32 posed joints.
        seen: (24,) bool: the joint has evidence in the photo; the others rest.
        landmark_error: mean distance of seen landmarks from their projections over the person's height in pixels.
        warnings: sentences for the user.
    """

    betas: NDArray[np.float32]
    pose: NDArray[np.float32]
    translation: NDArray[np.float32]
    camera: Camera
    vertices_cam: NDArray[np.float32]
    joints_cam: NDArray[np.float32]
    seen: NDArray[np.bool_]
    landmark_error: float
    warnings: tuple[str, ...] = ()
