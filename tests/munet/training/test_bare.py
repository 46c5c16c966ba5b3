"""People without pictures, and what the pose step is shown of people."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from munet.body.model import BodyModel
from munet.errors import InvalidInputError
from munet.fitting.body_points import make_body_points
from munet.lifting.lift import guess_poses, load_lifter
from munet.losses import Views
from munet.network import SMALL, create_munet, network_topology
from munet.network.opinion import opinion_of
from munet.training import fitted
from munet.training.bare import SIZE, BareGenerator, draw_bare
from munet.training.data import cache
from munet.training.data.generate import TrainingBatch
from munet.training.given import Mix, given_bodies
from munet.training.lifted import lifted_bodies, opinions, seen_people
from munet.training.network_batch import network_batch
from munet.training.posing import Gatherer, gather_cases

COUNT = 6


@pytest.fixture(scope="module")
def bare(model: BodyModel) -> TrainingBatch:
    return BareGenerator(0, size=SIZE, points=1, model=model).batch("train", range(COUNT))


def test_a_bare_person_is_the_same_in_every_batch(bare: TrainingBatch, model: BodyModel) -> None:
    again = BareGenerator(0, size=SIZE, points=1, model=model).batch("train", [4])
    for name, value in again.tensors().items():
        torch.testing.assert_close(value[0], bare.tensors()[name][4], atol=1e-4, rtol=1e-4)
    with pytest.raises(InvalidInputError):
        BareGenerator(0, size=SIZE, points=1, model=model).batch("train", [])


def test_what_is_seen_of_bare_people_lies_in_their_mask(bare: TrainingBatch) -> None:
    marks, sure = bare.observed_landmarks.long().clamp(0, SIZE - 1), bare.observed_visibility > 0.9
    people = torch.arange(COUNT)[:, None].expand_as(sure)
    inside = bare.observed_mask[people[sure], marks[sure][:, 1], marks[sure][:, 0]] > 0.3
    assert int(sure.sum()) > 10 * COUNT
    assert float(inside.float().mean()) > 0.9
    assert not bool(bare.image.any())


def test_people_cut_at_the_waist_are_mostly_upright() -> None:
    leans = []
    for index in range(120):
        drawn = draw_bare(0, "train", index)
        if drawn.frame[0] == 0 and drawn.frame[1] < 0.65:
            turns, trunk = drawn.pose[0], drawn.pose[0][:, 1]
            for joint in (3, 6, 9):
                turns = turns @ drawn.pose[joint]
                trunk = trunk + turns[:, 1]
            leans.append(float(torch.rad2deg(torch.arccos(trunk[1] / trunk.norm()))))
    assert len(leans) > 10
    assert np.mean(np.array(leans) < 15) > 0.6


def test_the_opinion_of_a_batch_is_that_of_the_product(bare: TrainingBatch, model: BodyModel) -> None:
    lifter = load_lifter()
    together = opinions(bare, model, lifter)
    for row, (seen, photo) in enumerate(seen_people(bare, 0)):
        guesses = guess_poses(lifter, seen, photo)
        alone = opinion_of(model, guesses[0] if guesses else None)
        for field in fields(alone):
            found = getattr(together, field.name)[row : row + 1]
            torch.testing.assert_close(found, getattr(alone, field.name), atol=2e-4, rtol=1e-3)
    nobody = opinion_of(model, None)
    assert not bool(nobody.known.any())


def test_evidence_without_pictures_is_that_of_the_networks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: BodyModel
) -> None:
    for module in (cache, fitted):
        monkeypatch.setattr(module, "SHARD", 2)
    cache.write_cache(BareGenerator(0, size=SIZE, points=1, model=model), tmp_path, "train", 4)
    lifter, net, topology = load_lifter(), create_munet(SMALL), network_topology(model, SMALL)
    fitted.write_fits(model, lifter, tmp_path, "train", 0, range(2, 4))
    data, fits = cache.CachedData(tmp_path, "train", pictures=False), fitted.KeptFits(tmp_path)
    tools = Gatherer(net, model, make_body_points(model), topology, lifter)
    (found,) = gather_cases(tools, lambda _, numbers: data.batch(list(numbers)), "train", range(4), fits)
    assert len(found) == 2
    rows = cache.CachedData(tmp_path, "train").batch([2, 3])
    bodies, opinion = fits.of("train", rows), opinions(rows, model, lifter)
    given = given_bodies(rows, model, topology, lifter, Mix(0, 0, 1), (0, 0), bodies)
    whole = network_batch(rows, model, topology, Views(size=16, sides=(0,)), given=given, opinion=opinion)
    evidence = net.evidence_of(topology, whole.inputs)
    assert evidence is not None
    for mine, other in ((found.evidence, evidence), (found.given, given.pose), (found.wanted, whole.pose)):
        for field in fields(mine):
            torch.testing.assert_close(getattr(mine, field.name), getattr(other, field.name), atol=1e-4, rtol=1e-3)
    lifted = lifted_bodies(tools.points, lifter, rows, 0)
    assert bool(lifted.good.all())
    with pytest.raises(InvalidInputError, match="another pose network"):
        fitted.write_fits(model, type(lifter)(), tmp_path, "train", 0, range(4))
