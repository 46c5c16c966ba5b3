"""Real fits of kept people: made once, found again, and none for whoever was not fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.lifting.lift import load_lifter
from munet.training import fitted
from munet.training.data import cache
from munet.training.data.generate import Generator


def test_fits_are_made_once_and_stand_where_the_people_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: BodyModel
) -> None:
    for module in (cache, fitted):
        monkeypatch.setattr(module, "SHARD", 2)
    cache.write_cache(Generator(0, size=128, points=64, model=model), tmp_path, "train", 2)
    done: list[int] = []
    for _ in range(2):
        fitted.write_fits(model, load_lifter(), tmp_path, "train", 0, range(2), lambda number, _: done.append(number))
    assert done == [1, 2]
    batch = cache.CachedData(tmp_path, "train").batch([0, 1])
    fits = fitted.KeptFits(tmp_path).of("train", batch)
    assert bool(fits.good.all())
    joints = pose_body(model, fits.betas, fits.rotations(), None).joints[:, :24] * torch.tensor([1.0, -1.0, -1.0])
    seen = joints + fits.translation[:, None]
    pixels = fits.focal[:, None, None] * seen[..., :2] / seen[..., 2:] + 64
    assert float((pixels - batch.joints_image[:, :24]).norm(dim=-1).median()) < 6
    others = fitted.KeptFits(tmp_path).of("train", replace(batch, index=batch.index + 2))
    assert not bool(others.good.any())
    (tmp_path / "fits" / "train" / "000000.npz").write_bytes(b"cut off")
    with pytest.raises(InvalidInputError, match="damaged"):
        fitted.KeptFits(tmp_path).of("train", batch)
