"""Training of the fold network: sheets that fold, pictures of them, steps that resume exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from munet.folds.network import load_folds, read_folds
from munet.folds.planes import PLANES
from munet.folds.relief import slopes
from munet.training.folds.bases import People
from munet.training.folds.buckling import draw_push, make_heights
from munet.training.folds.measure import errors, validate
from munet.training.folds.patches import make_patches
from munet.training.folds.train import Plan, Training, fold_loss, run
from munet.training.small_files import export, save_checkpoint

PLAN = Plan(seed=3, batch=2, size=64, steps=3)


@pytest.fixture(scope="module")
def sheets() -> torch.Tensor:
    return make_heights(5, 4, 64)


@pytest.fixture(scope="module")
def people() -> People:
    """Two balls."""
    place = torch.linspace(-1.1, 1.1, 64)
    down, across = torch.meshgrid(place, place, indexing="ij")
    inside = across**2 + down**2 < 1
    ahead = -(1 - across**2 - down**2).clamp_min(0).sqrt()
    normals = torch.stack([across, down, ahead]) * inside
    packed = (normals * 127).round().to(torch.int8).expand(2, -1, -1, -1).contiguous()
    image = torch.full((2, 3, 64, 64), 120, dtype=torch.uint8)
    return People(packed, image, inside.expand(2, -1, -1).contiguous(), torch.tensor([200.0, 300.0]))


def test_sheets_take_up_about_the_cloth_they_have_too_much(sheets: torch.Tensor) -> None:
    push = draw_push(torch.Generator().manual_seed(5), 4, 64)
    spare = (push.spare * (1 + push.aside[:, None, None])).mean((1, 2))
    taken = 0.5 * (slopes(sheets) ** 2).sum(1).mean((1, 2))
    assert torch.equal(sheets, make_heights(5, 4, 64))
    assert bool((taken < 1.2 * spare).all())
    assert float(taken.max() / spare.max()) > 0.2


def test_pictures_are_the_same_again_and_flat_ones_are_flat(sheets: torch.Tensor, people: People) -> None:
    first, again = (make_patches(sheets, people, 1, 7, 6, 64, flat=0.5) for _ in range(2))
    assert torch.equal(first.planes, again.planes)
    assert first.planes.shape == (6, PLANES, 64, 64)
    assert bool(first.planes.isfinite().all())
    assert 0 < float(first.flat.sum()) < 6
    bent = ((first.normals - first.base) ** 2).sum(1) * first.weight
    assert float(bent[first.flat > 0].max()) < 1e-6
    assert float(bent[first.flat == 0].max()) > 1e-2


def test_without_heights_the_error_is_that_of_the_base(sheets: torch.Tensor, people: People) -> None:
    patches = make_patches(sheets, people, 1, 0, 4, 64, flat=0.0)
    flat = torch.zeros(4, 64, 64, requires_grad=True)
    loss = fold_loss(flat, patches)
    loss.backward()
    assert flat.grad is not None
    assert bool(flat.grad.isfinite().all())
    found = errors(flat.detach(), patches)
    assert found["folds"] == pytest.approx(found["without"], rel=1e-3)


def test_the_shipped_network_sees_folds_and_little_in_dyes(sheets: torch.Tensor, people: People) -> None:
    patches = make_patches(sheets, people, 2, 0, 16, 128, flat=0.4)
    with torch.no_grad():
        found = errors(load_folds()(patches.planes), patches)
    assert found["folds"] < 0.85 * found["without"]
    assert found["dye"] < 0.3 * found["true"]


def test_a_training_resumes_exactly_and_its_weights_can_be_read(
    sheets: torch.Tensor, people: People, tmp_path: Path
) -> None:
    whole = Training(PLAN)
    assert run(whole, sheets, people, 5.0, lambda *_: None, lambda: None)
    half = Training(PLAN)
    half.advance(sheets, people)
    save_checkpoint(half, tmp_path / "checkpoint.pt")
    resumed = Training(PLAN)
    resumed.load(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    run(resumed, sheets, people, 5.0, lambda *_: None, lambda: None)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    export(whole.average, tmp_path / "folds.safetensors", {"seed": "3"})
    net = read_folds(tmp_path / "folds.safetensors")
    assert set(validate(net, sheets, people, 1, 64)) == {"folds", "without", "slope", "true", "dye"}
