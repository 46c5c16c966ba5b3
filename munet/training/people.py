"""Where the people of a step come from: made on the device, or once and kept on disk."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import torch

from munet.errors import InvalidInputError
from munet.training.data.cache import CachedData, shard_order, write_cache
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.data.splits import Split
from munet.training.stages import Plan


class People(Protocol):
    """Gives the samples of a split by their numbers."""

    def __call__(self, split: Split, indices: Sequence[int]) -> TrainingBatch:
        """The samples, on the device of the training."""


def generated_people(generator: Generator) -> People:
    """People made when they are asked for."""
    return generator.batch


def kept_people(
    generator: Generator, folder: Path, counts: dict[Split, int], report: Callable[[str, int, int], None]
) -> People:
    """People made once and kept in a folder; what is there already is not made again.

    Args:
        generator: makes them.
        folder: of the data.
        counts: how many of each split.
        report: called with the split, the number made and the number wanted; may raise to stop, nothing is lost then.
    """
    data = {}
    for split, count in counts.items():
        write_cache(generator, folder, split, count, report=functools.partial(report, split))
        data[split] = CachedData(folder, split)

    def batch(split: Split, indices: Sequence[int]) -> TrainingBatch:
        return data[split].batch(list(indices)).to(generator.device)

    return batch


def indices_of(plan: Plan, step: int, part: int, parts: int) -> list[int]:
    """Numbers of the people in one part of a step; with ``samples`` each pass has an order of its own.

    Raises:
        InvalidInputError: the batch can not be cut into that many parts.
    """
    if plan.batch % parts:
        raise InvalidInputError(
            "The batch can not be shared evenly.", detail=f"expected a multiple of {parts}, found {plan.batch}"
        )
    share = plan.batch // parts
    first = step * plan.batch + part * share
    numbers = range(first, first + share)
    if not plan.samples:
        return list(numbers)
    return [_order(plan.samples, plan.seed, n // plan.samples)[n % plan.samples] for n in numbers]


@functools.lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> tuple[int, ...]:
    return tuple(shard_order(count, seed, epoch))


class Ahead:
    """Prepares the next people in a second thread while the networks learn from the ones before."""

    def __init__(self, people: People, device: torch.device) -> None:
        self._people, self._device = people, device
        self._worker = ThreadPoolExecutor(1)
        self._waiting: dict[tuple[int, ...], Future[TrainingBatch]] = {}
        self._threads = torch.get_num_threads()

    def take(self, indices: list[int], following: list[int]) -> TrainingBatch:
        """The people of ``indices``; those of ``following`` are begun."""
        future = self._waiting.pop(tuple(indices), None) or self._begin(indices)
        batch = future.result()
        self._waiting = {tuple(following): self._begin(following)}
        return batch

    def close(self) -> None:
        """End the thread after its current work."""
        self._worker.shutdown(cancel_futures=True)

    def _begin(self, indices: list[int]) -> Future[TrainingBatch]:
        return self._worker.submit(self._work, indices)

    def _work(self, indices: list[int]) -> TrainingBatch:
        # A thread starts with its own number of threads and its own current device.
        torch.set_num_threads(self._threads)
        if self._device.type == "cuda":
            torch.cuda.set_device(self._device)
        return self._people("train", indices)
