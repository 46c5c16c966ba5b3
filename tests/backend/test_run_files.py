"""Run files and the private folder that holds them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from backend.protocol import BackendError, RunFile, find_run_files, read_run_file
from backend.protocol.places import RUNTIME_VARIABLE, log_dir, make_private_dir, runtime_dir
from backend.protocol.processes import process_alive
from backend.protocol.runfile import new_token, write_run_file

RUN = RunFile("127.0.0.1", 4321, os.getpid(), 1, "ab" * 32, 1.5)
posix_only = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_round_trip(tmp_path: Path) -> None:
    write_run_file(RUN, tmp_path / "a.json")
    assert read_run_file(tmp_path / "a.json") == RUN
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@posix_only
def test_only_the_user_can_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = make_private_dir(tmp_path / "run")
        write_run_file(RUN, folder / "a.json")
    finally:
        os.umask(old)
    assert (mode(folder), mode(folder / "a.json")) == (0o700, 0o600)


@posix_only
def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    assert mode(make_private_dir(tmp_path / "run")) == 0o700


@posix_only
def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(BackendError, match="not a directory") as caught:
        make_private_dir(tmp_path / "run")
    assert RUNTIME_VARIABLE in caught.value.hint


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(BackendError) as caught:
        make_private_dir(tmp_path / "run")
    assert caught.value.code == "RUNTIME_DIR"


@posix_only
def test_a_run_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    write_run_file(RUN, tmp_path / "a.json")
    (tmp_path / "a.json").chmod(0o644)
    with pytest.raises(BackendError, match="private"):
        read_run_file(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"port": 3}', json.dumps(asdict(RUN) | {"port": "x"})])
def test_malformed_files_are_refused(tmp_path: Path, text: str) -> None:
    write_run_file(RUN, tmp_path / "a.json")
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BackendError) as caught:
        read_run_file(tmp_path / "a.json")
    assert caught.value.code == "RUN_FILE"


def test_unknown_fields_are_ignored(tmp_path: Path) -> None:
    write_run_file(RUN, tmp_path / "a.json")
    (tmp_path / "a.json").write_text(json.dumps(asdict(RUN) | {"colour": "blue"}))
    assert read_run_file(tmp_path / "a.json") == RUN


def test_dead_backends_are_forgotten_and_others_sorted(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    runs = {"old": RUN, "new": replace(RUN, started=9.0), "dead": replace(RUN, pid=child.pid)}
    runs["foreign"] = replace(RUN, protocol=99)
    for name, run in runs.items():
        write_run_file(run, tmp_path / f"{name}.json")
    (tmp_path / "noise.json").write_text("{")
    assert [path.stem for path, _ in find_run_files(tmp_path)] == ["new", "old"]
    assert not (tmp_path / "dead.json").exists()


def test_processes_are_known_alive_or_dead() -> None:
    assert process_alive(os.getpid())
    assert not process_alive(0)
    assert not process_alive(-5)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_alive(child.pid)
    child.communicate(b"\n")
    assert not process_alive(child.pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_zombie_counts_as_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process_alive(child.pid)


def test_the_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path))
    assert runtime_dir() == tmp_path
    assert log_dir() == tmp_path / "log"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="places of Linux")
def test_the_usual_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(RUNTIME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert runtime_dir() == tmp_path / "munet"
    assert log_dir() == tmp_path / "state" / "munet" / "log"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "absent"))
    assert runtime_dir() == tmp_path / "state" / "munet" / "run"


def test_tokens_are_long_and_new() -> None:
    assert len(new_token()) == 64
    assert new_token() != new_token()
