"""Checkpoints in small files: safetensors shards and one JSON that names them, never a pickle.

The JSON is replaced last and at once, so that a crash leaves the old checkpoint or the new one. Tensors larger than a
shard are cut.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from munet.errors import ModelMissingError

FORMAT = "munet-training-1"
INDEX = "checkpoint.json"
SHARD_BYTES = 16 << 20
# Room for the header of a shard: about 100 bytes a tensor.
_HEADER_BYTES = 1 << 20
_CUT = "#"


@dataclass(frozen=True)
class Checkpoint:
    """What a training continues from.

    Attributes:
        tensors: by name.
        facts: everything else, as JSON holds it.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def write_checkpoint(checkpoint: Checkpoint, folder: Path, tag: str, shard_bytes: int = SHARD_BYTES) -> list[Path]:
    """Write a checkpoint and remove the one before.

    Args:
        checkpoint: what to write.
        folder: gets the files; nothing in it but checkpoints' shards is removed.
        tag: part of the shards' names; must differ from that of the checkpoint before, or the shards be equal.
        shard_bytes: largest size of a file.

    Returns:
        The files written, the JSON last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {name: list(value.shape) for name, value in checkpoint.tensors.items()}
    shards = _packed(checkpoint.tensors, max(shard_bytes - _HEADER_BYTES, shard_bytes // 2))
    names: dict[str, str] = {}
    for number, shard in enumerate(shards):
        name, content = f"{tag}-{number:03d}.safetensors", save(shard)
        names[name] = hashlib.sha256(content).hexdigest()
        _write(folder / name, content)
    index = {"format": FORMAT, "shards": names, "shapes": shapes, "facts": checkpoint.facts}
    _write(folder / INDEX, json.dumps(index, indent=1).encode())
    for path in folder.glob("*.safetensors"):
        if path.name not in names:
            path.unlink()
    return [folder / name for name in names] + [folder / INDEX]


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the checkpoint of a folder; None where there is none.

    Raises:
        ModelMissingError: a file is absent, damaged or belongs to another checkpoint.
    """
    if not (folder / INDEX).exists():
        return None
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        pieces: dict[str, Tensor] = {}
        for name, digest in index["shards"].items():
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                raise _damaged(f"{name} is not the file that was written")
            pieces |= load(content)
        tensors = {name: _joined(pieces, name, shape) for name, shape in index["shapes"].items()}
        return Checkpoint(tensors, index["facts"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _damaged(str(error)) from error


def _damaged(detail: str) -> ModelMissingError:
    return ModelMissingError(
        "The checkpoint can not be read.",
        detail=detail,
        hint="Copy all its files again, or start anew in an empty folder.",
    )


def _packed(tensors: dict[str, Tensor], most: int) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    room = most
    for name, value in tensors.items():
        flat = value.detach().cpu().reshape(-1)
        step = max(most // flat.element_size(), 1)
        for number, piece in enumerate(torch.split(flat, step)):
            size = piece.numel() * piece.element_size()
            if size > room and shards[-1]:
                shards.append({})
                room = most
            shards[-1][f"{name}{_CUT}{number}"] = piece.clone()
            room -= size
    return shards


def _joined(pieces: dict[str, Tensor], name: str, shape: list[int]) -> Tensor:
    parts = [pieces[f"{name}{_CUT}0"]]
    while (following := f"{name}{_CUT}{len(parts)}") in pieces:
        parts.append(pieces[following])
    return torch.cat(parts).reshape(shape)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
