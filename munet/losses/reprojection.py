"""Distance between joints in the picture."""

from __future__ import annotations

from torch import Tensor

from munet.losses.joints import joint_loss
from munet.network.camera import project


def reprojection_loss(
    joints_body: Tensor,
    camera: Tensor,
    truth_image: Tensor,
    confidence: Tensor | None = None,
    intrinsics: Tensor | None = None,
) -> Tensor:
    """Mean squared distance (B,) of projected joints from where they are seen; the camera is trained too.

    Args:
        joints_body: (B, J, 3) metres, body frame.
        camera: (B, 3) weak perspective.
        truth_image: (B, J, 2) in [-1, 1] of the crop, x right and y down.
        confidence: (B, J) in [0, 1].
        intrinsics: (B, 3) for a pinhole camera.
    """
    return joint_loss(project(joints_body, camera, intrinsics), truth_image, confidence)
