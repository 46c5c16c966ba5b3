"""The real fit of training people, made once and kept: what the networks meet in the product."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.model import BodyModel
from munet.errors import InvalidInputError, MunetError
from munet.evaluation.datasets.synthetic import observed_person
from munet.fitting.fit import fit_body
from munet.fitting.result import BodyFit
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.lift import guess_poses
from munet.lifting.network import LifterNet
from munet.perception.observation import Photo
from munet.settings import Settings
from munet.training.data.cache import SHARD, CachedData
from munet.training.data.generate import TrainingBatch
from munet.training.data.splits import Split

_BODY_JOINTS = 24
_FOLDER = "fits"


@dataclass(frozen=True)
class Fits:
    """Fitted bodies of B people.

    Attributes:
        good: (B,) bool; false where there is no fit, and everything else is zero.
        pose: (B, 24, 3) local rotations, axis-angle, as in :class:`munet.fitting.result.BodyFit`.
        betas: (B, 10).
        translation: (B, 3) metres.
        focal: (B,) pixels of the training picture, in the middle of which the fit takes the optical axis to be.
    """

    good: Tensor
    pose: Tensor
    betas: Tensor
    translation: Tensor
    focal: Tensor

    def rotations(self) -> Tensor:
        """Local rotations (B, 24, 3, 3)."""
        return matrix_from_axis_angle(self.pose)

    def to(self, device: torch.device | str) -> Fits:
        """The same fits on another device."""
        return Fits(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def fits_of(rows: list[dict[str, NDArray[Any]]]) -> Fits:
    """Fits of several people, each with the fields of one as arrays."""
    return Fits(**{name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]})


def write_fits(
    model: BodyModel,
    lifter: LifterNet,
    folder: Path,
    split: Split,
    seed: int,
    numbers: range,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Fit kept people with a detector's noise, shard by shard; what is there already stays.

    Args:
        model: the default body.
        lifter: the pose network, whose guesses the fit hears as in the product.
        folder: of kept people (:func:`munet.training.data.cache.write_cache`).
        split: of them.
        seed: they were made with.
        numbers: of them; whole shards are fitted.
        report: called after each person with the people done and wanted; may raise to stop.

    Raises:
        InvalidInputError: there are no such people, or the folder has fits made with another pose network.
    """
    data = CachedData(folder, split)
    place = folder / _FOLDER / split
    place.mkdir(parents=True, exist_ok=True)
    _check_lifter(folder / _FOLDER, lifter)
    settings, stop = Settings(), min(numbers.stop, len(data))
    for number in range(numbers.start // SHARD, -(-stop // SHARD)):
        path = place / f"{number:06d}.npz"
        if _read(path) is not None:
            continue
        rows = []
        for index in range(number * SHARD, (number + 1) * SHARD):
            rows.append(_fitted(model, lifter, data.batch([index]), seed, settings))
            if report:
                report(index + 1, stop)
        _write(path, {name: np.stack([row[name] for row in rows]) for name in rows[0]})


def _check_lifter(folder: Path, lifter: LifterNet) -> None:
    """Fits hear the pose network: those made with another one are not of the product."""
    weights = b"".join(value.cpu().numpy().tobytes() for value in lifter.state_dict().values())
    path, wanted = folder / "pose-network.txt", hashlib.sha256(weights).hexdigest()
    if not path.is_file():
        path.write_text(wanted, encoding="utf-8")
    elif (found := path.read_text(encoding="utf-8")) != wanted:
        raise InvalidInputError(
            "The folder holds fits that were made with another pose network.",
            detail=f"expected {wanted[:16]}, found {found[:16]}",
            hint="Delete the folder of the fits, or choose another one.",
        )


class KeptFits:
    """Reads what :func:`write_fits` wrote; people beyond it have no fit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._shards: dict[tuple[Split, int], dict[str, NDArray[Any]] | None] = {}

    def of(self, split: Split, batch: TrainingBatch) -> Fits:
        """Fits of the people of a batch, on its device."""
        return fits_of([self._row(split, index) for index in batch.index.tolist()]).to(batch.image.device)

    def _row(self, split: Split, index: int) -> dict[str, NDArray[Any]]:
        number, row = divmod(index, SHARD)
        if (split, number) not in self._shards:
            self._shards[split, number] = _read(self._folder / split / f"{number:06d}.npz")
        shard = self._shards[split, number]
        return row_of_nobody() if shard is None else {name: values[row] for name, values in shard.items()}


def _fitted(
    model: BodyModel, lifter: LifterNet, batch: TrainingBatch, seed: int, settings: Settings
) -> dict[str, NDArray[Any]]:
    index = int(batch.index[0])
    image = np.ascontiguousarray((batch.image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy())
    photo = Photo(image, (image.shape[1], image.shape[0]), 1.0, None, f"{index}", "")
    seen = observed_person(batch, seed, index)
    try:
        fit = fit_body(model, seen, photo, settings, guess_poses(lifter, seen, photo))
    except MunetError:
        return row_of_nobody()
    return _row_of(fit)


def _row_of(fit: BodyFit) -> dict[str, NDArray[Any]]:
    return {
        "good": np.array(bool(fit.joints_cam[0, 2] > 0)),
        "pose": fit.pose[:_BODY_JOINTS].astype(np.float32),
        "betas": fit.betas.astype(np.float32),
        "translation": fit.translation.astype(np.float32),
        "focal": np.array(fit.camera.focal, np.float32),
    }


def row_of_nobody() -> dict[str, NDArray[Any]]:
    """The row of somebody without a fit."""
    return {
        "good": np.array(False),
        "pose": np.zeros((_BODY_JOINTS, 3), np.float32),
        "betas": np.zeros(10, np.float32),
        "translation": np.array([0, 0, 1], np.float32),
        "focal": np.array(1, np.float32),
    }


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInputError("A shard of fits is damaged.", detail=f"{path.name}: {error}") from error


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(partial, path)  # noqa: PTH105
