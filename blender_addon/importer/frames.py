"""The frames of the product and the way between them, in NumPy. No bpy.

Camera: x right, y down, z forward. Body: y up, facing +z. Blender: z up, facing -y. A body in the body frame and the
same body in front of the camera land in the same Blender orientation, so both maps below agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLENDER_FROM_CAMERA: Floats = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
BLENDER_FROM_BODY: Floats = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def points_from_camera(points_cam: Floats) -> Floats:
    """Turn points or directions (..., 3) of the camera frame into Blender's axes."""
    return np.asarray(points_cam, dtype=np.float64) @ BLENDER_FROM_CAMERA.T


def points_from_body(points_body: Floats) -> Floats:
    """Turn points or directions (..., 3) of the body frame into Blender's axes."""
    points = np.asarray(points_body, dtype=np.float64)
    # A product of matrices would say the same, but takes seven times as long.
    turned = np.empty(points.shape)
    turned[..., 0], turned[..., 1], turned[..., 2] = points[..., 0], -points[..., 2], points[..., 1]
    return turned


def matrices_from_axis_angle(axis_angle: Floats) -> Floats:
    """Rodrigues' formula: axis-angle (N, 3) in radians to rotation matrices (N, 3, 3)."""
    vectors = np.asarray(axis_angle, dtype=np.float64)
    angles = np.linalg.norm(vectors, axis=-1)[:, None, None]
    x, y, z = (vectors / np.maximum(angles[:, :, 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(-1, 3, 3)
    result: Floats = np.eye(3) + np.sin(angles) * cross + (1.0 - np.cos(angles)) * (cross @ cross)
    return result


def rotations_from_body(axis_angle: Floats) -> Floats:
    """Turn axis-angle rotations (N, 3) of the body frame into matrices (N, 3, 3) in Blender's axes."""
    return BLENDER_FROM_BODY @ matrices_from_axis_angle(axis_angle) @ BLENDER_FROM_BODY.T


def bone_local(rest: Floats, rotations: Floats) -> Floats:
    """Express rotations of the model's axes in the rest axes of their bones.

    Args:
        rest: (N, 3, 3) rest orientation of each bone in armature space, columns are the bone's axes.
        rotations: (N, 3, 3) local rotations as SMPL means them, in armature space.

    Returns:
        (N, 3, 3) rotations for the pose bones: ``rest^T rotation rest``.
    """
    return np.swapaxes(rest, -1, -2) @ rotations @ rest


def level_rotation(up_cam: Floats) -> Floats:
    """Return the smallest rotation (3, 3) of Blender's axes that turns ``up_cam`` (3,), in the camera frame, to +z."""
    x, y, z = points_from_camera(up_cam) / np.linalg.norm(up_cam)
    share = 1.0 / (1.0 + max(z, -0.999))
    return np.array([[1 - x * x * share, -x * y * share, -x], [-x * y * share, 1 - y * y * share, -y], [x, y, z]])
