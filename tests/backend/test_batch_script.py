"""scripts/batch.py against the fake backend: trees of photos, going on, the report, exit statuses."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.backend.bench import Bench
from tests.backend.harness import PNG, ROOT, until

pytestmark = [pytest.mark.timeout(90), pytest.mark.skipif(os.name != "posix", reason="drives signals of POSIX")]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, "batch")


def report_of(bench: Bench) -> dict[str, Any]:
    return json.loads((bench.out / "batch.json").read_text())


def states(bench: Bench) -> dict[str, str]:
    return {entry["photo"]: entry["state"] for entry in report_of(bench)["photos"]}


def hidden(bench: Bench) -> list[Path]:
    return [path for path in bench.out.rglob("*") if path.name.startswith(".")]


def test_a_tree_is_mirrored_and_only_what_changed_is_done_again(bench: Bench) -> None:
    for name in ("a/normal.png", "b/normal.png", "b/normal.jpg", "b/deep/two.png", ".hidden/normal.png"):
        bench.photo(name)
    photos = str(bench.folder / "photos")
    status, out, err = bench.run(photos)
    assert status == 0, err
    assert "4 done, 0 skipped, 0 failed, 0 pending" in out
    assert "left)" in out
    report = report_of(bench)
    assert (report["state"], report["root"], report["version"]) == ("finished", photos, "fake")
    folders = {entry["photo"]: entry["folder"] for entry in report["photos"]}
    assert folders == {
        "a/normal.png": "a/normal",
        "b/deep/two.png": "b/deep/two",
        "b/normal.jpg": "b/normal.jpg",
        "b/normal.png": "b/normal.png",
    }
    assert all((bench.out / folder / "scene.glb").is_file() for folder in folders.values())
    entry = report["photos"][1]
    assert entry["persons"] >= 1
    assert entry["seconds"] > 0.0
    assert entry["warnings"] == ["This is a synthetic character."]

    bench.photo("b/deep/two.png", PNG + b"another picture")
    (bench.out / "b/normal.png" / "scene.glb").unlink()
    inside = bench.out / "a/normal" / "preview.png"
    before = inside.stat().st_mtime_ns
    assert bench.run(photos)[0] == 0
    assert states(bench) == {
        "a/normal.png": "skipped",
        "b/deep/two.png": "done",
        "b/normal.jpg": "skipped",
        "b/normal.png": "done",
    }
    assert report_of(bench)["photos"][0]["warnings"] == ["This is a synthetic character."]
    assert inside.stat().st_mtime_ns == before
    assert bench.run(photos, "--preset", "draft", "--formats", "none")[0] == 0
    assert set(states(bench).values()) == {"done"}
    assert hidden(bench) == []


def test_failures_are_reported_and_tried_again(bench: Bench) -> None:
    for name in ("crash.png", "nobody.png", "normal.png", "export-crash.png", "kept.png"):
        bench.photo(f"x/{name}")
    (bench.out / "x" / "kept").mkdir(parents=True)
    (bench.out / "x" / "kept" / "mine.txt").write_text("precious")
    pattern = str(bench.folder / "photos" / "**" / "*.png")
    status, out, err = bench.run(pattern)
    assert status == 1
    assert "1 done, 0 skipped, 4 failed, 0 pending" in out, err
    failed = {entry["photo"]: entry["error"] for entry in report_of(bench)["photos"] if entry["state"] == "failed"}
    assert {photo: error["code"] for photo, error in failed.items()} == {
        "x/crash.png": "WORKER_DIED",
        "x/export-crash.png": "EXPORT",
        "x/kept.png": "IN_THE_WAY",
        "x/nobody.png": "NO_PERSON",
    }
    assert failed["x/nobody.png"]["fix"] == "Use a photo with a visible person."
    assert (bench.out / "x" / "kept" / "mine.txt").read_text() == "precious"
    assert hidden(bench) == []
    assert bench.run(pattern, mode="normal")[0] == 1
    assert states(bench) == {
        "x/crash.png": "done",
        "x/export-crash.png": "failed",
        "x/kept.png": "failed",
        "x/nobody.png": "done",
        "x/normal.png": "skipped",
    }


def test_a_cancelled_run_leaves_only_what_is_complete_and_goes_on(bench: Bench) -> None:
    for name in ("a/normal.png", "b/export-slow.png", "c/slow.png", "d/normal.png"):
        bench.photo(name)
    photos = str(bench.folder / "photos")
    process = bench.start(photos)
    try:
        until(lambda: (bench.out / "a" / "normal").is_dir() and list((bench.out / "b").glob(".*.part")), 40.0)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert hidden(bench) == []
    assert report_of(bench)["state"] == "cancelled"
    assert states(bench)["a/normal.png"] == "done"
    assert sorted(path.name for path in bench.out.iterdir()) == ["a", "batch.json"]
    until(bench.nothing_runs, 5.0)
    assert bench.run(photos, "--formats", "none", mode="normal")[0] == 0
    assert set(states(bench).values()) == {"done", "skipped"}


def test_without_a_backend_nothing_is_tried_photo_by_photo(bench: Bench) -> None:
    for name in ("a.png", "b.png"):
        bench.photo(name)
    status, _, err = bench.run(str(bench.folder / "photos"), mode="no-start")
    assert status == 3
    assert err.count("The backend's Python environment is incomplete.") == 1
    assert states(bench) == {"a.png": "pending", "b.png": "pending"}
    assert report_of(bench)["error"]["code"] == "BACKEND_START"
    status, _, err = bench.run(str(bench.folder / "photos"), "--connect", str(bench.folder / "absent.json"))
    assert status == 3
    assert "The run file" in err


def test_nothing_to_do_is_wrong_usage(bench: Bench) -> None:
    (bench.folder / "empty").mkdir()
    for names, text in ((["empty"], "No photo was found"), (["absent"], "does not exist"), ([], "usage:")):
        status, _, err = bench.run(*(str(bench.folder / name) for name in names))
        assert status == 2
        assert text in err


def test_places_never_collide_nor_lie_inside_each_other(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    from _photo_tree import find_photos, result_places

    names = ("a/x.jpg", "a/X.png", "a/x/y.jpg", "b/x.jpg", "b/x.jpg.png", "b/.. .png", "c/y.JPG")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    result = tmp_path / "b" / "made"
    result.mkdir()
    for name in ("report.json", "person_0.npz", "preview.png"):
        (result / name).write_bytes(PNG)
    tree = find_photos([str(tmp_path / "b"), str(tmp_path / "a"), str(tmp_path / "c" / "y.JPG"), str(tmp_path / "a")])
    places = {photo.relative_to(tmp_path).as_posix(): place.as_posix() for photo, place in result_places(tree).items()}
    assert places == {
        "a/X.png": "a/X.png",
        "a/x.jpg": "a/x.jpg",
        "a/x/y.jpg": "a/x/y",
        "b/x.jpg": "b/x",
        "b/x.jpg.png": "b/x.jpg",
        "c/y.JPG": "c/y",
    }


def test_links_that_lead_in_circles_are_not_followed(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    from _photo_tree import NothingFoundError, find_photos

    folder = tmp_path / "a b \u00e4 \U0001f600"
    (folder / ".hidden").mkdir(parents=True)
    for place in (folder / "x.jpg", folder / ".hidden" / "y.jpg"):
        place.write_bytes(PNG)
    for link in ("one", "two", "three.jpg"):
        (folder / link).symlink_to(folder / link if link.endswith("jpg") else folder)
    for name in (str(folder), f"{folder}/**/*.jpg", f"{tmp_path}/*/*.jpg"):
        assert find_photos([name]).photos == (folder / "x.jpg",)
    with pytest.raises(NothingFoundError, match="can not be searched"):
        find_photos([f"{tmp_path}/**.jpg"])
