"""The motion of a clip for the user's own body model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from munet.body.model import BodyModel
from munet.fitting.result import BodyFit
from munet.fitting.rig import TO_CAMERA
from munet.fitting.so3 import log_rotation
from munet.sequence.motion import Motion
from munet.userbody.carry import corrected_rotations
from munet.userbody.model import UserBody


def carry_motion(user: UserBody, default: BodyModel, fit: BodyFit, carried: BodyFit, motion: Motion) -> Motion:
    """Return the same motion for the user's body: limbs point where the default body's point, hips stay in place.

    Args:
        user: the user's model.
        default: the default body.
        fit: of the default body in the still frame; its shape counts.
        carried: the same for the user's model.
        motion: of the default body.
    """
    turns = [corrected_rotations(user, default, replace(fit, pose=pose)) for pose in motion.pose]
    moved = _rest_root(default, fit) - _rest_root(user.model, carried)
    return replace(
        motion,
        pose=log_rotation(np.stack(turns)).astype(np.float32),
        translation=(motion.translation + moved).astype(np.float32),
    )


def _rest_root(model: BodyModel, fit: BodyFit) -> NDArray[np.float64]:
    """Return the root joint (3,) at rest, axes of the camera frame."""
    mean, dirs = (part[0].double().cpu().numpy() for part in (model.joint_template, model.joint_shape_dirs))
    result: NDArray[np.float64] = (mean + dirs @ fit.betas) * TO_CAMERA
    return result
