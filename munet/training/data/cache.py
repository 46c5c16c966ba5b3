"""Generated data on disk: shards of plain arrays that are written once, checked, and read by a torch data set."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from munet.errors import InvalidInputError
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.data.splits import Split

FORMAT = "munet-training-1"
SHARD = 64
_BYTES = frozenset({"image", "mask", "surface_mask", "body_mask", "observed_mask"})
_NORMALS = frozenset({"normals_front", "normals_back", "body_normals_front", "body_normals_back", "surface_normals"})
_DEPTHS = frozenset({"depth", "body_depth"})
_PICTURES = (_BYTES | _NORMALS | _DEPTHS) - {"surface_normals"}
_UNIT = 127.0
_DEPTH_STEP = 5e-4


def write_cache(
    generator: Generator,
    folder: Path,
    split: Split,
    count: int,
    *,
    batch_size: int = 4,
    report: Callable[[int, int], None] | None = None,
) -> int:
    """Write samples 0 to ``count`` - 1 of a split; shards that are there already are kept, so it can be interrupted.

    Args:
        generator: makes the samples.
        folder: of the data set; each split has a folder of its own in it.
        split: which split.
        count: number of samples, rounded up to whole shards of ``SHARD``.
        batch_size: samples generated at once.
        report: called after each shard with the samples done and the samples wanted.

    Returns:
        The number of shards that had to be written.

    Raises:
        InvalidInputError: the folder holds data of other settings, or ``count`` is not positive.
    """
    if count < 1 or batch_size < 1:
        raise InvalidInputError("Nothing to write.", detail=f"expected numbers above 0, found {count}, {batch_size}")
    place = folder / split
    place.mkdir(parents=True, exist_ok=True)
    _check_settings(folder, _settings_of(generator))
    written = 0
    for number in range(-(-count // SHARD)):
        path = place / f"{number:06d}.npz"
        if not _is_whole(path):
            _write_shard(path, _shard(generator, split, number, batch_size))
            written += 1
        if report:
            report(min((number + 1) * SHARD, count), count)
    return written


def _settings_of(generator: Generator) -> dict[str, Any]:
    return {"format": FORMAT, "seed": generator.seed, "size": generator.size, "points": generator.points}


def _check_settings(folder: Path, wanted: dict[str, Any]) -> None:
    path = folder / "settings.json"
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found != wanted:
            raise InvalidInputError(
                "The folder holds training data of other settings.",
                detail=f"expected {wanted}, found {found}",
                hint="Choose an empty folder, or delete this one.",
            )
        return
    path.write_text(json.dumps(wanted), encoding="utf-8")


def _is_whole(path: Path) -> bool:
    """Whether a shard can be read to its end: a cut file is written again."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _shard(generator: Generator, split: Split, number: int, batch_size: int) -> dict[str, NDArray[Any]]:
    indices = range(number * SHARD, (number + 1) * SHARD)
    parts = []
    for start in range(0, SHARD, batch_size):
        batch = generator.batch(split, indices[start : start + batch_size])
        parts.append({name: pack(name, value) for name, value in batch.tensors().items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _write_shard(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    os.replace(partial, path)  # noqa: PTH105


def pack(name: str, value: Tensor) -> NDArray[Any]:
    """A field as it is stored: pictures in bytes, unit vectors in bytes, depth in half millimetres."""
    array: NDArray[Any] = value.cpu().numpy()
    if name in _BYTES:
        array = np.rint(array * 255).astype(np.uint8)
    elif name in _NORMALS:
        array = np.rint(array * _UNIT).astype(np.int8)
    elif name in _DEPTHS:
        array = np.rint(np.clip(array / _DEPTH_STEP, 0, 65535)).astype(np.uint16)
    return array


def unpack(name: str, array: NDArray[Any]) -> Tensor:
    """The inverse of :func:`pack`, to its precision; normals are unit again."""
    if name in _BYTES:
        return torch.from_numpy(array.astype(np.float32) / 255)
    if name in _NORMALS:
        axis = array.ndim - 1 if name == "surface_normals" else array.ndim - 3
        vectors = array.astype(np.float32)
        length = np.linalg.norm(vectors, axis=axis, keepdims=True)
        return torch.from_numpy(vectors / np.maximum(length, 1.0))
    if name in _DEPTHS:
        return torch.from_numpy(array.astype(np.float32) * np.float32(_DEPTH_STEP))
    return torch.from_numpy(array)


class CachedData(Dataset[dict[str, Tensor]]):
    """The samples of a folder written by :func:`write_cache`; one sample is a dictionary of ``TrainingBatch`` fields.

    The shard read last stays in memory: draw indices shard by shard (:func:`shard_order`) rather than at random.
    """

    def __init__(self, folder: Path, split: Split, *, pictures: bool = True) -> None:
        """Find the shards.

        Args:
            folder: of the data.
            split: which split.
            pictures: read them too; without, a black picture is all there is of them, and reading is quick.

        Raises:
            InvalidInputError: the folder has no data of the split.
        """
        self._paths = sorted((folder / split).glob("*.npz"))
        if not self._paths:
            raise InvalidInputError("There is no training data.", detail=f"expected .npz files of the split {split!r}")
        self._pictures = pictures
        self._open: tuple[int, dict[str, NDArray[Any]]] | None = None

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._paths) * SHARD

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample ``index``, without a batch axis."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        number, row = divmod(index, SHARD)
        if self._open is None or self._open[0] != number:
            self._open = (number, _read_shard(self._paths[number], pictures=self._pictures))
        return {name: unpack(name, array[row : row + 1])[0] for name, array in self._open[1].items()}

    def batch(self, indices: list[int]) -> TrainingBatch:
        """Several samples together."""
        samples = [self[index] for index in indices]
        return TrainingBatch(**{name: torch.stack([s[name] for s in samples]) for name in samples[0]})


def _read_shard(path: Path, *, pictures: bool = True) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if pictures:
                return {name: archive[name] for name in archive.files}
            return {name: archive[name] for name in archive.files if name not in _PICTURES} | _black(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInputError("A shard of training data is damaged.", detail=f"{path.name}: {error}") from error


def _black(path: Path) -> dict[str, NDArray[Any]]:
    size = int(json.loads((path.parent.parent / "settings.json").read_text(encoding="utf-8"))["size"])
    flat = {name: np.zeros((SHARD, 1, 1), np.uint8) for name in _BYTES | _DEPTHS}
    maps = {name: np.zeros((SHARD, 3, 1, 1), np.int8) for name in _NORMALS & _PICTURES}
    return flat | maps | {"image": np.broadcast_to(np.zeros((), np.uint8), (SHARD, 3, size, size))}


def shard_order(count: int, seed: int, epoch: int) -> list[int]:
    """All indices below ``count`` in an order that visits shard after shard, both shuffled."""
    random = np.random.default_rng([seed, epoch])
    order: list[int] = []
    for shard in random.permutation(-(-count // SHARD)):
        order.extend(int(shard) * SHARD + random.permutation(min(SHARD, count - int(shard) * SHARD)))
    return order
