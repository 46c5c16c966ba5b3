"""The backend manager without Blender and without a backend: states, tasks, and where a backend is."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Extension = Callable[[str], ModuleType]


def finish(task: Any) -> Any:
    task.start().join(60)
    assert task.finished, task.text
    return task


def test_every_state_can_be_left_and_busy_ones_only_the_right_way(extension: Extension) -> None:
    states = extension("backend_manager.states")
    state = states.State
    assert {one.value for one in state} == {
        *("not installed", "installing", "stopped", "starting", "ready", "busy", "stopping", "failed", "update needed")
    }
    assert set(states.NEXT) == set(state)
    reached = {after for ways in states.NEXT.values() for after in ways}
    assert reached == set(state)
    for running in states.RUNNING | {state.STARTING, state.STOPPING}:
        assert not states.may_go(running, state.INSTALLING)
    assert not states.may_go(state.INSTALLING, state.STARTING)
    assert not states.may_go(state.STOPPED, state.READY)
    assert states.may_go(state.NOT_INSTALLED, state.INSTALLING)


def test_the_manager_installs_shows_a_failure_and_looks_again(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNET_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("MUNET_FOLDER", "MUNET_PYTHON", "MUNET_RUN_FILE"):
        monkeypatch.delenv(name, raising=False)
    module, state = extension("backend_manager.manager"), extension("backend_manager.states").State
    task, error = extension("backend_manager.task").Task, extension("errors").AddonError
    place = extension("backend_manager.discovery").BackendPlace(install_folder=str(tmp_path / "none"))
    manager = module.Manager()
    manager.look(place)
    assert manager.state is state.NOT_INSTALLED

    def fail(_task: Any) -> None:
        raise error("NETWORK", "The package index can not be reached.")

    manager.work_on_installation(task("install", fail), place)
    assert manager.state is state.INSTALLING
    with pytest.raises(error, match="running"):
        manager.work_on_installation(task("install", fail), place)
    manager.wait_installed()
    assert (manager.state, manager.failure.code) == (state.FAILED, "NETWORK")
    manager.look(place)
    assert manager.state is state.FAILED
    manager.work_on_installation(task("install", lambda running: time.sleep(0.2) or running.check()), place)
    manager.stop()
    manager.wait_installed()
    assert (manager.state, manager.failure) == (state.NOT_INSTALLED, None)
    manager.start(place)
    assert (manager.state, manager.failure.code) == (state.FAILED, "NO_BACKEND")
    manager.look(place)
    assert manager.state is state.NOT_INSTALLED
    existing = extension("backend_manager.discovery").BackendPlace(python=sys.executable)
    manager.look(existing)
    assert (manager.state, manager.failure) == (state.STOPPED, None)


def test_a_task_ends_its_program_when_it_is_cancelled(extension: Extension, tmp_path: Path) -> None:
    module = extension("backend_manager.task")
    started = tmp_path / "started"
    code = f"import pathlib, time; print('hello'); pathlib.Path({str(started)!r}).touch(); time.sleep(60)"
    task = module.Task("wait", lambda running: running.call([sys.executable, "-c", code]), tmp_path / "a" / "log")
    task.start()
    while not started.exists():
        time.sleep(0.01)
    began = time.monotonic()
    task.cancel()
    task.join(10)
    assert task.finished
    assert time.monotonic() - began < 5
    assert task.failure is None
    assert "hello" in (tmp_path / "a" / "log").read_text()
    broken = finish(module.Task("gone", lambda running: running.call(["/nowhere/program"])))
    assert broken.failure.code == "SYSTEM"
    assert finish(module.Task("bug", lambda _running: 1 / 0)).failure.code == "UNEXPECTED"


def test_a_registered_backend_is_found(extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNET_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(extension("backend.protocol.places"), "state_dir", lambda: tmp_path)
    discovery, state = extension("backend_manager.discovery"), extension("backend_manager.states").State
    assert discovery.standing(discovery.BackendPlace())[0] is state.NOT_INSTALLED
    facts = {"version": "0.1.0", "protocol": 1, "python": sys.executable}
    (tmp_path / "backend.json").write_text(json.dumps(facts))
    assert discovery.standing(discovery.BackendPlace())[0] is state.STOPPED
    assert discovery.launch_options(discovery.BackendPlace()).python == Path(sys.executable)
    (tmp_path / "backend.json").write_text(json.dumps(facts | {"protocol": 99}))
    assert discovery.standing(discovery.BackendPlace())[0] is state.UPDATE_NEEDED
    for rubbish in ("", "[]", "{}", json.dumps(facts | {"python": "relative"})):
        (tmp_path / "backend.json").write_text(rubbish)
        assert discovery.standing(discovery.BackendPlace())[0] is state.NOT_INSTALLED


def test_limits_and_folders_reach_the_backend(extension: Extension) -> None:
    discovery = extension("backend_manager.discovery")
    place = discovery.BackendPlace(
        python=sys.executable, memory_gigabytes=3.5, unload_minutes=2.0, log_level="debug", models_folder="m"
    )
    options = discovery.launch_options(place)
    words = " ".join(options.arguments)
    assert words == "--unload-minutes 2.0 --log-level debug --memory-gigabytes 3.5"
    assert options.variables == {"MUNET_MODELS": "m"}


def test_another_computer_is_named_exactly(extension: Extension, tmp_path: Path) -> None:
    remote, place = extension("backend_manager.remote"), extension("backend_manager.discovery").BackendPlace
    key = "k" * 40
    run = remote.remote_run(place(endpoint="tcp://gpu.local:5571", server_key=f" {key} "))
    assert (run.endpoint, run.curve_key, run.token, run.pid) == ("tcp://gpu.local:5571", key, "", 0)
    assert remote.remote_run(place(endpoint="[fe80::1]:80", server_key=key)).endpoint == "tcp://[fe80::1]:80"
    error = extension("errors").AddonError
    for endpoint, server_key in (("host", key), ("host:0", key), ("host:99999", key), ("a b:1", key), ("h:1", "short")):
        with pytest.raises(error) as caught:
            remote.remote_run(place(endpoint=endpoint, server_key=server_key))
        assert caught.value.code == "REMOTE"
    for key_file in ("", str(tmp_path / "gone.key_secret")):
        with pytest.raises(error):
            remote.remote_keys(place(key_file=key_file))


def test_a_backend_on_another_computer_is_joined_and_left_alone(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNET_RUNTIME_DIR", str(tmp_path))
    keys, harness = pytest.importorskip("backend.keys"), pytest.importorskip("tests.backend.harness")
    keys.make_server(tmp_path / "keys")
    keys.make_client(tmp_path / "keys", "anna")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{probe.getsockname()[1]}"
    words = ("--listen", f"tcp://{endpoint}", "--curve-keys", str(tmp_path / "keys"))
    module, protocol = extension("backend_manager.manager"), extension("backend.protocol")
    place = extension("backend_manager.discovery").BackendPlace(
        endpoint=endpoint,
        server_key=protocol.read_public_key(tmp_path / "keys" / "server.key"),
        key_file=str(tmp_path / "keys" / "anna.key_secret"),
    )
    with harness.fake_backend(tmp_path / "far", "normal", *words) as (launch, _):
        manager = module.Manager()
        manager.start(place)
        manager.wait_running()
        assert manager.running, manager.failure
        job = manager.submit(b"\x89PNG", "a.png", {})
        end = time.monotonic() + 20
        while not job.finished and time.monotonic() < end:
            manager.pump()
            time.sleep(0.02)
        assert job.result.persons[0].arrays["joints"].shape[1] == 3
        manager.close()
        assert launch.alive()
        monkeypatch.setattr(module, "REMOTE_SECONDS", 1.0)
        keys.make_client(tmp_path / "keys", "ben")
        (tmp_path / "keys" / "clients" / "ben.key").unlink()
        manager.start(dataclasses.replace(place, key_file=str(tmp_path / "keys" / "ben.key_secret")))
        manager.wait_running()
        assert (manager.state.value, manager.failure.code) == ("failed", "REMOTE")
        assert "key" in manager.failure.hint
        manager.close()


@pytest.mark.skipif(os.name != "posix", reason="stops a process as POSIX does")
def test_disabling_does_not_wait_for_the_backend_and_nobody_joins_one_that_ends(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNET_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    module, manager_module = extension("session"), extension("backend_manager.manager")
    root = str(Path(__file__).resolve().parents[2])
    place = extension("backend_manager.discovery").BackendPlace(
        folder=root, python=sys.executable, module="tests.backend.fake_backend", share=True
    )
    module.open_session()
    first = module.current().manager
    first.start(place)
    first.wait_running()
    assert first.running, first.failure
    process = first._launch.process
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    module.close_session(module.PATIENCE)
    assert time.monotonic() - began < module.PATIENCE + 0.2
    assert process.poll() is None
    module.open_session()
    second = module.current().manager
    second.start(place)
    second.pump()
    assert second.state.value == "starting"
    with pytest.raises(extension("errors").AddonError, match="running"):
        second.work_on_installation(extension("backend_manager.task").Task("install", print), place)
    process.send_signal(signal.SIGCONT)
    second.wait_running()
    assert second.running, second.failure
    assert process.poll() is not None
    assert second._launch.process.pid != process.pid
    assert not [thread for thread in threading.enumerate() if thread.name == manager_module.LAST]
    module.close_session()
    assert second.state.value == "stopped"


def test_a_python_without_backend_is_recognised(extension: Extension) -> None:
    tools, place = extension("backend_manager.tools"), extension("backend_manager.discovery").BackendPlace
    root = str(Path(__file__).resolve().parents[2])
    good = finish(tools.check_backend(place(python=sys.executable, folder=root)))
    assert "protocol 1" in good.result
    none = finish(tools.check_backend(place(python=sys.executable, module="no_such_module")))
    assert none.failure.code == "NO_BACKEND"
    assert "no_such_module" in none.failure.detail
    far = finish(tools.check_backend(place(endpoint="a:1")))
    assert far.failure.code == "REMOTE"
    refused = finish(tools.describe_body(place(python=sys.executable, folder=root), os.devnull))
    assert refused.failure.code == "BODY_FILE"
