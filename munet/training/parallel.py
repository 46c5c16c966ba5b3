"""One process or several: those that torchrun starts share the work, a single one needs nothing of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from munet.errors import InvalidInputError


@dataclass(frozen=True)
class Team:
    """The processes of a training.

    Attributes:
        rank: number of this process.
        size: number of processes.
        device: of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks to the user."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with gradients shared by all processes; itself where there is only one."""
        if self.size == 1:
            return module
        devices = [self.device.index] if self.device.type == "cuda" else None
        return cast("nn.Module", DistributedDataParallel(module, device_ids=devices))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the processes."""
        if self.size > 1:
            distributed.all_reduce(values)
            values = values / self.size
        return values

    def agree(self, *, wish: bool) -> bool:
        """What the leading process wishes, for all."""
        if self.size == 1:
            return wish
        flag = torch.tensor(int(wish), device=self.device)
        distributed.broadcast(flag, 0)
        return bool(flag)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def team(device: str) -> Iterator[Team]:
    """The processes of this training, as torchrun's environment describes them.

    Args:
        device: "cpu", "cuda" or "auto": CUDA where there is one.

    Raises:
        InvalidInputError: CUDA is asked for and absent.
    """
    if device not in {"cpu", "cuda", "auto"}:
        raise InvalidInputError("The device is unknown.", detail=f"expected cpu, cuda or auto, found {device}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidInputError("There is no CUDA device.", hint="Use --device cpu, or install PyTorch for CUDA.")
    kind = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    place = torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device("cpu")
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if size > 1:
        distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield Team(rank, size, place)
    finally:
        if size > 1:
            distributed.destroy_process_group()
