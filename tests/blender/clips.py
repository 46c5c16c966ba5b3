"""Made-up clips of motion: BVH text and SMPL poses."""

from __future__ import annotations

from typing import Any

import numpy as np
import synthetic
from numpy.typing import NDArray

Array = NDArray[Any]

CMU = {
    "Hips": ("", (0, 0, 0)),
    "LeftUpLeg": ("Hips", (8, -5, 0)),
    "LeftLeg": ("LeftUpLeg", (4, -40, 0)),
    "LeftFoot": ("LeftLeg", (0, -40, -2)),
    "LeftToeBase": ("LeftFoot", (0, -5, 12)),
    "RightUpLeg": ("Hips", (-8, -5, 0)),
    "RightLeg": ("RightUpLeg", (-4, -40, 0)),
    "RightFoot": ("RightLeg", (0, -40, -2)),
    "RightToeBase": ("RightFoot", (0, -5, 12)),
    "LowerBack": ("Hips", (0, 10, 0)),
    "Spine": ("LowerBack", (0, 12, 0)),
    "Spine1": ("Spine", (0, 12, 0)),
    "Neck": ("Spine1", (0, 12, 0)),
    "Neck1": ("Neck", (0, 4, 0)),
    "Head": ("Neck1", (0, 5, 0)),
    "LeftShoulder": ("Spine1", (3, 8, 0)),
    "LeftArm": ("LeftShoulder", (14, 0, 0)),
    "LeftForeArm": ("LeftArm", (15, -20, 0)),
    "LeftHand": ("LeftForeArm", (15, -20, 0)),
    "RightShoulder": ("Spine1", (-3, 8, 0)),
    "RightArm": ("RightShoulder", (-14, 0, 0)),
    "RightForeArm": ("RightArm", (-15, -20, 0)),
    "RightHand": ("RightForeArm", (-15, -20, 0)),
}


def _lines(name: str, names: dict[str, str], depth: int = 0) -> list[str]:
    pad = "  " * depth
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
    plain = "CHANNELS 3 Zrotation Yrotation Xrotation"
    children = [child for child, (parent, _) in CMU.items() if parent == name]
    lines = [
        f"{pad}{'JOINT' if depth else 'ROOT'} {names.get(name, name)}",
        f"{pad}{{",
        f"{pad}  OFFSET {' '.join(map(str, CMU[name][1]))}",
        f"{pad}  {plain if depth else channels}",
    ]
    for child in children:
        lines += _lines(child, names, depth + 1)
    if not children:
        lines += [f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET 0 3 0", f"{pad}  }}"]
    return [*lines, f"{pad}}}"]


def order(name: str = "Hips") -> list[str]:
    """Return the joints in the order of the file's channels."""
    children = [child for child, (parent, _) in CMU.items() if parent == name]
    return [name, *(joint for child in children for joint in order(child))]


def bvh(angles: Array, way: Array, *, names: dict[str, str] | None = None, seconds: float = 0.05) -> str:
    """Return a BVH file with degrees (F, J, 3) about z, y, x and the way (F, 3) of the hips."""
    frames = [" ".join(map(str, [*way[f], *angles[f].reshape(-1)])) for f in range(len(angles))]
    head = ["HIERARCHY", *_lines("Hips", names or {}), "MOTION", f"Frames: {len(frames)}", f"Frame Time: {seconds}"]
    return "\n".join([*head, *frames]) + "\n"


def bvh_points(angles: Array) -> dict[str, Array]:
    """Return the positions of the joints of one frame (J, 3) of :func:`bvh`, with matrices from quaternions."""
    turns, points = {}, {}
    for name, (z, y, x) in zip(order(), np.radians(angles), strict=True):
        parts = synthetic.rotation_matrices(np.array([[0, 0, z], [0, y, 0], [x, 0, 0]], dtype=float))
        parent, offset = CMU[name]
        above = turns.get(parent, np.eye(3))
        points[name] = points.get(parent, np.zeros(3)) + above @ np.array(offset, dtype=float)
        turns[name] = above @ parts[0] @ parts[1] @ parts[2]
    return points


def smooth_poses(seed: int, frames: int, joints: int) -> Array:
    """Return axis-angles (F, joints, 3) that change smoothly, also through half turns of the root."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None, None]
    first, last = rng.normal(0, 0.5, (2, joints, 3)).clip(-1.2, 1.2)
    poses = first * (1 - time) + last * time
    poses[:, 0] = np.array([0.0, 1.0, 0.0]) * (0.5 + 5.0 * time[:, 0])
    return poses
