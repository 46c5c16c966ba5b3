"""Generated people that are made once and kept on disk: comparisons go over them again and again."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from munet.evaluation.datasets.synthetic import Observed, Synthetic
from munet.evaluation.joints import SMPL_JOINTS
from munet.evaluation.sample import OwnBody, Sample, TrueJoints
from munet.evaluation.surface_metrics import Mesh
from munet.perception.observation import PersonObservation, Photo

_UNIT = 127.0
_FORMAT = 1


class KeptPeople:
    """People of a split as :meth:`munet.evaluation.datasets.synthetic.Synthetic.observed` makes them.

    Normals of pictures are kept in bytes, the mask in 255 steps, all else as it is.

    Args:
        people: make those who are not there yet.
        folder: of the files; people of other seeds, sizes and splits have folders of their own in it.
    """

    def __init__(self, people: Synthetic, folder: Path) -> None:
        self._people = people
        self._place = folder / f"{people.split}-{people.seed}-{people.size}-{_FORMAT}"
        self._place.mkdir(parents=True, exist_ok=True)

    def __len__(self) -> int:
        """Number of people."""
        return len(self._people)

    def observed(self, index: int) -> Observed:
        """One person, from disk where it is kept already."""
        return _unpacked(self._arrays(index))

    def keep(self, index: int) -> None:
        """Make a person who is not kept yet."""
        if not self._path(index).is_file():
            self._write(index)

    def _arrays(self, index: int) -> dict[str, NDArray[Any]]:
        try:
            with np.load(self._path(index), allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            # Not there, or cut off while it was written.
            return self._write(index)

    def _path(self, index: int) -> Path:
        return self._place / f"{index:04d}.npz"

    def _write(self, index: int) -> dict[str, NDArray[Any]]:
        arrays = _packed(self._people.observed(index))
        partial = self._path(index).with_suffix(f".{os.getpid()}")
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.replace(partial, self._path(index))  # noqa: PTH105
        return arrays


def _packed(person: Observed) -> dict[str, NDArray[Any]]:
    sample, seen = person.sample, person.person
    if sample.joints is None or sample.joints.pixels is None or sample.own is None or not isinstance(sample.scan, Mesh):
        raise TypeError("a generated person has joints, a body and a surface")
    return {
        "name": np.array(sample.name),
        "image": sample.image,
        "sample_box": np.zeros(0) if sample.box is None else sample.box,
        "focal": np.array(sample.focal),
        "joints": sample.joints.positions_cam,
        "joints_pixels": sample.joints.pixels,
        "scan_vertices": sample.scan.vertices.astype(np.float32),
        "scan_faces": sample.scan.faces.astype(np.int32),
        "own_vertices": sample.own.vertices_cam.astype(np.float32),
        "own_betas": sample.own.betas,
        "box": seen.box,
        "landmarks_image": seen.landmarks_image,
        "landmarks_world": seen.landmarks_world,
        "visibility": seen.visibility,
        "mask": np.rint(seen.mask * 255).astype(np.uint8),
        "normals_front": np.rint(person.normals_front * _UNIT).astype(np.int8),
        "normals_back": np.rint(person.normals_back * _UNIT).astype(np.int8),
    }


def _unpacked(arrays: dict[str, NDArray[Any]]) -> Observed:
    image, name = arrays["image"], str(arrays["name"])
    height, width = image.shape[:2]
    sample = Sample(
        name=name,
        image=image,
        box=arrays["sample_box"] if len(arrays["sample_box"]) else None,
        focal=float(arrays["focal"]),
        joints=TrueJoints(SMPL_JOINTS, arrays["joints"], arrays["joints_pixels"]),
        scan=Mesh(arrays["scan_vertices"].astype(np.float64), arrays["scan_faces"].astype(np.int64)),
        own=OwnBody(arrays["own_vertices"].astype(np.float64), arrays["own_betas"]),
    )
    seen = PersonObservation(
        box=arrays["box"],
        score=1.0,
        landmarks_image=arrays["landmarks_image"],
        landmarks_world=arrays["landmarks_world"],
        visibility=arrays["visibility"],
        mask=np.asarray(arrays["mask"] / 255, np.float32),
    )
    photo = Photo(image, (width, height), 1.0, None, name, "")
    front, back = (_unit(arrays[side]) for side in ("normals_front", "normals_back"))
    return Observed(sample, photo, seen, front, back)


def _unit(stored: NDArray[np.int8]) -> NDArray[np.float32]:
    vectors = stored.astype(np.float32)
    result: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=2, keepdims=True), 1)
    return result
