"""The README's command on the example photos, from the files that a user finds at the end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from munet.reconstruction import Reconstruction, load_reconstruction

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ("standing-jacket.jpg", "standing-phone.jpg", "skier.jpg", "astronaut.png")
STAGES = {"read", "people", "body", "surface", "texture", "preview", "export", "total"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the command once for all photos and a file that is none."""
    out = tmp_path_factory.mktemp("out")
    broken = out / "broken.jpg"
    broken.write_text("this is not a picture", encoding="utf-8")
    photos = [str(ROOT / "examples" / name) for name in PHOTOS]
    command = [sys.executable, str(ROOT / "scripts" / "reconstruct.py"), photos[0], str(broken), *photos[1:]]
    answer = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, timeout=850, check=False)
    (out / "output.txt").write_text(answer.stdout + answer.stderr, encoding="utf-8")
    assert answer.returncode == 1, answer.stdout + answer.stderr
    return out


@pytest.fixture(params=PHOTOS)
def folder(request: pytest.FixtureRequest, results: Path) -> Path:
    """Give the folder of each photo."""
    return results / Path(request.param).stem


@pytest.fixture
def person(folder: Path) -> Reconstruction:
    """Give the largest person of each photo."""
    return load_reconstruction(folder / "person_0.npz")


def test_one_line_for_what_failed_and_nothing_left_behind(results: Path) -> None:
    lines = [line for line in (results / "output.txt").read_text(encoding="utf-8").splitlines() if "broken.jpg" in line]
    assert any("can not be read as a picture" in line for line in lines)
    assert not any("Traceback" in line for line in lines)
    kept = {path.name for path in results.iterdir()}
    assert kept == {"output.txt", "broken.jpg", *(Path(name).stem for name in PHOTOS)}


def test_every_file_is_there(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"scene.blend", "scene.glb", "preview.png", "report.json", "person_0.npz"} <= names
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["seconds"].keys() >= STAGES
    assert len(report["persons"]) == len(list(folder.glob("person_*.npz")))


def test_the_glb_is_valid(folder: Path) -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    from _gltf_validator import gltf_validator

    command = [*gltf_validator(), str(folder / "scene.glb")]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout)
    assert report["issues"]["numErrors"] == 0, report["issues"]["messages"]


def test_the_documented_shapes_hold(person: Reconstruction) -> None:
    table = (ROOT / "docs" / "result-format.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| \(([^)]*)\) \| (\w+) \|", table, re.MULTILINE)
    arrays, sizes = person.arrays(), dict[str, int]()
    for key, shape, kind in ((key, shape, kind) for key, shape, kind in rows if key in arrays):
        expected = [part.strip() for part in shape.split(",") if part.strip()]
        assert arrays[key].ndim == len(expected), key
        assert kind == "str" or arrays[key].dtype == kind, key
        for part, found in zip(expected, arrays[key].shape, strict=True):
            assert found == (int(part) if part.isdigit() else sizes.setdefault(part, found)), f"{key}: {part}"


def test_the_documented_snippets_run(folder: Path) -> None:
    text = (ROOT / "docs" / "result-format.md").read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(snippet.replace("out/standing-jacket", folder.as_posix()), scope)  # noqa: S102 our own documentation
    person = scope["person"]
    assert isinstance(person, np.lib.npyio.NpzFile)
    np.testing.assert_allclose(scope["camera"], person["surface_vertices"], atol=1e-3)
    pixels = np.asarray(scope["pixels"])
    left, top, right, bottom = person["box"]
    margin = 0.5 * (bottom - top)
    assert ((pixels > [left - margin, top - margin]) & (pixels < [right + margin, bottom + 4 * margin])).all()


def test_skinning_gives_the_posed_meshes(person: Reconstruction) -> None:
    for weights in (person.body_weights, person.surface_weights):
        assert (weights > 0).sum(1).max() <= 4
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)
    np.testing.assert_allclose(person.bone_rotations[:24], person.pose, atol=1e-6)


def test_the_body_is_in_the_right_pose_and_place(person: Reconstruction) -> None:
    assert person.landmark_error < 0.03
    assert person.silhouette_iou > 0.93


def test_the_surface_has_no_spikes(person: Reconstruction) -> None:
    corners = person.surface_vertices[person.surface_faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    rest = person.surface_rest_vertices[person.surface_faces]
    rest_edges = np.linalg.norm(rest - np.roll(rest, 1, axis=1), axis=2)
    assert edges.max() < 0.12
    assert np.isfinite(rest_edges).all()
    assert rest_edges.max() < 0.2


def test_a_cut_person_gets_a_warning_and_resting_legs(results: Path) -> None:
    astronaut = load_reconstruction(results / "astronaut" / "person_0.npz")
    assert astronaut.warnings
    knees, hips = astronaut.pose[[4, 5]], astronaut.pose[[1, 2]]
    assert np.linalg.norm(knees, axis=1).max() < 0.5
    assert np.linalg.norm(hips, axis=1).max() < 0.6
