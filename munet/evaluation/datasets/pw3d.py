"""3DPW: the test sequences as handed out (pickles and pictures)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from munet.evaluation.alignment import Array, Similarity
from munet.evaluation.files import DatasetError, numbers, read_dictionary, read_image, require
from munet.evaluation.joints import SMPL_JOINTS
from munet.evaluation.sample import Gender, Sample, TrueJoints, TrueSmpl

_GENDERS: dict[str, Gender] = {"m": "male", "f": "female", "male": "male", "female": "female"}
_NEEDED = (
    "sequence", "poses", "betas", "trans", "genders", "jointPositions", "poses2d", "cam_poses", "cam_intrinsics",
    "campose_valid",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One person through one sequence of N frames."""

    sequence: str
    number: int
    gender: Gender
    betas: Array
    poses: Array
    translations: Array
    joints_world: Array
    keypoints: Array
    used: list[int]


class ThreeDPW:
    """The test split: every person in every frame whose camera is valid and who has 2D keypoints.

    The box is that of the visible 2D keypoints. The true body is the SMPL body of the person's gender; the true
    joints given here are the stored ``jointPositions``, SMPL's kinematic joints. Published numbers use joints regressed
    from SMPL's vertices instead.

    Args:
        root: folder with ``imageFiles/SEQUENCE/image_00000.jpg`` and ``sequenceFiles/test/SEQUENCE.pkl``.

    Raises:
        DatasetError: a folder is missing or holds no sequences.
    """

    name = "3dpw"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = sorted(require(root / "sequenceFiles" / "test").glob("*.pkl"))
        if not self._files:
            raise DatasetError("There are no sequences.", detail=f"no .pkl file in {root / 'sequenceFiles' / 'test'}")
        self._count = sum(len(person.used) for file in self._files for person in _people(_read(file)))

    def __len__(self) -> int:
        """Number of people in frames."""
        return self._count

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Walk through sequences, people and frames."""
        skip = 0
        for file in self._files:
            data = _read(file)
            cameras = numbers(data["cam_poses"], (-1, 4, 4), f"{file.name} cam_poses")
            focal = float(numbers(data["cam_intrinsics"], (3, 3), f"{file.name} cam_intrinsics")[0, 0])
            for person in _people(data):
                for frame in person.used[skip::step]:
                    yield self._sample(person, frame, cameras[frame], focal)
                skip = (skip - len(person.used)) % step

    def _sample(self, person: Person, frame: int, camera: Array, focal: float) -> Sample:
        rotation, shift = camera[:3, :3], camera[:3, 3]
        path = self._root / "imageFiles" / person.sequence / f"image_{frame:05d}.jpg"
        keypoints = person.keypoints[frame]
        seen = keypoints[:2, keypoints[2] > 0].T
        return Sample(
            name=f"{person.sequence}/{person.number}/{frame:05d}",
            image=read_image(path),
            box=np.concatenate([seen.min(0), seen.max(0)]),
            focal=focal,
            joints=TrueJoints(SMPL_JOINTS, person.joints_world[frame] @ rotation.T + shift),
            smpl=TrueSmpl(
                person.poses[frame],
                person.betas,
                person.gender,
                Similarity(1.0, rotation, rotation @ person.translations[frame] + shift),
            ),
        )


def _read(file: Path) -> dict[str, Any]:
    data = read_dictionary(file)
    missing = [key for key in _NEEDED if key not in data]
    if missing:
        raise DatasetError("A sequence is incomplete.", detail=f"{file} lacks {', '.join(missing)}")
    return data


def _people(data: dict[str, Any]) -> list[Person]:
    return [_person(data, number) for number in range(len(data["poses"]))]


def _person(data: dict[str, Any], number: int) -> Person:
    name = f"{data['sequence']} person {number}"
    gender = str(data["genders"][number]).lower()
    if gender not in _GENDERS:
        raise DatasetError("A gender is unknown.", detail=f"{name}: {gender!r}")
    poses = numbers(data["poses"][number], (-1, 24, 3), name)
    keypoints = numbers(data["poses2d"][number], (len(poses), 3, -1), name)
    valid = numbers(data["campose_valid"][number], (len(poses),), name).astype(bool)
    return Person(
        sequence=str(data["sequence"]),
        number=number,
        gender=_GENDERS[gender],
        betas=np.asarray(data["betas"][number], np.float64).ravel()[:10],
        poses=poses,
        translations=numbers(data["trans"][number], (len(poses), 3), name),
        joints_world=numbers(data["jointPositions"][number], (len(poses), 24, 3), name),
        keypoints=keypoints,
        used=[int(frame) for frame in np.flatnonzero(valid & (keypoints[:, 2] > 0).any(1))],
    )
