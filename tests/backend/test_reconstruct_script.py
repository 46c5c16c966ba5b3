"""scripts/reconstruct.py against the fake backend: what the user reads, what is left on the disk, the exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from munet.reconstruction import load_reconstruction
from tests.backend.bench import DRIVER, Bench
from tests.backend.harness import fake_backend, until

pytestmark = [pytest.mark.timeout(90), pytest.mark.skipif(os.name != "posix", reason="drives signals of POSIX")]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_photo_gives_a_complete_folder(bench: Bench) -> None:
    status, out, err = bench.run(bench.photo("two people.png"), "--preset", "draft", mode="two")
    assert status == 0, err
    assert "2 people -> " in out
    assert "note: This is a synthetic character." in err
    folder = bench.out / "two people"
    names = ["person_0.npz", "person_1.npz", "preview.png", "report.json", "scene.blend", "scene.glb"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "scene.glb").read_text() == "person_0.npz person_1.npz"
    person = load_reconstruction(folder / "person_0.npz")
    np.testing.assert_allclose(person.surface_weights.sum(axis=1), 1.0, atol=1e-6)
    report = json.loads((folder / "report.json").read_text())
    assert (report["version"], report["device"], report["settings"]["preset"]) == ("fake", "cpu", "draft")
    assert [entry["file"] for entry in report["persons"]] == names[:2]
    assert {"read", "texture", "export", "total"} <= report["seconds"].keys()
    assert bench.nothing_runs()


def test_a_clip_gives_a_person_with_its_motion(bench: Bench) -> None:
    clip = bench.folder / "walk"
    clip.mkdir()
    for name in ("2.png", "10.png", "1.png"):
        (clip / name).write_bytes(Path(bench.photo("some.png")).read_bytes())
    status, out, err = bench.run("--sequence", str(clip), "--smoothing", "0.3")
    assert status == 0, err
    assert "walk: 1 person -> " in out
    with np.load(bench.out / "walk" / "person_0.npz", allow_pickle=False) as person:
        assert person["pose_sequence"].shape == (3, 24, 3)
        assert person["translation_sequence"].shape == (3, 3)
        assert float(person["fps"]) == 25.0
    load_reconstruction(bench.out / "walk" / "person_0.npz")
    status, _, err = bench.run("--sequence", str(bench.folder / "absent.mp4"))
    assert status == 1
    assert "absent.mp4 does not exist" in err


def test_one_clear_line_for_every_failure_and_the_others_go_on(bench: Bench) -> None:
    names = ("normal.png", "crash.png", "nobody.png", "export-crash.png", "export-nothing.png", "export-full.png")
    photos = [bench.photo(name) for name in names]
    photos += [bench.photo("text.jpg", b"hello"), bench.photo("empty.png", b""), str(bench.folder / "absent.png")]
    huge = Path(bench.photo("huge.png"))
    with huge.open("r+b") as stream:
        stream.truncate(1 << 40)
    photos += [str(huge), str(huge.parent)]
    last = bench.photo("normal-last.png")
    status, out, err = bench.run(*photos, last)
    assert status == 1
    assert bench.results() == ["normal", "normal-last"]
    assert len(out.splitlines()) == 2
    expected = {
        "crash.png": "The worker process ended unexpectedly.",
        "nobody.png": "Nobody was found in the photo.",
        "export-crash.png": "Blender could not write the scene (exit status 11)",
        "export-nothing.png": "Not written: scene.blend, scene.glb.",
        "export-full.png": "There is no room left on the disk.",
        "text.jpg": "can not be read as a picture. It is no picture format that is known here.",
        "empty.png": "The image file is empty.",
        "absent.png": "No such file or directory. Check that",
        "huge.png": "The image file is too large.",
        "photos": "Give folders to scripts/batch.py",
    }
    lines = [line for line in err.splitlines() if ": note:" not in line]
    assert len(lines) == len(expected), err
    for name, text in expected.items():
        assert any(f"{name}: " in line and text in line for line in lines), (name, err)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names that other systems do not allow")
def test_any_name_of_a_file_is_taken(bench: Bench) -> None:
    long = "l\u00e4nger" * 35 + ".png"
    strange = "caf\udce9.png"
    for name in ("-dash.png", "--out.png", long, strange, "a b\nc \U0001f600.png"):
        bench.photo(name)
    photos = sorted(path.name for path in (bench.folder / "photos").iterdir())
    folder = bench.folder / "photos"
    command = [sys.executable, str(DRIVER), "reconstruct", "normal", "0", "--out", str(bench.out), "--", *photos]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C.UTF-8", "MUNET_RUNTIME_DIR": str(bench.folder / "run")},
    )
    assert done.returncode == 0, done.stderr.decode()
    made = {json.loads((path / "report.json").read_text())["photo"] for path in bench.out.iterdir()}
    assert made == set(photos)
    assert all((path / "scene.glb").is_file() for path in bench.out.iterdir())


def test_what_is_no_picture_is_answered_without_a_backend(bench: Bench) -> None:
    photos = [bench.photo("notes.jpg", b"hello"), bench.photo("clip.jpg", b"RIFF....AVI ")]
    status, _, err = bench.run(*photos, mode="no-start")
    assert status == 1
    assert "notes.jpg: notes.jpg can not be read as a picture. It is no picture format that is known here." in err
    assert "clip.jpg: clip.jpg can not be read as a picture. It is a video. Use --sequence" in err
    assert len(err.splitlines()) == 2
    assert not (bench.folder / "run").exists()


def test_a_photo_that_is_moved_while_it_waits_still_gives_its_scene(bench: Bench) -> None:
    photo = Path(bench.photo("normal.png"))
    process = bench.start(str(photo), "--formats", "blend", mode="slow")
    try:
        # The backend is started to send what has been read.
        until(lambda: bool(list((bench.folder / "run").glob("*.json"))), 30.0)
        photo.rename(photo.with_name("elsewhere.png"))
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "normal.png: note: The photo was moved or deleted meanwhile" in err
    assert (bench.out / "normal" / "scene.blend").read_text() == "person_0.npz"


def test_the_end_of_the_backend_costs_one_photo(bench: Bench) -> None:
    photos = [bench.photo(name) for name in ("orphan.png", "normal.png", "two.png")]
    status, _, err = bench.run(*photos, "--formats", "none")
    assert status == 1
    assert bench.results() == ["normal", "two"]
    assert "orphan.png: The backend has stopped." in err


def test_a_full_disk_is_named_and_leaves_nothing(bench: Bench) -> None:
    status, _, err = bench.run(bench.photo("normal.png"), bench.photo("two.png"), limit=30_000)
    assert status == 1
    assert err.count("There is no room to write the result. Free some disk space") == 2
    assert bench.results() == []


def test_an_output_folder_that_can_not_be_made(bench: Bench) -> None:
    bench.out.write_text("in the way")
    status, _, err = bench.run(bench.photo("normal.png"))
    assert status == 1
    assert "normal.png: The result can not be written" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cancelling_leaves_nothing(bench: Bench, number: int) -> None:
    process = bench.start(bench.photo("export-slow.png"), bench.photo("slow.png"), bench.photo("normal.png"))
    try:
        until(lambda: any((bench.out / name).suffix == ".part" for name in bench.results()), 30.0)
        process.send_signal(number)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "Cancelled."
    assert "Traceback" not in err
    assert bench.results() == []
    until(bench.nothing_runs, 5.0)


def test_results_are_never_overwritten_silently(bench: Bench) -> None:
    bench.out.mkdir()
    (bench.out / "normal").mkdir()
    (bench.out / "normal" / "mine.txt").write_text("precious")
    photos = [bench.photo("a/normal.png"), bench.photo("b/normal.png"), bench.photo("c/Normal.png")]
    status, out, err = bench.run(*photos, "--formats", "none")
    assert status == 0, err
    assert len(bench.results()) == 4
    assert (bench.out / "normal" / "mine.txt").read_text() == "precious"
    assert "normal-2" in out
    assert "normal-3" in out


def test_overwriting_replaces_only_what_is_complete(bench: Bench) -> None:
    for name in ("normal", "nobody", "documents"):
        (bench.out / name).mkdir(parents=True)
        (bench.out / name / "mine.txt").write_text("old")
    for name in ("report.json", "person_0.npz"):
        (bench.out / "normal" / name).touch()
    names = ("normal.png", "b/normal.png", "nobody.png", "documents.png")
    status, _, _ = bench.run(*map(bench.photo, names), "--overwrite", "--formats", "none")
    assert status == 1
    assert bench.results() == ["documents", "documents-2", "nobody", "normal", "normal-2"]
    assert not (bench.out / "normal" / "mine.txt").exists()
    for name in ("nobody", "documents"):
        assert (bench.out / name / "mine.txt").read_text() == "old"


def test_leftovers_of_killed_batches_are_cleaned_up(bench: Bench) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f".lost.{dead.pid}.part", f".busy.{os.getpid()}.part", f".kept.{dead.pid}.old", ".mine.old"):
        (bench.out / name).mkdir(parents=True)
    assert bench.run(bench.photo("normal.png"), "--formats", "none")[0] == 0
    assert bench.results() == [f".busy.{os.getpid()}.part", ".mine.old", "kept", "normal"]


def test_a_running_backend_can_be_used(bench: Bench) -> None:
    with fake_backend(bench.folder, "by-name") as (launch, _):
        run = str(launch.run_path)
        status, _, err = bench.run(bench.photo("normal.png"), "--connect", run, "--formats", "none")
        assert status == 0, err
        assert launch.alive()
    status, _, err = bench.run(bench.photo("normal.png"), "--connect", run, "--formats", "none")
    assert status == 1
    assert "The run file" in err


def test_a_file_name_of_dots_stays_in_the_output_folder(bench: Bench) -> None:
    status, _, err = bench.run(bench.photo("..png"), "--overwrite", "--formats", "none")
    assert status == 0, err
    assert bench.results() == ["photo"]


@pytest.mark.parametrize("arguments", [["--formats", "doc"], ["--preset", "best"], [], ["--formats", ""]])
def test_wrong_arguments_end_with_usage(bench: Bench, arguments: list[str]) -> None:
    photos = [bench.photo("normal.png")] if arguments else []
    status, _, err = bench.run(*photos, *arguments)
    assert status == 2
    assert "usage:" in err
