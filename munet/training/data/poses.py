"""Poses: natural ones from the library, clip by clip, and ones drawn within anatomical limits."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from munet.errors import InvalidInputError
from munet.training.data.splits import HeldOut, Split, read_held_out

Array = NDArray[np.float64]

POSE_FILE = Path(__file__).resolve().parent.parent / "assets" / "poses.npz"
MIRROR = (0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22)
JITTER = 0.07
FREE_SHARE = 0.12

# Degrees of rotation about x, y and z of a joint on the left side or in the middle, low and high.
LIMITS: dict[int, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    1: ((-95, 20), (-25, 35), (-10, 40)),
    3: ((-10, 25), (-15, 15), (-12, 12)),
    4: ((0, 110), (-5, 5), (-4, 4)),
    6: ((-8, 18), (-15, 15), (-10, 10)),
    7: ((-25, 30), (-12, 12), (-12, 12)),
    9: ((-8, 15), (-15, 15), (-10, 10)),
    12: ((-15, 20), (-25, 25), (-12, 12)),
    13: ((-4, 4), (-10, 12), (-4, 18)),
    15: ((-15, 20), (-30, 30), (-12, 12)),
    16: ((-50, 50), (-70, 25), (-85, 60)),
    18: ((-30, 30), (-125, 0), (-6, 6)),
    20: ((-30, 30), (-15, 15), (-40, 40)),
}


@dataclass(frozen=True)
class PoseLibrary:
    """Natural poses in SMPL's convention.

    Attributes:
        poses: (N, 24, 3) float32 axis-angle, y up, root included.
        names: names of the clips.
        first: (C + 1,) first frame of each clip.
    """

    poses: NDArray[np.float32]
    names: tuple[str, ...]
    first: NDArray[np.int64]


def load_poses(path: Path = POSE_FILE) -> PoseLibrary:
    """Read the library.

    Raises:
        InvalidInputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            poses, clip, names = (archive[key] for key in ("pose", "clip", "clip_names"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidInputError("The pose library can not be read.", detail=f"{path.name}: {error}") from error
    order = np.argsort(clip, kind="stable")
    first = np.searchsorted(clip[order], np.arange(len(names) + 1))
    return PoseLibrary(poses[order].astype(np.float32), tuple(str(n) for n in names), first.astype(np.int64))


@lru_cache(maxsize=1)
def shared_poses() -> tuple[PoseLibrary, HeldOut]:
    """The project's library and its held-out clips, read once."""
    return load_poses(), read_held_out()


def draw_pose(random: np.random.Generator, split: Split, library: PoseLibrary, held: HeldOut) -> tuple[Array, int]:
    """Draw a pose (24, 3, 3), upright as it was recorded but with any yaw, and its clip, -1 for a free pose."""
    clip = -1
    if random.random() < FREE_SHARE:
        pose = _free_pose(random)
    else:
        pose, clip = _library_pose(random, library, held.clips_of(split, library.names))
    if random.random() < 0.5:
        pose = pose[list(MIRROR)] * np.array([1.0, -1.0, -1.0])
    turns = Rotation.from_rotvec(pose) * Rotation.from_rotvec(_jitter(random))
    yaw = Rotation.from_euler("y", random.uniform(-np.pi, np.pi))
    matrices: NDArray[Any] = turns.as_matrix()
    matrices[0] = yaw.as_matrix() @ matrices[0]
    return matrices, clip


def _library_pose(random: np.random.Generator, library: PoseLibrary, clips: list[int]) -> tuple[Array, int]:
    lengths = np.diff(library.first)[clips]
    # Long clips are mostly walking: the square root keeps them from drowning the rest.
    clip = clips[int(random.choice(len(clips), p=np.sqrt(lengths) / np.sqrt(lengths).sum()))]
    frame = int(random.integers(library.first[clip], library.first[clip + 1]))
    return library.poses[frame].astype(np.float64), clip


def _jitter(random: np.random.Generator) -> Array:
    noise = random.normal(0, JITTER, (24, 3))
    noise[[4, 5, 18, 19], :] *= 0.4
    noise[[22, 23]] = 0
    return noise


def _free_pose(random: np.random.Generator) -> Array:
    """Angles between the limits, more often near the middle of rest, then the global tilt of somebody standing."""
    pose = np.zeros((24, 3))
    for joint, limits in LIMITS.items():
        pose[joint] = _within(random, limits)
        if MIRROR[joint] != joint:
            pose[MIRROR[joint]] = _within(random, limits) * np.array([1.0, -1.0, -1.0])
    pose[0] = random.normal(0, 0.08, 3)
    return pose


def _within(random: np.random.Generator, limits: tuple[tuple[float, float], ...]) -> Array:
    low, high = np.radians(np.array(limits).T)
    share = random.beta(1.3, 1.3, 3)
    angles = low + share * (high - low)
    return np.asarray(Rotation.from_euler("yzx", angles[[1, 2, 0]]).as_rotvec(), np.float64)
