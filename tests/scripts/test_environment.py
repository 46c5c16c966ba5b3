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


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of environments where "empty" has no packages and "above" sees those of "empty"."""
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "none.txt").write_text("# nothing\n", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setenv("MUNET_ENVS", str(tmp_path / "envs with space"))
    kinds = {
        "empty": environment.Environment(HERE, "none.txt", "import json"),
        "above": environment.Environment(HERE, "none.txt", "import only_in_empty", base="empty"),
        "broken": environment.Environment(HERE, "none.txt", "raise SystemExit('probe failed')"),
        "never": environment.Environment((2, 99), "none.txt", ""),
    }
    monkeypatch.setattr(environment, "ENVIRONMENTS", kinds)
    return tmp_path / "envs with space"


def test_makes_an_environment_once(empty: Path) -> None:
    python = environment.ensure("empty")
    assert python.parent.parent == empty / "empty"
    answer = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert Path(answer.stdout.strip()) == empty / "empty"
    began = time.perf_counter()
    assert environment.ensure("empty") == python
    assert time.perf_counter() - began < 0.1


def test_an_interrupted_environment_is_made_again(empty: Path) -> None:
    environment.ensure("empty")
    (empty / "empty" / environment.MARKER).unlink()
    leftover = empty / "empty" / "leftover"
    leftover.touch()
    environment.ensure("empty")
    assert not leftover.exists()


def test_a_changed_requirement_file_is_noticed(empty: Path) -> None:
    environment.ensure("empty")
    before = (empty / "empty" / environment.MARKER).read_text(encoding="utf-8")
    (environment.ROOT / "requirements" / "none.txt").write_text("# still nothing\n", encoding="utf-8")
    environment.ensure("empty")
    assert (empty / "empty" / environment.MARKER).read_text(encoding="utf-8") != before


def test_an_environment_sees_the_packages_of_its_base(empty: Path) -> None:
    environment.ensure("empty")
    packages = next((empty / "empty").rglob("site-packages"))
    (packages / "only_in_empty.py").touch()
    environment.ensure("above")


def test_a_failed_probe_leaves_the_environment_unfinished(empty: Path) -> None:
    with pytest.raises(environment.SetupError, match="probe failed"):
        environment.ensure("broken")
    assert not (empty / "broken" / environment.MARKER).exists()


def test_a_missing_python_is_named(empty: Path) -> None:
    assert environment.unavailable_reason("never") == "no Python 2.99 was found"
    with pytest.raises(environment.SetupError, match=r"Python 2\.99 is needed"):
        environment.ensure("never")
    assert not (empty / "never").exists()


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


def test_every_blender_library_belongs_to_a_package() -> None:
    assert set(_system_libraries.missing_packages()) <= set(_system_libraries.PACKAGES.values())


def test_variables_of_other_environments_do_not_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("VIRTUAL_ENV", "elsewhere")
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & environment.clean_variables().keys()


def test_the_locked_files_exist() -> None:
    for name, kind in environment.ENVIRONMENTS.items():
        assert (ROOT / "requirements" / kind.requirements).is_file(), name
