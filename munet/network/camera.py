"""The network's camera: weak perspective in the crop, and the pinhole camera it stands for.

The crop spans [-1, 1] in both directions. The weak-perspective camera (s, tx, ty) carries the body frame (metres, x
right, y up, z towards the viewer, pelvis near the origin) into normalised coordinates (NDC, the same axes):
``ndc = s * (body + (tx, ty, 0))``. That is GraphCMR's camera with y turned up, as in MuNet, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor


def to_ndc(points_body: Tensor, camera: Tensor) -> Tensor:
    """Carry points (B, P, 3) in metres, body frame, to NDC with cameras (B, 3)."""
    return camera[:, None, :1] * (points_body + _shift(camera))


def from_ndc(points_ndc: Tensor, camera: Tensor) -> Tensor:
    """Points (B, P, 3) in metres, body frame, of normalised ones: the inverse of :func:`to_ndc`."""
    return points_ndc / camera[:, None, :1] - _shift(camera)


def project_weak(points_body: Tensor, camera: Tensor) -> Tensor:
    """Weak-perspective image points (B, P, 2) in [-1, 1], x right and y down."""
    return to_ndc(points_body, camera)[..., :2] * points_body.new_tensor([1.0, -1.0])


def pinhole_translation(camera: Tensor, intrinsics: Tensor) -> Tensor:
    """Translation of the pinhole camera that agrees with the weak-perspective one at the depth of the origin.

    Args:
        camera: (B, 3) s, tx, ty.
        intrinsics: (B, 3) focal length and principal point (x right, y down) of the crop, in half crop sizes: a
            camera-frame point (X, Y, Z) is seen at ``focal * (X, Y) / Z + center`` in [-1, 1].

    Returns:
        (B, 3) metres, camera frame: ``cam = body @ diag(1, -1, -1) + translation``.
    """
    scale, shift_x, shift_y = camera.unbind(-1)
    focal, center_x, center_y = intrinsics.unbind(-1)
    return torch.stack([shift_x - center_x / scale, -shift_y - center_y / scale, focal / scale], -1)


def weak_camera(translation: Tensor, intrinsics: Tensor) -> Tensor:
    """Undo :func:`pinhole_translation`: the camera (B, 3) for translations (B, 3) and intrinsics (B, 3).

    With it the true camera of a photo whose lens is known becomes the truth for the network's.
    """
    across, down, depth = translation.unbind(-1)
    focal, center_x, center_y = intrinsics.unbind(-1)
    scale = focal / depth
    return torch.stack([scale, across + center_x / scale, -down - center_y / scale], -1)


def crop_intrinsics(matrix: Tensor, size: int) -> Tensor:
    """Intrinsics (B, 3) in half crop sizes from pixel matrices (B, 3, 3) of a crop of ``size`` pixels."""
    half = size / 2
    return torch.stack([matrix[:, 0, 0] / half, matrix[:, 0, 2] / half - 1, matrix[:, 1, 2] / half - 1], -1)


def project_pinhole(points_body: Tensor, camera: Tensor, intrinsics: Tensor) -> Tensor:
    """Pinhole image points (B, P, 2) in [-1, 1] of body-frame points, x right and y down."""
    points_cam = points_body * points_body.new_tensor([1.0, -1.0, -1.0])
    points_cam = points_cam + pinhole_translation(camera, intrinsics)[:, None]
    return intrinsics[:, None, :1] * points_cam[..., :2] / points_cam[..., 2:] + intrinsics[:, None, 1:]


def project(points_body: Tensor, camera: Tensor, intrinsics: Tensor | None) -> Tensor:
    """Image points (B, P, 2) in [-1, 1]: pinhole where intrinsics (B, 3) are known, weak perspective otherwise."""
    if intrinsics is None:
        return project_weak(points_body, camera)
    return project_pinhole(points_body, camera, intrinsics)


def _shift(camera: Tensor) -> Tensor:
    return torch.cat([camera[:, 1:], torch.zeros_like(camera[:, :1])], -1)[:, None]
