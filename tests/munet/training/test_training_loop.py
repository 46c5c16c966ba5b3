"""Steps, pieces and what stops them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from munet.body.model import BodyModel
from munet.errors import InvalidInputError
from munet.losses import LossWeights
from munet.network import Topology, create_munet, load_munet
from munet.training.boards import NoBoard
from munet.training.checkpoint import read_checkpoint, write_checkpoint
from munet.training.course import Course, Rhythm
from munet.training.export import export_weights
from munet.training.loop import Training, TrainingError
from munet.training.parallel import Team
from munet.training.people import Ahead, People
from munet.training.stages import Plan, Stage, StageName, config_of

Begin = Callable[..., Training]


def steps(training: Training, people: People, count: int) -> list[dict[str, float]]:
    ahead = Ahead(people, training.team.device)
    try:
        return [training.advance(ahead) for _ in range(count)]
    finally:
        ahead.close()


def test_six_steps_are_three_and_three(begin: Begin, plan: Plan, people: People, tmp_path: Path) -> None:
    whole = begin(plan)
    course = steps(whole, people, 6)
    first = begin(plan)
    steps(first, people, 3)
    write_checkpoint(first.state(), tmp_path, "a")
    found = read_checkpoint(tmp_path)
    assert found is not None
    second = begin(plan)
    second.load(found)
    assert second.place.stage.name == "surface"
    assert steps(second, people, 3) == course[3:]
    assert second.done
    wanted, resumed = whole.state().tensors, second.state().tensors
    assert wanted.keys() == resumed.keys()
    assert all(torch.equal(wanted[name], resumed[name]) for name in wanted)
    assert any(name.startswith("adam.exp_avg_sq") for name in wanted)


@pytest.mark.parametrize(("stage", "count", "left"), [("body", 30, 0.8), ("joint", 14, 0.75)])
def test_one_batch_is_learnt_by_heart(
    begin: Begin, plan: Plan, people: People, stage: StageName, count: int, left: float
) -> None:
    short = replace(plan, config="template", stages=(Stage(stage, 100, rate=3e-3),), batch=1, samples=1)
    course = steps(begin(short), people, count)
    assert course[-1]["total"] < left * course[0]["total"]


def test_the_joint_stage_has_all_losses(begin: Begin, plan: Plan, people: People) -> None:
    course = steps(begin(replace(plan, stages=(Stage("joint", 1),))), people, 1)
    assert set(course[0]) == {entry.name for entry in fields(LossWeights)} | {"total", "gradient"}


def test_a_stage_changes_only_its_networks(begin: Begin, plan: Plan, people: People) -> None:
    training = begin(plan)
    before = {name: value.clone() for name, value in training.net.named_parameters()}
    steps(training, people, 1)
    changed = {name.split(".")[0] for name, value in training.net.named_parameters() if not value.equal(before[name])}
    assert changed == {"body_encoder", "body_network", "pose_network"}


def test_pieces_of_a_batch_add_up(begin: Begin, plan: Plan, people: People) -> None:
    whole, pieces = begin(plan), begin(plan, micro=1)
    one, other = steps(whole, people, 1)[0], steps(pieces, people, 1)[0]
    assert one == pytest.approx(other, rel=1e-4)
    with pytest.raises(InvalidInputError, match="shared evenly"):
        begin(replace(plan, batch=5), micro=2)


def test_numbers_that_are_not_finite_stop_it(begin: Begin, plan: Plan, people: People) -> None:
    training = begin(plan)
    steps(training, people, 1)
    with torch.no_grad():
        training.net.body_network.shape.bias[0] = torch.nan
    with pytest.raises(TrainingError, match=r"step 1 \(stage body\): the networks' body is not finite"):
        steps(training, people, 1)


def test_a_loss_that_is_not_finite_is_named(begin: Begin, plan: Plan, people: People) -> None:
    training = begin(plan)
    training.regressor[3] = torch.inf
    with pytest.raises(TrainingError, match=r"step 0 \(stage body\): joints is nan"):
        steps(training, people, 1)


def test_another_plan_is_refused(begin: Begin, plan: Plan) -> None:
    state = begin(plan).state()
    with pytest.raises(InvalidInputError, match="seed: expected 1, found 0"):
        begin(replace(plan, seed=1)).load(state)


def test_a_training_begins_with_given_weights(model: BodyModel, topology: Topology, plan: Plan) -> None:
    start = create_munet(config_of(plan), seed=9)
    team = Team(0, 1, torch.device("cpu"))
    training = Training(plan, model, team, topology=topology, start=start)
    wanted = start.state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in training.net.state_dict().items())
    with pytest.raises(InvalidInputError, match="found tiny"):
        Training(replace(plan, config="template"), model, team, topology=topology, start=start)


RHYTHM = Rhythm(log=2, validation=4, pictures=5, checkpoint=0, people=2, at_once=2, shown=1)


def course_of(training: Training, people: People, folder: Path, rhythm: Rhythm = RHYTHM) -> Course:
    return Course(training, people, folder, rhythm, NoBoard(), lambda *_: None)


def test_a_course_in_pieces(begin: Begin, plan: Plan, people: People, tmp_path: Path) -> None:
    assert not course_of(begin(plan), people, tmp_path).run(time.monotonic())
    first = read_checkpoint(tmp_path / "checkpoint")
    assert first is not None
    assert first.facts["step"] == 0
    training = begin(plan)
    course = course_of(training, people, tmp_path)
    assert course.run(time.monotonic() + 600)
    curve = json.loads((tmp_path / "curve.json").read_text())
    assert [(point["step"], "val" in point) for point in curve] == [(2, False), (4, False), (4, True), (6, False)]
    names = {name.split(".")[1] for name in course.last_validation if name.startswith("fitted.")}
    assert names >= {"joints_mm", "given_joints_mm", "normals", "body_normals", "surface_mm", "body_mm"}
    assert course.last_validation["true.given_joints_mm"] < 0.01
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["0000005.png"]
    again = course_of(begin(plan), people, tmp_path)
    assert again.run(time.monotonic() + 600)
    assert json.loads((tmp_path / "curve.json").read_text()) == curve


def test_export_can_be_read_and_says_where_it_comes_from(begin: Begin, plan: Plan, tmp_path: Path) -> None:
    training = begin(plan)
    card = export_weights(training, tmp_path / "net.safetensors", "python scripts/train.py", {"joints_mm": 1.0})
    net = load_munet(tmp_path / "net.safetensors")
    for name, value in training.net.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    assert json.loads((tmp_path / "net.json").read_text()) == card
    assert card["seed"] == 0
    assert not card["complete"]
    assert card["bytes"] == (tmp_path / "net.safetensors").stat().st_size
