"""Shards keep what they are given, resume, and refuse what does not belong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from munet.errors import InvalidInputError
from munet.training.data import cache
from munet.training.data.cache import CachedData, pack, shard_order, unpack, write_cache
from munet.training.data.generate import Generator, TrainingBatch


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SHARD", 2)


def test_packing_round_trip(batch: TrainingBatch) -> None:
    for name, value in batch.tensors().items():
        back = unpack(name, pack(name, value))
        assert back.shape == value.shape
        if back.is_floating_point():
            assert float((back - value).abs().max()) < (0.011 if "normals" in name else 0.0021), name
        else:
            assert torch.equal(back, value)


def test_cache_resumes(generator: Generator, batch: TrainingBatch, tmp_path: Path) -> None:
    assert write_cache(generator, tmp_path, "train", 4, batch_size=2) == 2
    assert write_cache(generator, tmp_path, "train", 4, batch_size=1) == 0
    shard = tmp_path / "train" / "000001.npz"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    assert write_cache(generator, tmp_path, "train", 3, batch_size=2) == 1
    data = CachedData(tmp_path, "train")
    assert len(data) == 4
    read = data.batch([0, 3])
    assert torch.equal(read.index, torch.tensor([0, 3]))
    torch.testing.assert_close(read.joints[1], batch.joints[3], atol=1e-3, rtol=1e-4)
    assert not list(tmp_path.rglob("*.partial"))


def test_other_settings_are_refused(generator: Generator, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"seed": 9}')
    with pytest.raises(InvalidInputError, match="other settings"):
        write_cache(generator, tmp_path, "train", 2)


def test_missing_and_damaged_data(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no training data"):
        CachedData(tmp_path, "val")
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "000000.npz").write_bytes(b"nothing")
    with pytest.raises(InvalidInputError, match="damaged"):
        CachedData(tmp_path, "val")[0]
    with pytest.raises(IndexError):
        CachedData(tmp_path, "val")[2]


def test_shard_order_visits_everything_once() -> None:
    order = shard_order(7, 0, 1)
    assert sorted(order) == list(range(7))
    assert all(abs(a - b) == 1 for a, b in zip(order[::2], order[1::2], strict=False) if a // 2 == b // 2)
    assert shard_order(7, 0, 1) == order
    assert shard_order(64, 0, 2) != shard_order(64, 0, 3)
