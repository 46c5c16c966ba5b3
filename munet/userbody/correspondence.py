"""Which point of the default body each vertex of another body lies on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.body.closest import closest_on_surface
from munet.body.model import BodyModel
from munet.fitting.body_points import merge_fingers
from munet.fitting.rig import JOINTS
from munet.fitting.so3 import rotation_between

Array = NDArray[np.float64]

LIMBS = {1: 4, 2: 5, 4: 7, 5: 8, 16: 18, 17: 19, 18: 20, 19: 21}
"""The joint at the end of each long bone."""


@dataclass(frozen=True)
class Correspondence:
    """The point of the default body's surface below each of the W vertices of another body.

    Attributes:
        corners: (W, 3) int64 vertices of the default body.
        weights: (W, 3) barycentric.
    """

    corners: NDArray[np.int64]
    weights: Array

    def carry(self, values: NDArray[np.floating]) -> Array:
        """Values (V, C) at the default body's vertices, read at the other body's vertices: (W, C)."""
        result: Array = np.einsum("wk,wkc->wc", self.weights, values[self.corners].astype(np.float64))
        return result


def correspond(default: BodyModel, other: BodyModel) -> Correspondence:
    """Lay the mean person of another model onto the default body's and take the closest points of the surface.

    Both stand in SMPL's T-pose. Parts are laid joint on joint, long bones end on end, so that differing proportions
    and bones that hang a little do not shift the points along the limbs.
    """
    corners, weights = closest_on_surface(
        laid_on(default, other), _array(default.template), default.faces.cpu().numpy()
    )
    return Correspondence(default.faces.cpu().numpy()[corners], weights)


def laid_on(default: BodyModel, other: BodyModel) -> Array:
    """The mean person (W, 3) of another model, laid onto the default body part by part."""
    template, theirs, mine = (_array(m) for m in (other.template, other.joint_template, default.joint_template))
    size = np.ptp(_array(default.template)[:, 1]) / np.ptp(template[:, 1])
    weights = merge_fingers(_array(other.weights), other.parents.cpu().numpy())
    result = np.zeros_like(template)
    for joint in range(JOINTS):
        linear = size * np.eye(3)
        if joint in LIMBS:
            end = LIMBS[joint]
            linear = bone_map(theirs[end] - theirs[joint], mine[end] - mine[joint], size)
        result += weights[:, joint, None] * ((template - theirs[joint]) @ linear.T + mine[joint])
    return result


def bone_map(bone: Array, target: Array, width: float) -> Array:
    """The linear map (3, 3) that takes a bone (3,) to its target by turning, with its girth scaled by ``width``."""
    length = np.linalg.norm(target) / np.linalg.norm(bone)
    along = bone / np.linalg.norm(bone)
    stretch = width * np.eye(3) + (length - width) * np.outer(along, along)
    result: Array = rotation_between(bone, target) @ stretch
    return result


def _array(tensor: object) -> Array:
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)  # type: ignore[attr-defined]
