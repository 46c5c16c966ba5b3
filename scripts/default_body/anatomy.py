"""Random poses within anatomical limits, and limbs whose twist is spread along the bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]

# Euler limits in radians of the left side, applied in the order of the axes named; x, y, z in the body frame.
LIMITS: dict[int, tuple[str, tuple[tuple[float, float], ...]]] = {
    1: ("YZX", ((-0.6, 0.6), (-0.35, 0.9), (-2.2, 0.5))),
    3: ("XYZ", ((-0.25, 0.6), (-0.35, 0.35), (-0.3, 0.3))),
    4: ("XYZ", ((-0.05, 2.55), (-0.2, 0.2), (-0.05, 0.05))),
    6: ("XYZ", ((-0.2, 0.45), (-0.35, 0.35), (-0.3, 0.3))),
    7: ("XYZ", ((-0.6, 0.7), (-0.3, 0.3), (-0.3, 0.3))),
    9: ("XYZ", ((-0.2, 0.3), (-0.3, 0.3), (-0.25, 0.25))),
    10: ("XYZ", ((-0.8, 0.3), (0.0, 0.0), (0.0, 0.0))),
    12: ("XYZ", ((-0.4, 0.5), (-0.5, 0.5), (-0.35, 0.35))),
    13: ("YZX", ((-0.35, 0.2), (-0.25, 0.5), (-0.1, 0.1))),
    15: ("XYZ", ((-0.5, 0.4), (-0.6, 0.6), (-0.3, 0.3))),
    16: ("YZX", ((-1.9, 0.6), (-1.5, 1.4), (-1.1, 1.1))),
    18: ("YZX", ((-2.5, 0.05), (-0.05, 0.05), (-1.1, 1.1))),
    20: ("ZYX", ((-1.1, 1.1), (-0.5, 0.5), (-0.9, 0.9))),
}
RIGHT_OF = {1: 2, 4: 5, 7: 8, 10: 11, 13: 14, 16: 17, 18: 19, 20: 21}
REST_SHARE = 0.35


def sample_poses(count: int, seed: int) -> Array:
    """Local rotations (N, 24, 3, 3): every joint rests in a third of the poses and is uniform in its limits else."""
    rng = np.random.default_rng(seed)
    pose = np.broadcast_to(np.eye(3), (count, 24, 3, 3)).copy()
    for joint, (axes, limits) in LIMITS.items():
        for target in [joint] + ([RIGHT_OF[joint]] if joint in RIGHT_OF else []):
            angles = np.stack([rng.uniform(low, high, count) for low, high in limits], 1)
            angles[rng.random(count) < REST_SHARE] = 0
            if target != joint:
                angles *= [1.0 if axis == "X" else -1.0 for axis in axes]
            pose[:, target] = Rotation.from_euler(axes, angles).as_matrix()
    return pose


@dataclass(frozen=True)
class Limb:
    """How twist spreads along one bone.

    Attributes:
        joint: the joint that carries the bone.
        child: the joint at its end.
        own: share of the joint's own twist at the bone's start (it is whole at ``own_end`` of the bone).
        own_end: place along the bone, 0 to 1.
        from_child: share of the child's twist at the bone's end, growing from ``child_start`` on.
        child_start: place along the bone, 0 to 1.
    """

    joint: int
    child: int
    own: float
    own_end: float
    from_child: float
    child_start: float


LIMBS = tuple(
    limb
    for side in (0, 1)
    for limb in (
        Limb(1 + side, 4 + side, 0.35, 0.7, 0.0, 0.0),
        Limb(4 + side, 7 + side, 0.2, 0.8, 0.7, 0.3),
        Limb(16 + side, 18 + side, 0.35, 0.85, 0.0, 0.0),
        Limb(18 + side, 20 + side, 0.1, 0.85, 0.9, 0.15),
    )
)


def twist_angle(rotation: Array, axis: Array) -> float:
    """Angle of a rotation (3, 3) about an axis (swing-twist decomposition)."""
    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    angle = 2 * np.arctan2(np.array([x, y, z]) @ axis, w)
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def spread_twists(points: Array, joints: Array, pose: Array, weights: Array, transforms: Array) -> tuple[Array, Array]:
    """Skin like linear blend skinning, but with the twist of the limbs spread along the bones.

    Args:
        points: (V, 3) rest.
        joints: (J, 3) rest.
        pose: (24, 3, 3) local rotations.
        weights: (V, J).
        transforms: (J, 4, 4) rest to posed.

    Returns:
        Points (V, 3) and the linear parts (V, 3, 3) of their maps.
    """
    blended = (weights @ transforms[:, :3].reshape(len(transforms), 12)).reshape(-1, 3, 4)
    result = np.einsum("vij,vj->vi", blended[..., :3], points) + blended[..., 3]
    linear = blended[..., :3].copy()
    for limb in LIMBS:
        bone = joints[limb.child] - joints[limb.joint]
        length = np.linalg.norm(bone)
        axis = bone / length
        own, other = twist_angle(pose[limb.joint], axis), twist_angle(pose[limb.child], axis)
        members = np.nonzero(weights[:, limb.joint] > 1e-4)[0]
        offset = points[members] - joints[limb.joint]
        along = np.clip(offset @ axis / length, 0, 1)
        share = limb.own + (1 - limb.own) * np.clip(along / limb.own_end, 0, 1) - 1
        ramp = np.clip((along - limb.child_start) / (1 - limb.child_start), 0, 1) * limb.from_child
        angle = share * own + ramp * other
        extra = transforms[limb.joint, :3, :3] @ (Rotation.from_rotvec(angle[:, None] * axis).as_matrix() - np.eye(3))
        extra *= weights[members, limb.joint, None, None]
        result[members] += np.einsum("vij,vj->vi", extra, offset)
        linear[members] += extra
    return result, linear
