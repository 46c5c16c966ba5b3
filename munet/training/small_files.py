"""Files of the small trainings, which fit into one: a checkpoint that a crash can not halve, and weights that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import save_file
from torch import Tensor


class Resumable(Protocol):
    """A training that goes on exactly from its state."""

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""


def save_checkpoint(training: Resumable, path: Path) -> None:
    """Write the state so that a crash leaves the old or the new file, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    torch.save(training.state(), fresh)
    fresh.replace(path)


def export(weights: dict[str, Tensor], path: Path, notes: dict[str, str]) -> None:
    """Write the averaged weights in half precision."""
    save_file({name: value.half().contiguous() for name, value in weights.items()}, path, metadata=notes)
