"""How a backend comes and goes: idle, unloaded, orphaned, told to stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.client import connect
from backend.protocol import BackendError, Message
from backend.protocol.processes import process_alive
from tests.backend.harness import PNG, ask, code_of, fake_backend, fake_client, launch_fake, raw_dealer, until

pytestmark = pytest.mark.timeout(60)
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_the_run_file_is_private_and_leaves_with_the_backend(tmp_path: Path) -> None:
    with fake_backend(tmp_path) as (launch, run):
        assert run.pid == launch.process.pid
        if os.name == "posix":
            assert stat.S_IMODE(launch.run_path.stat().st_mode) == 0o600
            assert stat.S_IMODE(launch.run_path.parent.stat().st_mode) == 0o700
        with connect(launch.run_path) as client:
            client.shutdown()
        assert launch.process.wait(5) == 0
        assert not launch.run_path.exists()


def test_unload_frees_the_worker_and_the_next_job_brings_it_back(tmp_path: Path) -> None:
    with fake_client(tmp_path, "normal") as (_, client):
        client.wait(client.submit(PNG, "a.png"), timeout=15)
        worker = client.status()["worker_pid"]
        client.unload()
        until(lambda: client.status()["worker"] == "absent")
        assert not process_alive(worker)
        assert client.wait(client.submit(PNG, "a.png"), timeout=15).persons


def test_unload_waits_for_no_job(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (_, client):
        client.submit(PNG, "a.png")
        with pytest.raises(BackendError) as caught:
            client.unload()
        assert caught.value.code == "BUSY"


def test_an_idle_worker_ends(tmp_path: Path) -> None:
    with fake_client(tmp_path, "normal", "--unload", "0.3") as (_, client):
        client.wait(client.submit(PNG, "a.png"), timeout=15)
        until(lambda: client.status()["worker"] == "absent")
        assert client.wait(client.submit(PNG, "a.png"), timeout=15).persons


def test_a_backend_without_clients_ends(tmp_path: Path) -> None:
    launch = launch_fake(tmp_path, "normal", "--idle-minutes", "0.01")
    try:
        launch.wait()
        assert launch.process.wait(10) == 0
        assert not launch.run_path.exists()
    finally:
        launch.stop()


def test_the_backend_and_its_worker_end_with_their_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    launch = launch_fake(tmp_path, "slow", parent_pid=parent.pid)
    try:
        run = launch.wait()
        with raw_dealer(run) as socket:
            ask(socket, Message("hello", "hello", {"pid": parent.pid}, token=run.token))
            image = {"image": np.frombuffer(PNG, np.uint8)}
            ask(socket, Message("submit", "j", {"name": "a.png"}, image, token=run.token))
            until(lambda: ask(socket, Message("status", token=run.token)).body.get("worker") == "busy")
            worker = ask(socket, Message("status", token=run.token)).body.get("worker_pid", 0)
            parent.kill()
            parent.wait()
            launch.process.wait(10)
        until(lambda: not worker or not process_alive(worker), 5.0)
        assert not launch.run_path.exists()
    finally:
        parent.kill()
        launch.stop()


@posix_only
def test_the_worker_does_not_outlive_a_killed_broker(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (launch, client):
        job = client.submit(PNG, "a.png")
        until(lambda: client.pump() and job.state == "running")
        worker = client.status()["worker_pid"]
        launch.process.kill()
        assert code_of(client, job) == "BACKEND_GONE"
        until(lambda: not process_alive(worker), 5.0)


@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_cleanly(tmp_path: Path, number: int) -> None:
    with fake_backend(tmp_path) as (launch, _):
        launch.process.send_signal(number)
        assert launch.process.wait(5) == 0
        assert not launch.run_path.exists()
