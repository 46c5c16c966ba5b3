"""From the camera frame to the image."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.errors import InvalidInputError


def project(camera_matrix: Tensor, vertices_cam: Tensor) -> Tensor:
    """Project points with a pinhole camera, differentiable.

    Args:
        camera_matrix: (3, 3) or (B, 3, 3) intrinsics in pixels; the last row is (0, 0, 1).
        vertices_cam: (B, V, 3) or (V, 3) metres, camera frame (x right, y down, z forward).

    Returns:
        The same shape: x and y in pixels, depth in metres. Points at depth 0 give values that are not finite; the
        rasteriser leaves faces with such corners out.

    Raises:
        InvalidInputError: a shape is wrong.
    """
    if vertices_cam.shape[-1] != 3 or camera_matrix.shape[-2:] != (3, 3):
        raise InvalidInputError(
            "project takes a (3, 3) matrix and (..., 3) points.",
            detail=f"found {tuple(camera_matrix.shape)} and {tuple(vertices_cam.shape)}",
        )
    homogeneous = vertices_cam @ camera_matrix.transpose(-1, -2)
    depth = vertices_cam[..., 2:3]
    return torch.cat([homogeneous[..., :2] / depth, depth], -1)
