"""People that are made once and kept, and people prepared ahead."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from munet.body.model import BodyModel
from munet.errors import JobCancelledError
from munet.training.data import cache
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.people import Ahead, People, kept_people


def test_kept_people_are_those_of_the_generator(
    model: BodyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SHARD", 2)
    generator = Generator(5, size=48, points=64, model=model)
    told: list[tuple[str, int, int]] = []

    def stop(split: str, made: int, wanted: int) -> None:
        told.append((split, made, wanted))
        if len(told) == 1:
            raise JobCancelledError("The time is up.")

    with pytest.raises(JobCancelledError):
        kept_people(generator, tmp_path, {"train": 2, "val": 2}, stop)
    people = kept_people(generator, tmp_path, {"train": 2, "val": 2}, stop)
    assert told == [("train", 2, 2), ("train", 2, 2), ("val", 2, 2)]
    found, wanted = people("val", [1]), generator.batch("val", [1])
    assert int(found.index) == 1
    torch.testing.assert_close(found.joints, wanted.joints, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.image, wanted.image, atol=0.003, rtol=0)


def test_people_prepared_ahead_are_the_ones_asked_for(people: People) -> None:
    ahead = Ahead(people, torch.device("cpu"))
    taken: list[TrainingBatch] = [ahead.take([0, 1], [2, 3]), ahead.take([2, 3], [0]), ahead.take([1], [2])]
    ahead.close()
    assert [batch.index.tolist() for batch in taken] == [[0, 1], [2, 3], [1]]
