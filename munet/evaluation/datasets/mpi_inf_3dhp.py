"""MPI-INF-3DHP: the six test sequences as handed out (MAT files and pictures)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from munet.evaluation.alignment import Array
from munet.evaluation.files import DatasetError, image_size, numbers, optional_package, read_image, require
from munet.evaluation.joints import H36M_JOINTS
from munet.evaluation.sample import Sample, TrueJoints

SEQUENCES = ("TS1", "TS2", "TS3", "TS4", "TS5", "TS6")

# The 17 joints of the test set in the order of H36M_JOINTS.
_JOINT_INDEX = [14, 11, 12, 13, 8, 9, 10, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]


@dataclass(frozen=True)
class Annotations:
    """What is known of the used frames of one sequence, in the order of H36M_JOINTS."""

    sequence: str
    folder: Path
    frames: list[int]
    pixels: Array
    universal: Array
    focal: float


class MpiInf3dhp:
    """The test set: frames marked valid in which all 17 joints lie inside the picture (SPIN's convention).

    True joints are ``univ_annot3``, the skeleton normalised to one height on which published numbers are computed. The
    focal length comes from ``annot3`` and ``annot2`` by least squares.

    Args:
        root: folder with ``TS1`` to ``TS6``, or the one with ``mpi_inf_3dhp_test_set``; in each sequence
            ``annot_data.mat`` and ``imageSequence/img_000001.jpg``.

    Raises:
        DatasetError: a file is missing or has another form.
        MissingPackageError: h5py is not installed.
    """

    name = "mpi_inf_3dhp"

    def __init__(self, root: Path) -> None:
        self._hdf = optional_package("h5py", "MPI-INF-3DHP")
        inner = root / "mpi_inf_3dhp_test_set"
        base = inner if inner.is_dir() else root
        self._sequences = [self._read(base / name) for name in SEQUENCES]

    def __len__(self) -> int:
        """Number of used frames."""
        return sum(len(sequence.frames) for sequence in self._sequences)

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Walk through sequences and frames."""
        rows = [(sequence, row) for sequence in self._sequences for row in range(len(sequence.frames))]
        for sequence, row in rows[::step]:
            frame, pixels = sequence.frames[row], sequence.pixels[row]
            yield Sample(
                name=f"{sequence.sequence}/{frame + 1:06d}",
                image=read_image(_picture(sequence.folder, frame)),
                box=np.concatenate([pixels.min(0), pixels.max(0)]),
                focal=sequence.focal,
                joints=TrueJoints(H36M_JOINTS, sequence.universal[row], pixels),
            )

    def _read(self, folder: Path) -> Annotations:
        path = require(folder / "annot_data.mat")
        try:
            with self._hdf.File(path, "r") as file:
                stored = {key: np.asarray(file[key]) for key in ("annot2", "annot3", "univ_annot3", "valid_frame")}
        except (OSError, KeyError) as error:
            raise DatasetError("The annotations can not be read.", detail=f"{path}: {error}") from error
        valid = np.flatnonzero(stored["valid_frame"].ravel())
        count = stored["valid_frame"].size
        pixels, points, universal = (
            numbers(stored[key], (count, 17, size), f"{path} {key}")[valid][:, _JOINT_INDEX]
            for key, size in (("annot2", 2), ("annot3", 3), ("univ_annot3", 3))
        )
        if not valid.size:
            raise DatasetError("A sequence has no valid frame.", detail=str(path))
        inside = ((pixels >= 0) & (pixels < image_size(_picture(folder, int(valid[0]))))).all((1, 2))
        return Annotations(
            sequence=folder.name,
            folder=folder,
            frames=[int(frame) for frame in valid[inside]],
            pixels=pixels[inside],
            universal=universal[inside] / 1000,
            focal=solve_focal(points[inside].reshape(-1, 3), pixels[inside].reshape(-1, 2)),
        )


def _picture(folder: Path, frame: int) -> Path:
    return folder / "imageSequence" / f"img_{frame + 1:06d}.jpg"


def solve_focal(points_cam: Array, pixels: Array) -> float:
    """Focal length in pixels, the same for both axes, that projects points (N, 3) best onto pixels (N, 2)."""
    ray = points_cam[:, :2] / points_cam[:, 2:]
    count = len(points_cam)
    columns = np.zeros((2 * count, 3))
    columns[:, 0] = ray.T.ravel()
    columns[:count, 1] = columns[count:, 2] = 1
    return float(np.linalg.lstsq(columns, pixels.T.ravel(), rcond=None)[0][0])
