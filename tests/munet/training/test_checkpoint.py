"""Checkpoints come back bit for bit, in small files, and a crash or a damaged file is never taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from munet.errors import ModelMissingError
from munet.training import checkpoint as module
from munet.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from munet.training.moments import stochastically_rounded


def example(seed: int = 0) -> Checkpoint:
    random = torch.Generator().manual_seed(seed)
    tensors = {
        "large": torch.randn(300, 500, generator=random),
        "half": torch.randn(70, 900, generator=random).bfloat16(),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }
    return Checkpoint(tensors, {"step": seed, "name": "x"})


def test_round_trip_in_small_files(tmp_path: Path) -> None:
    wanted = example()
    files = write_checkpoint(wanted, tmp_path, "a", shard_bytes=200_000)
    assert len(files) > 4
    assert max(path.stat().st_size for path in files) <= 200_000
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert found.facts == wanted.facts
    assert found.tensors.keys() == wanted.tensors.keys()
    for name, value in wanted.tensors.items():
        assert found.tensors[name].dtype == value.dtype
        assert torch.equal(found.tensors[name], value)


def test_only_the_newest_stays(tmp_path: Path) -> None:
    write_checkpoint(example(0), tmp_path, "a", shard_bytes=200_000)
    files = write_checkpoint(example(1), tmp_path, "b", shard_bytes=200_000)
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_nothing_there(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "absent") is None


def test_a_crash_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(example(0), tmp_path, "a", shard_bytes=200_000)
    write, written = module._write, []

    def crash(path: Path, content: bytes) -> None:
        if len(written) == 2:
            raise OSError("no power")
        written.append(path)
        write(path, content)

    monkeypatch.setattr(module, "_write", crash)
    with pytest.raises(OSError, match="no power"):
        write_checkpoint(example(1), tmp_path, "b", shard_bytes=200_000)
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert found.facts["step"] == 0


@pytest.mark.parametrize("damage", ["cut", "missing", "foreign", "index"])
def test_damage_is_noticed(tmp_path: Path, damage: str) -> None:
    shard, *_, index = write_checkpoint(example(), tmp_path, "a")
    if damage == "cut":
        shard.write_bytes(shard.read_bytes()[:-5])
    elif damage == "missing":
        shard.unlink()
    elif damage == "foreign":
        content = bytearray(shard.read_bytes())
        content[-1] ^= 1
        shard.write_bytes(bytes(content))
    else:
        index.write_text("{")
    with pytest.raises(ModelMissingError, match="checkpoint"):
        read_checkpoint(tmp_path)


def test_stochastic_rounding_keeps_the_mean() -> None:
    values = torch.full((100_000,), 1.2345e-6)
    rounded = stochastically_rounded(values, torch.Generator().manual_seed(0))
    assert torch.equal(rounded, rounded.bfloat16().float())
    assert len(rounded.unique()) == 2
    assert float(rounded.double().mean()) == pytest.approx(1.2345e-6, rel=1e-4)
    kept = torch.tensor([0.0, 1.0, 0.15625])
    assert torch.equal(stochastically_rounded(kept, torch.Generator().manual_seed(1)), kept)
