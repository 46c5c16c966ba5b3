"""A clip of motion as it goes onto a rig, and changes of its frame rate. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..importer.frames import Floats
from .rotations import matrices, quaternions, slerp

_NAMES = (
    "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot right_foot "
    "neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_hand right_hand"
)
BODY_JOINTS = _NAMES.split()
HAND_JOINTS = {
    side: [f"{side}_{finger}{step}" for finger in ("index", "middle", "pinky", "ring", "thumb") for step in (1, 2, 3)]
    for side in ("left", "right")
}


@dataclass(frozen=True)
class Clip:
    """Motion of a person in Blender's axes.

    Attributes:
        name: for the action.
        fps: samples a second.
        joints: SMPL names of the K joints that move.
        rotations: (F, K, 3, 3) local rotations, SMPL's meaning, in Blender's axes; the root's is its orientation.
        hips: (F, 3) way of the hips in metres, z up, floor wherever the file has it.
        notes: sentences for the user about what was assumed.
    """

    name: str
    fps: float
    joints: list[str]
    rotations: Floats
    hips: Floats
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rotations)


def resampled(clip: Clip, fps: float) -> Clip:
    """Return ``clip`` with ``fps`` samples a second, interpolated along great arcs.

    The last moment is left out where no new sample falls on it.
    """
    if len(clip) < 2 or abs(clip.fps - fps) < 1e-6:
        return replace(clip, fps=fps)
    count = int(np.floor((len(clip) - 1) / clip.fps * fps + 1e-6)) + 1
    position = np.minimum(np.arange(count) * clip.fps / fps, len(clip) - 1)
    before = np.minimum(position.astype(int), len(clip) - 2)
    share = position - before
    turns = quaternions(clip.rotations)
    mixed = slerp(turns[before], turns[before + 1], np.repeat(share[:, None], len(clip.joints), axis=1))
    hips = clip.hips[before] * (1 - share[:, None]) + clip.hips[before + 1] * share[:, None]
    return replace(clip, fps=fps, rotations=matrices(mixed), hips=hips)
