"""Environments are made once, repaired when half made, remade when the locked file changes, never twice at once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import _environment as environment  # noqa: E402
import _system_libraries  # noqa: E402

HERE = (sys.version_info[0], sys.version_info[1])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for requirements and environments that all tests share, since each environment takes seconds."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "requirements").mkdir()
    (folder / "requirements" / "none.txt").write_text("# nothing\n", encoding="utf-8")
    (folder / "requirements" / "changing.txt").write_text("# nothing\n", encoding="utf-8")
    return folder


@pytest.fixture
def envs(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of environments of a project with a few kinds, none of which needs the network."""
    monkeypatch.setattr(environment, "ROOT", place)
    monkeypatch.setenv("MUNET_ENVS", str(place / "envs with space"))
    kinds = {
        "empty": environment.Environment(HERE, "none.txt", "import json"),
        "above": environment.Environment(HERE, "none.txt", "import only_in_empty", base="empty"),
        "broken": environment.Environment(HERE, "none.txt", "raise SystemExit('probe failed')"),
        "changing": environment.Environment(HERE, "changing.txt", "import json"),
        "never": environment.Environment((2, 99), "none.txt", ""),
    }
    monkeypatch.setattr(environment, "ENVIRONMENTS", kinds)
    return place / "envs with space"


def test_makes_an_environment_once(envs: Path) -> None:
    python = environment.ensure("empty")
    assert python.parent.parent == envs / "empty"
    answer = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert Path(answer.stdout.strip()) == envs / "empty"
    began = time.perf_counter()
    assert environment.ensure("empty") == python
    assert time.perf_counter() - began < 0.1


def test_an_interrupted_environment_is_made_again_and_a_changed_file_noticed(envs: Path) -> None:
    (envs / "changing").mkdir(parents=True)
    leftover = envs / "changing" / "leftover"
    leftover.touch()
    environment.ensure("changing")
    assert not leftover.exists()
    before = (envs / "changing" / environment.MARKER).read_text(encoding="utf-8")
    (environment.ROOT / "requirements" / "changing.txt").write_text("# still nothing\n", encoding="utf-8")
    environment.ensure("changing")
    assert (envs / "changing" / environment.MARKER).read_text(encoding="utf-8") != before


def test_an_environment_sees_the_packages_of_its_base(envs: Path) -> None:
    environment.ensure("empty")
    packages = next((envs / "empty").rglob("site-packages"))
    (packages / "only_in_empty.py").touch()
    environment.ensure("above")


def test_a_failed_probe_leaves_the_environment_unfinished(envs: Path) -> None:
    with pytest.raises(environment.SetupError, match="probe failed"):
        environment.ensure("broken")
    assert not (envs / "broken" / environment.MARKER).exists()


def test_a_missing_python_is_named(envs: Path) -> None:
    assert environment.unavailable_reason("never") == "no Python 2.99 was found"
    with pytest.raises(environment.SetupError, match=r"Python 2\.99 is needed"):
        environment.ensure("never")
    assert not (envs / "never").exists()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(environment.SetupError, match="backend, test"):
        environment.ensure("backendd")


def test_a_second_process_waits_for_the_lock(tmp_path: Path) -> None:
    hold = (
        "import pathlib, sys, time; sys.path.insert(0, sys.argv[1]); import _environment as e\n"
        "with e.locked(pathlib.Path(sys.argv[2])): print('held', flush=True); time.sleep(1.0)"
    )
    command = [sys.executable, "-c", hold, str(ROOT / "scripts"), str(tmp_path / "x.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        began = time.monotonic()
        with environment.locked(tmp_path / "x.lock"):
            assert time.monotonic() - began > 0.5


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "not enough room"),
        ("NewConnectionError: Failed to establish a new connection", "needs the network"),
        ("ensurepip is not available", "python3-venv"),
        ("libXi.so.6: cannot open shared object file: No such file", "libxi6"),
        ("ERROR: something else", "something else"),
    ],
)
def test_failures_say_what_to_do(output: str, expected: str, tmp_path: Path) -> None:
    assert expected in environment._explain(output, tmp_path / "install.log")


def test_a_folder_that_can_not_hold_environments_is_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "file").touch()
    monkeypatch.setenv("MUNET_ENVS", str(place / "file"))
    with pytest.raises(environment.SetupError, match="name another folder with the variable MUNET_ENVS"):
        environment.ensure("backend")


def test_every_blender_library_belongs_to_a_package() -> None:
    assert set(_system_libraries.missing_packages()) <= set(_system_libraries.PACKAGES.values())


def test_variables_of_other_environments_do_not_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("VIRTUAL_ENV", "elsewhere")
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & environment.clean_variables().keys()


def test_the_locked_files_exist() -> None:
    for name, kind in environment.ENVIRONMENTS.items():
        assert (ROOT / "requirements" / kind.requirements).is_file(), name
