"""The plan of a training: stages in order, rates, growing feedback, orders of people."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from munet.errors import InvalidInputError
from munet.training.people import indices_of
from munet.training.stages import (
    PLANS,
    Plan,
    Stage,
    check_plan,
    losses_of,
    place_of,
    plan_to_dict,
    rate_of,
    scaled,
)

PLAN = Plan("small", (Stage("body", 1000), Stage("surface", 400), Stage("joint", 1000, rounds=2)), batch=12)


def test_stages_follow_one_another() -> None:
    assert [place_of(PLAN, step).stage.name for step in (0, 999, 1000, 1399, 1400, 2399, 9999)] == [
        "body", "body", "surface", "surface", "joint", "joint", "joint",
    ]  # fmt: skip
    assert place_of(PLAN, 1400).step == 0
    assert [place_of(PLAN, step).rounds for step in (1400, 1401, 1402)] == [1, 2, 1]


def test_rate_warms_up_and_falls() -> None:
    rates = [rate_of(place_of(PLAN, step)) for step in (0, 99, 499, 500, 999)]
    assert rates == pytest.approx([3e-4 / 100, 3e-4, 3e-4, 3e-5, 3e-5])


def test_every_stage_has_its_losses() -> None:
    body, late = losses_of(PLAN, place_of(PLAN, 0)).weights, losses_of(PLAN, place_of(PLAN, 2399)).weights
    assert (body.vertices, body.surface, body.trace) == (1, 0, 0)
    assert losses_of(PLAN, place_of(PLAN, 1000)).weights.surface_of_true_body == 0
    assert (late.trace, late.cloth, late.edges) == (1, 1, 10)
    assert losses_of(PLAN, place_of(PLAN, 1449)).weights.trace == pytest.approx(0.5)
    assert losses_of(replace(PLAN, without=("trace",)), place_of(PLAN, 2399)).weights.trace == 0


@pytest.mark.parametrize("name", sorted(PLANS))
def test_plans_are_valid_and_can_be_written(name: str) -> None:
    check_plan(PLANS[name])
    assert scaled(PLANS[name], 0.5).steps == PLANS[name].steps // 2
    written = plan_to_dict(PLANS[name])
    assert json.loads(json.dumps(written)) == written


@pytest.mark.parametrize(
    "wrong", [{"config": "huge"}, {"batch": 0}, {"stages": ()}, {"without": ("luck",)}, {"seed": -1}, {"clip": 0.0}]
)
def test_bad_plans_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        check_plan(replace(PLAN, **wrong))  # type: ignore[arg-type]


def test_parts_of_a_step_make_up_the_batch() -> None:
    whole = indices_of(PLAN, 5, 0, 1)
    assert whole == list(range(60, 72))
    assert [index for part in range(3) for index in indices_of(PLAN, 5, part, 3)] == whole
    with pytest.raises(InvalidInputError, match="shared evenly"):
        indices_of(PLAN, 0, 0, 5)


def test_kept_people_come_once_a_pass() -> None:
    kept = replace(PLAN, samples=96)
    passes = [[i for step in range(8) for i in indices_of(kept, 8 * number + step, 0, 1)] for number in range(2)]
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(96))
    assert passes[0] != passes[1]
