"""Human3.6M: subjects 9 and 11, as handed out (videos, CDF poses, MAT boxes)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from munet.evaluation.alignment import Array
from munet.evaluation.files import DatasetError, numbers, optional_package, read_image, require, video_frames
from munet.evaluation.joints import H36M_JOINTS
from munet.evaluation.sample import Sample, TrueJoints

SUBJECTS = ("S9", "S11")
FRONTAL_CAMERA = "60457274"
STEP = 5

# The 17 joints among the data set's 32, in the order of H36M_JOINTS.
_JOINT_INDEX = [11, 6, 7, 8, 1, 2, 3, 12, 24, 14, 15, 17, 18, 19, 25, 26, 27]
_DAMAGED = {("S11", "Directions", "54138969")}


@dataclass(frozen=True)
class Sequence:
    """One action of one subject seen by one camera."""

    subject: str
    action: str
    camera: str
    poses: Path

    @property
    def stem(self) -> str:
        """File name without ending, the same for pose, video and box."""
        return f"{self.action}.{self.camera}"


class Human36M:
    """The test split: subjects 9 and 11, every fifth frame; protocol 1 all cameras, protocol 2 the frontal one.

    SPIN's convention (Kolotouros et al., ICCV 2019); its pictures are used where they were extracted already
    (``images/S9_Action_1.60457274_000001.jpg``), otherwise the videos. Frame i of a video belongs to row i of the
    poses.

    Args:
        root: folder with ``S9`` and ``S11``, in each ``MyPoseFeatures/D3_Positions_mono/*.cdf``, ``Videos/*.mp4`` and
            ``MySegmentsMat/ground_truth_bb/*.mat``.
        protocol: 1 or 2.

    Raises:
        DatasetError: a folder is missing or holds no poses.
        MissingPackageError: cdflib or h5py is not installed.
    """

    name = "human36m"

    def __init__(self, root: Path, protocol: Literal[1, 2] = 2) -> None:
        self._cdf = optional_package("cdflib", "Human3.6M")
        self._hdf = optional_package("h5py", "Human3.6M")
        self._root = root
        self._sequences = [
            found for subject in SUBJECTS for found in _find_sequences(root, subject) if _is_used(found, protocol)
        ]
        if not self._sequences:
            raise DatasetError("There are no poses.", detail=f"no .cdf file of a used camera under {root}")
        self._lengths = [len(self._read_poses(sequence)) for sequence in self._sequences]

    def __len__(self) -> int:
        """Number of used frames."""
        return sum(len(range(0, length, STEP)) for length in self._lengths)

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Walk through subjects, actions, cameras and frames."""
        skip = 0
        for sequence, length in zip(self._sequences, self._lengths, strict=True):
            wanted = range(0, length, STEP)[skip::step]
            skip = (skip - len(range(0, length, STEP))) % step
            poses = self._read_poses(sequence)
            boxes = self._read_boxes(sequence, wanted)
            for (frame, image), box in zip(self._frames(sequence, wanted), boxes, strict=True):
                joints = TrueJoints(H36M_JOINTS, poses[frame])
                yield Sample(f"{sequence.subject}/{sequence.stem}/{frame:06d}", image, box, joints=joints)

    def _read_poses(self, sequence: Sequence) -> Array:
        """(N, 17, 3) metres, camera frame."""
        try:
            values = self._cdf.CDF(str(sequence.poses)).varget("Pose")
        except (OSError, ValueError) as error:
            raise DatasetError("A pose file can not be read.", detail=f"{sequence.poses}: {error}") from error
        return numbers(values, (-1, 32, 3), sequence.poses.name)[:, _JOINT_INDEX] / 1000

    def _read_boxes(self, sequence: Sequence, wanted: range) -> list[Array]:
        path = self._root / sequence.subject / "MySegmentsMat" / "ground_truth_bb" / f"{sequence.stem}.mat"
        try:
            with self._hdf.File(require(path), "r") as file:
                references = file["Masks"]
                return [_box_of(np.asarray(file[references[frame, 0]]).T) for frame in wanted]
        except (OSError, KeyError, IndexError) as error:
            raise DatasetError("A file of boxes can not be read.", detail=f"{path}: {error}") from error

    def _frames(self, sequence: Sequence, wanted: range) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        stem = f"{sequence.subject}_{sequence.action.replace(' ', '_')}.{sequence.camera}"
        pictures = [self._root / "images" / f"{stem}_{frame + 1:06d}.jpg" for frame in wanted]
        if pictures and pictures[0].exists():
            return ((frame, read_image(path)) for frame, path in zip(wanted, pictures, strict=True))
        return video_frames(self._root / sequence.subject / "Videos" / f"{sequence.stem}.mp4", wanted)


def _find_sequences(root: Path, subject: str) -> Iterator[Sequence]:
    folder = require(root / subject / "MyPoseFeatures" / "D3_Positions_mono")
    for path in sorted(folder.glob("*.cdf")):
        action, _, camera = path.stem.rpartition(".")
        yield Sequence(subject, action, camera, path)


def _is_used(sequence: Sequence, protocol: int) -> bool:
    if sequence.action == "_ALL" or (sequence.subject, sequence.action, sequence.camera) in _DAMAGED:
        return False
    return protocol == 1 or sequence.camera == FRONTAL_CAMERA


def _box_of(mask: NDArray[np.integer]) -> Array:
    rows, columns = np.flatnonzero((mask == 1).any(1)), np.flatnonzero((mask == 1).any(0))
    if not rows.size:
        raise DatasetError("A box is empty.", detail=f"mask of {mask.shape[1]} x {mask.shape[0]} pixels")
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
