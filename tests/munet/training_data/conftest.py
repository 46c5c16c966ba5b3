"""One generator and a few batches for all tests of the folder."""

from __future__ import annotations

import pytest
import torch

from munet.training.data.generate import Generator, TrainingBatch

SIZE = 96


@pytest.fixture(scope="session")
def generator() -> Generator:
    torch.set_num_threads(1)
    return Generator(seed=3, size=SIZE, points=1500)


@pytest.fixture(scope="session")
def batch(generator: Generator) -> TrainingBatch:
    return generator.batch("train", range(6))
