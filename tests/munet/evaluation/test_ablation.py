"""The ablations: intervals, a measurement that goes on where it was stopped, and honest tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.transform import Rotation

from munet.body.default import load_default_body
from munet.errors import InvalidInputError
from munet.evaluation.ablation import Ledger, columns, order_of, run
from munet.evaluation.ablation_table import COMMANDS, TABLES, document, markdown
from munet.evaluation.alignment import Similarity
from munet.evaluation.body_metrics import pa_mpjpe
from munet.evaluation.datasets.kept import KeptPeople
from munet.evaluation.datasets.synthetic import Synthetic, measured_depths
from munet.evaluation.intervals import gain_interval, mean_interval
from munet.evaluation.methods import BASE, SURFACES, Bodies, Tools, groups_of, measure_person
from munet.evaluation.person_errors import body_errors, map_error, mesh_errors, probed_truth, rendered_normals
from munet.geometry.camera import Camera
from munet.lifting.lift import load_lifter

SETTING = {"split": "test"}
LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]


@pytest.fixture(scope="module")
def tools() -> Tools:
    torch.set_num_threads(1)
    return Tools.prepare(load_default_body(), load_lifter())


@pytest.fixture(scope="module")
def people() -> Synthetic:
    return Synthetic(size=128)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(50, 10, 400)
    found = mean_interval(values)
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(low, abs=0.25)
    assert found.high == pytest.approx(high, abs=0.25)


def test_a_gain_is_paired() -> None:
    baseline = np.random.default_rng(1).uniform(10, 200, 100)
    gain = gain_interval(0.75 * baseline, baseline)
    assert gain.value == pytest.approx(0.25)
    assert (gain.low, gain.high) == pytest.approx((0.25, 0.25))
    with pytest.raises(InvalidInputError, match="same people"):
        gain_interval(baseline, baseline[1:])
    with pytest.raises(InvalidInputError, match="finite"):
        mean_interval(np.array([1.0, np.nan]))


def test_measured_depths_err_as_a_detector_on_photos() -> None:
    random = np.random.default_rng(0)
    person = torch.sparse.mm(load_default_body().landmarks, load_default_body().template).double().numpy()
    errors = [pa_mpjpe(measured_depths(person, random)[LIMBS].astype(float), person[LIMBS]) for _ in range(60)]
    assert 0.080 < np.mean(errors) / 1000 < 0.097


def test_the_truth_has_no_errors(people: Synthetic, tools: Tools) -> None:
    person = people.observed(order_of(500)[0])
    sample = person.sample
    assert sample.joints is not None
    assert sample.own is not None
    body = body_errors(sample.joints.positions_cam, sample.own.vertices_cam, person)
    assert max(body.values()) < 1e-3
    scan = sample.scan
    joints, truth = sample.joints.positions_cam, probed_truth(person)
    mesh = mesh_errors(scan.vertices, scan.faces, joints, person, truth)  # type: ignore[union-attr]
    assert mesh["chamfer"] < 1e-6
    assert mesh["outer_chamfer"] < 1e-6
    # A similarity costs nothing once the joints are laid on each other.
    turn = Similarity(1.3, Rotation.from_rotvec([0.3, -0.2, 0.5]).as_matrix(), np.array([0.2, 1.0, -0.4]))
    moved = mesh_errors(turn.apply(scan.vertices), scan.faces, turn.apply(joints), person, truth)  # type: ignore[union-attr]
    assert moved["chamfer"] > 5
    assert moved["aligned_chamfer"] < 1e-6
    assert moved["aligned_normal_cosine_error"] == pytest.approx(mesh["normal_cosine_error"], abs=1e-6)
    assert map_error(person.normals_front, person.normals_back, person) < 1e-6
    away = np.linalg.norm(person.person.landmarks_image - sample.joints.pixels.mean(0), axis=1)  # type: ignore[union-attr]
    assert (person.person.visibility[away > 128] <= 0.55).all()
    assert tools.points.samples.max() < len(sample.own.vertices_cam)


def test_kept_people_are_the_same_people(tmp_path: Path) -> None:
    made = Synthetic(size=96)
    kept = KeptPeople(made, tmp_path)
    kept.keep(3)
    (first, again), wanted = (kept.observed(3), KeptPeople(made, tmp_path).observed(3)), made.observed(3)
    assert np.array_equal(again.photo.image, wanted.photo.image)
    assert np.array_equal(again.person.landmarks_world, wanted.person.landmarks_world)
    assert np.abs(again.person.mask - wanted.person.mask).max() < 0.003
    assert np.abs(again.normals_front - wanted.normals_front).max() < 0.02
    assert np.abs(again.normals_back - wanted.normals_back).max() < 0.02
    scans = again.sample.scan, wanted.sample.scan
    assert np.allclose(scans[0].vertices, scans[1].vertices, atol=1e-6)  # type: ignore[union-attr]
    assert np.array_equal(scans[0].faces, scans[1].faces)  # type: ignore[union-attr]
    assert np.array_equal(again.sample.joints.pixels, wanted.sample.joints.pixels)  # type: ignore[union-attr, arg-type]
    assert again.sample.name == first.sample.name == wanted.sample.name
    assert len(kept) == len(made)


def test_rendered_normals_face_the_camera_and_away_from_it(tools: Tools) -> None:
    vertices = tools.body.template.double().numpy() * [1, -1, -1] + [0, 0, 3]
    front, back = rendered_normals(vertices, tools.body.faces.numpy(), Camera(128.0, (48.0, 48.0), 96, 96))
    inside = np.linalg.norm(front, axis=2) > 0.5
    assert (inside == (np.linalg.norm(back, axis=2) > 0.5)).mean() > 0.999
    assert front[inside][:, 2].mean() < -0.5
    assert back[inside][:, 2].mean() > 0.5


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, tools: Tools, people: Synthetic) -> None:
    path, asked = tmp_path / "ledger.jsonl", []

    class Network:
        def bodies(self, _: Tools, person: object, __: object) -> dict[str, dict[str, float]]:
            asked.append(person)
            return {"G_v": {"pa_mpjpe": 1.0, "mpjpe": 2.0, "pve": 3.0}}

        def surfaces(self, _: Tools, __: object, bodies: Bodies) -> dict[str, dict[str, float]]:
            assert bodies.truth is not None
            return {"surface": {"chamfer": 4.0}}

    assert list(run(tools, people, 2, Ledger(path, SETTING))) == [1, 2]
    before = path.read_text(encoding="utf-8")
    both = replace(tools, networks={"munet abc": Network()})
    ledger = Ledger(path, SETTING)
    assert list(run(both, people, 3, ledger)) == [1, 2, 3]
    assert path.read_text(encoding="utf-8").startswith(before)
    assert len(asked) == 3
    assert len(Ledger(path, SETTING).measured(BASE)) == 3
    ours, theirs = columns(ledger, ("munet abc", "G_v"), (BASE, "fit"), "pa_mpjpe")
    assert ours.tolist() == [1.0, 1.0, 1.0]
    assert 5 < theirs.mean() < 200
    list(run(replace(both, networks={"munet abc": Network()}), people, 4, ledger, 0, (3, 4)))
    assert len(ledger.measured(BASE)) == 4
    assert not ledger.measured(BASE + SURFACES)
    text = markdown(ledger, {"munet": "munet abc"})
    assert "| G_v over the pose network's body, no fit | 1.0 (1.0 to 1.0)" in text
    assert f"not trained: `{COMMANDS['no-trace']}`" in text
    ledger.add(3, "munet abc", {"G_v + fit": {"pa_mpjpe": 6.0}})
    ledger.add(3, BASE, {"fit": {"pa_mpjpe": 8.0}})
    found = "| 6.0 mm against 8.0 mm | -25.0% (-25.0% to -25.0%) | 1 |"
    assert found in markdown(ledger, {"munet": "munet abc"})
    facts = json.loads(json.dumps(document(ledger, {"munet": "munet abc"}, {"commit": "c"})))
    assert {row["table"] for row in facts["rows"]} == {table.title for table in TABLES}
    assert set(facts["not_trained"]) == set(COMMANDS) - {"munet"} or "munet" in facts["not_trained"]
    with pytest.raises(InvalidInputError, match="another measurement"):
        Ledger(path, {"split": "val"})
    wanted = [name for name in groups_of(both) if name.startswith("munet")]
    surfaces = measure_person(both, people.observed(order_of(500)[0]), wanted)
    assert surfaces["munet abc" + SURFACES] == {"surface": {"chamfer": 4.0}}
