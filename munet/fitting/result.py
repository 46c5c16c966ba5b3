"""The body and camera that were fitted to one person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from munet.geometry.camera import Camera
from munet.geometry.level import level_rotation


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
        up_cam: (3,) float32 unit vector against gravity in the camera frame, found from the soles and the balance of
            somebody who stands; (0, -1, 0), a level camera, when nothing tells. Turn the scene by
            ``level_rotation`` to make the person stand upright and the camera look up or down.
        pocketed: (2,) bool: the left and the right hand are in pockets, inside the trunk or the thigh.
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
    up_cam: NDArray[np.float32] = field(default_factory=lambda: np.array([0, -1, 0], np.float32))
    pocketed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(2, np.bool_))

    @property
    def level_rotation(self) -> NDArray[np.float32]:
        """Smallest rotation (3, 3) of the camera frame after which up is (0, -1, 0): ``points @ rotation.T``."""
        return level_rotation(self.up_cam)
