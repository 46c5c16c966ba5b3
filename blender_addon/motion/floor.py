"""Where a moving person touches the ground. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..importer.frames import Floats

_DIRECTIONS = np.array(
    [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)], dtype=np.float64
)
_STANDING_SHARE = 10.0


@dataclass(frozen=True)
class Shell:
    """A few outer points of a person, each carried by one bone.

    Attributes:
        points: (N, 3) at rest in armature space.
        bones: (N,) index of the bone that carries each.
    """

    points: Floats
    bones: np.ndarray


def shell(rest: Floats, bones: np.ndarray) -> Shell:
    """Pick the outermost of the vertices ``rest`` (V, 3), each carried mostly by one of ``bones`` (V,)."""
    chosen = []
    for bone in np.unique(bones[bones >= 0]):
        members = np.flatnonzero(bones == bone)
        chosen.append(np.unique(members[np.argmax(rest[members] @ _DIRECTIONS.T, axis=0)]))
    index = np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)
    return Shell(rest[index], bones[index])


def lowest_points(body: Shell, heads: Floats, parents: Sequence[int], rotations: Floats, hips: Floats) -> Floats:
    """Return the height (F,) of the lowest point of each frame.

    Args:
        body: outer points.
        heads: (J, 3) rest heads in armature space.
        parents: (J,) parent of each bone, parents first.
        rotations: (F, J, 3, 3) local rotations in Blender's axes.
        hips: (F, 3) head of the root.
    """
    worlds, places = np.zeros_like(rotations), np.zeros((*rotations.shape[:2], 3))
    for bone, parent in enumerate(parents):
        if parent < 0:
            worlds[:, bone], places[:, bone] = rotations[:, bone], hips
        else:
            worlds[:, bone] = worlds[:, parent] @ rotations[:, bone]
            places[:, bone] = places[:, parent] + worlds[:, parent] @ (heads[bone] - heads[parent])
    lowest: Floats = places[..., 2].min(axis=1)
    for bone in np.unique(body.bones):
        offsets = body.points[body.bones == bone] - heads[bone]
        heights = places[:, bone, 2:] + worlds[:, bone, 2] @ offsets.T
        np.minimum(lowest, heights.min(axis=1), out=lowest)
    return lowest


def on_floor(hips: Floats, lowest: Floats, mode: str) -> Floats:
    """Return ``hips`` (F, 3) with the ground at z = 0.

    Args:
        hips: way of the hips.
        lowest: (F,) lowest point of each frame.
        mode: FILE keeps the heights; CLIP moves the clip as a whole, so that whoever jumps leaves the ground; FRAME
            puts the lowest point of each frame on it.
    """
    if mode == "FILE":
        return hips
    drop = lowest if mode == "FRAME" else np.full(len(lowest), np.percentile(lowest, _STANDING_SHARE))
    placed: Floats = hips - np.stack([np.zeros_like(drop), np.zeros_like(drop), drop], axis=1)
    return placed


def travelling(hips: Floats, mode: str) -> Floats:
    """Return ``hips`` (F, 3) that START at the origin, stay IN_PLACE above it, or go as in the FILE."""
    flat = np.array([1.0, 1.0, 0.0])
    if mode == "FILE":
        return hips
    result: Floats = hips - (hips if mode == "IN_PLACE" else hips[:1]) * flat
    return result
