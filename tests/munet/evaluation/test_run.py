"""The whole way: people in boxes, a walk through a data set, the table, the command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import miniatures
import numpy as np
import pytest
import trimesh
from PIL import Image

from munet.evaluation.compare import Comparison, joint_set
from munet.evaluation.estimate import Estimate, Estimator, NotFoundError, box_overlap, find_person
from munet.evaluation.paper import BODY, BODY_METRICS, PAPER_SIZES, SURFACE, SURFACE_METRICS, paper_rows
from munet.evaluation.registry import KINDS
from munet.evaluation.results import UNITS, Results, commit_of, document, table
from munet.evaluation.run import evaluate, stride
from munet.evaluation.sample import Sample
from munet.perception.observation import PersonObservation, Photo

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

import evaluate as command  # noqa: E402


class FakePerceiver:
    """Sees a person around every bright pixel."""

    def find_people(self, photo: Photo, max_persons: int = 8) -> list[PersonObservation]:
        """As the real one, without networks."""
        rows, columns = np.nonzero(photo.image[..., 0] > 200)
        return [self.person(photo, x, y) for y, x in zip(rows, columns, strict=True)][:max_persons]

    def person(self, photo: Photo, x: int, y: int) -> PersonObservation:
        """A person 10 pixels wide and 20 high."""
        mask = np.zeros(photo.image.shape[:2], np.float32)
        mask[y, x] = 1
        box = np.array([x - 5, y - 10, x + 5, y + 10], np.float32)
        marks = np.full((33, 2), (x, y), np.float32)
        return PersonObservation(box, 1.0, marks, np.zeros((33, 3), np.float32), np.ones(33, np.float32), mask)


def photo_with(*points: tuple[int, int]) -> Photo:
    image = np.zeros((100, 160, 3), np.uint8)
    for x, y in points:
        image[y, x] = 255
    return Photo(image, (160, 100), 1.0, None, "p", "")


def test_the_person_of_the_box_is_taken() -> None:
    photo = photo_with((40, 50), (52, 50), (120, 50))
    person = find_person(FakePerceiver(), photo, np.array([48.0, 38, 58, 60]))  # type: ignore[arg-type]
    assert person.box.tolist() == [47, 40, 57, 60]
    assert person.mask.shape == (100, 160)
    assert np.argwhere(person.mask).tolist() == [[50, 52]]
    assert person.landmarks_image[0].tolist() == [52, 50]


@pytest.mark.parametrize("box", [[80.0, 30, 100, 60], [200.0, 10, 260, 90], None])
def test_nobody_there(box: list[float] | None) -> None:
    photo = photo_with() if box is None else photo_with((20, 20))
    with pytest.raises(NotFoundError):
        find_person(FakePerceiver(), photo, None if box is None else np.array(box))  # type: ignore[arg-type]


def test_box_overlap() -> None:
    box = np.array([0.0, 0, 10, 10])
    assert box_overlap(box, box) == 1
    assert box_overlap(box, box + 20) == 0
    assert box_overlap(box, np.array([5.0, 0, 15, 10])) == pytest.approx(1 / 3)
    assert box_overlap(np.zeros(4), np.zeros(4)) == 0


@dataclass
class FakeDataset:
    """Ten samples of which every third has nobody in it."""

    name: str = "3dpw"

    def __len__(self) -> int:
        return 10

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Named by their numbers."""
        for number in range(0, 10, step):
            yield Sample(str(number), np.zeros((4, 4, 3), np.uint8))


class FakeEstimator(Estimator):
    """Finds two of three."""

    def __init__(self) -> None:
        pass

    def estimate(self, sample: Sample) -> Estimate:
        """Nothing that could be compared."""
        if int(sample.name) % 3 == 0:
            raise NotFoundError("Nobody.")
        return Estimate(None, None)  # type: ignore[arg-type]


def walk(limit: int | None) -> Results:
    how = Comparison(joint_set("3dpw", None), None, None, "none", 10, 8)  # type: ignore[arg-type]
    return list(evaluate(FakeDataset(), FakeEstimator(), how, limit))[-1]


def test_missed_people_are_counted_and_not_averaged() -> None:
    results = walk(None)
    assert sorted(results.missed) == ["0", "3", "6", "9"]
    assert sorted(results.errors) == ["1", "2", "4", "5", "7", "8"]
    assert results.means() == {}


def test_a_limit_spreads_over_the_set() -> None:
    results = walk(3)
    assert sorted([*results.errors, *results.missed]) == ["0", "3", "6"]
    assert [stride(10, limit) for limit in (None, 1, 4, 9, 10, 50)] == [1, 10, 2, 1, 1, 1]


def test_means_are_over_those_that_have_the_number() -> None:
    results = Results(missed={"c": "no"})
    results.add("a", {"mpjpe": 10.0, "pve": 4.0}, 2.0)
    results.add("b", {"mpjpe": 20.0}, 4.0)
    assert results.means() == {"mpjpe": 15.0, "pve": 4.0}
    content = document("3dpw", results, {"split": "x"}, "cpu", {"torch": "2"})
    assert content["measured"] == 2
    assert content["missed"] == {"c": "no"}
    assert content["seconds_per_sample"] == 3
    assert content["versions"]["torch"] == "2"
    assert json.loads(json.dumps(content)) == content


def test_the_papers_numbers_are_consistent() -> None:
    """Its Chamfer is the mean of its two directions, and every data set has its size."""
    for methods in SURFACE.values():
        for chamfer, forth, back, *_ in methods.values():
            assert math.isclose(chamfer, (forth + back) / 2, abs_tol=0.006)
    assert set(PAPER_SIZES) == set(KINDS) - {"synthetic"} == set(BODY)
    assert paper_rows("thuman2")["MuNet"]["truth_to_prediction"] == 2.189
    assert paper_rows("human36m")["MuNet"] == {"mpjpe": 38.2, "pa_mpjpe": 32.4}
    assert paper_rows("synthetic") == {}
    assert {*BODY_METRICS, *SURFACE_METRICS} <= set(UNITS)


def test_the_table_stands_beside_the_paper() -> None:
    lines = table("3dpw", {"mpjpe": 77.77, "pa_mpjpe": 50.0, "mpjpe_mid_hip": 70.0}).splitlines()
    assert lines[0].split() == ["mpjpe", "(mm)", "pa_mpjpe", "(mm)", "pve", "(mm)"]
    assert next(line for line in lines if line.startswith("MuNet")).split() == ["MuNet", "49.2", "38.9", "54.4"]
    assert next(line for line in lines if line.startswith("this")).split() == ["this", "program", "77.8", "50.0", "-"]
    assert lines[-1].split() == ["mpjpe_mid_hip", "(mm)", "70.0"]
    surface = table("cape", {"chamfer": 1.23456, "normal_cosine": 0.1732})
    assert "1.235 " in surface
    assert "0.1732" in surface


def test_the_command_knows_the_data_sets() -> None:
    assert set(command.DATASETS) == set(KINDS)
    for bad in (
        ["--dataset", "coco", "--root", "x"],
        ["--dataset", "cape"],
        ["--dataset", "cape", "--root", "x", "--limit", "0"],
    ):
        with pytest.raises(SystemExit):
            command.parse(bad)


def test_the_commit_is_named() -> None:
    commit = commit_of(ROOT)
    inside = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert commit.removesuffix("-changed") == inside.stdout.strip()


def test_a_photo_of_a_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The real pipeline on one picture in MuNet's layout, from the command's options to the file."""
    folder = tmp_path / "data" / "0001"
    (folder / "render").mkdir(parents=True)
    with Image.open(ROOT / "examples" / "standing-phone.jpg") as photo:
        photo.thumbnail((400, 512))
        photo.convert("RGB").save(folder / "render" / "0000.png")
    miniatures.calibration(folder / "calib" / "0000.txt", 0.0, 0.32, np.array([0, 90.0, 0]))
    trimesh.creation.capsule(radius=0.2, height=1.4).apply_transform(
        trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0])
    ).export(folder / "0001.obj")
    (tmp_path / "data" / "list.txt").write_text("0001\n")
    words = ["--dataset", "thuman2", "--preset", "draft", "--samples", "500", "--device", "cpu", "--root"]
    options = command.parse([*words, str(tmp_path / "data"), "--out", str(tmp_path / "out" / "results.json")])
    assert command.run(options) == 0
    content = json.loads((tmp_path / "out" / "results.json").read_text())
    assert content["measured"] == 1
    assert 1 < content["means"]["chamfer"] < 20
    assert content["means"]["silhouette_iou"] > 0.5
    assert content["means"]["body_chamfer"] > 1
    printed = capsys.readouterr().out
    assert "alignment of surfaces: centroid" in printed
    assert "this program" in printed


def test_the_command_explains_a_wrong_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(command.parse(["--dataset", "3dpw", "--root", str(tmp_path)])) == 1
    assert "docs/evaluation.md" in capsys.readouterr().err
