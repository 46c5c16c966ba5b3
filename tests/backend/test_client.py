"""The client against backends that lie, die, stay silent or never start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend.client import Client, LaunchOptions, connect, start_backend
from backend.protocol import BackendError, read_run_file
from tests.backend.harness import PNG, ROOT, code_of, fake_backend, fake_client, launch_fake, until

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize(
    ("mode", "code"), [("garbage", "BAD_MESSAGE"), ("version", "PROTOCOL_VERSION"), ("bad-token", "AUTH")]
)
def test_liars_are_recognised(tmp_path: Path, mode: str, code: str) -> None:
    with fake_backend(tmp_path, mode) as (launch, _):
        with pytest.raises(BackendError) as caught:
            connect(launch.run_path, timeout=10)
        assert caught.value.code == code


def test_a_mute_backend_is_given_up_in_time(tmp_path: Path) -> None:
    with fake_backend(tmp_path, "mute") as (launch, _):
        began = time.monotonic()
        with pytest.raises(BackendError) as caught:
            connect(launch.run_path, timeout=1.0)
        assert caught.value.code == "TIMEOUT"
        assert time.monotonic() - began < 3.0


def test_the_end_of_the_backend_fails_every_job(tmp_path: Path) -> None:
    with fake_client(tmp_path, "die") as (_, client):
        jobs = [client.submit(PNG, "a.png"), client.submit(PNG, "b.png")]
        assert [code_of(client, job) for job in jobs] == ["BACKEND_GONE"] * 2
        assert client.state == "gone"
        with pytest.raises(BackendError) as caught:
            client.submit(PNG, "c.png")
        assert caught.value.code == "BACKEND_GONE"
        with pytest.raises(BackendError):
            client.status()


def test_a_refused_token_of_an_old_run_file(tmp_path: Path) -> None:
    with fake_backend(tmp_path) as (launch, run):
        text = launch.run_path.read_text()
        launch.run_path.write_text(text.replace(run.token, "0" * 64))
        with pytest.raises(BackendError) as caught:
            connect(launch.run_path)
        assert caught.value.code == "AUTH"


def test_nobody_listens(tmp_path: Path) -> None:
    with fake_backend(tmp_path) as (launch, run):
        launch.stop()
    client = Client(run)
    with pytest.raises(BackendError) as caught:
        client.wait_connected(5.0)
    assert caught.value.code == "BACKEND_GONE"
    client.close()


def test_a_late_backend_is_waited_for(tmp_path: Path) -> None:
    launch = launch_fake(tmp_path, "late")
    try:
        assert launch.poll() is None
        with Client(launch.wait(), alive=launch.alive) as client:
            client.wait_connected()
    finally:
        launch.stop()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (_, client):
        job = client.submit(PNG, "a.png")
        assert code_of(client, job, 0.2) == "TIMEOUT"
        assert not job.finished


def test_a_started_backend_that_ends_is_explained(tmp_path: Path) -> None:
    launch = launch_fake(tmp_path, "no-start")
    with pytest.raises(BackendError, match="incomplete") as caught:
        launch.wait()
    assert caught.value.code == "BACKEND_START"
    assert "zmq" in caught.value.detail


def test_an_absent_interpreter_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        start_backend(LaunchOptions(tmp_path / "python", runtime_dir=tmp_path / "r", log_file=tmp_path / "l" / "b.log"))
    assert caught.value.code == "BACKEND_START"
    assert "interpreter" in caught.value.hint


def test_foreign_variables_do_not_reach_the_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    with fake_client(tmp_path) as (_, client):
        assert client.wait(client.submit(PNG, "a.png"), timeout=15).persons


def test_closing_is_quick_in_every_state(tmp_path: Path) -> None:
    with fake_backend(tmp_path, "slow") as (launch, run):
        busy, idle = connect(launch.run_path), connect(launch.run_path)
        job = busy.submit(b"\x89PNG" + bytes(30_000_000), "large.png")
        for client in (busy, idle, Client(run)):
            began = time.monotonic()
            client.close()
            client.close()
            assert time.monotonic() - began < 2.5
        assert job.state == "failed"
        with pytest.raises(BackendError):
            busy.submit(PNG, "a.png")
    began = time.monotonic()
    Client(run).close()
    assert time.monotonic() - began < 2.5


ENDINGS = {
    "forgotten": "",
    "collected": "del client",
    "raised": "raise RuntimeError('on purpose')",
    "exit": "sys.exit(0)",
    "stopped backend": "os.kill(run.pid, signal.SIGSTOP); client.submit(bytes(5_000_000), 'b.png')",
    "killed backend": "os.kill(run.pid, signal.SIGKILL); client.submit(bytes(5_000_000), 'b.png')",
}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_program_that_forgets_to_close_still_ends(tmp_path: Path, ending: str) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom backend.client import connect\n"
        "from backend.protocol import read_run_file\n"
        "path = Path(sys.argv[1])\nrun = read_run_file(path)\nclient = connect(path)\n"
        f"job = client.submit(b'x' * 5_000_000, 'a.png')\n{ending}\n"
    )
    with fake_backend(tmp_path, "slow") as (launch, _):
        command = [sys.executable, "-c", program, str(launch.run_path)]
        done = subprocess.run(command, cwd=ROOT, timeout=10, capture_output=True, text=True, check=False)
        assert ("on purpose" in done.stderr) == (done.returncode != 0), done.stderr
        if launch.alive():
            launch.process.kill()


def test_status_can_be_asked_without_waiting(tmp_path: Path) -> None:
    with fake_client(tmp_path) as (_, client):
        client.request_status()
        until(lambda: client.pump() or client.backend_status)
        assert client.backend_status["waiting"] == 0


def test_the_run_file_of_another_protocol_is_not_joined(tmp_path: Path) -> None:
    with fake_backend(tmp_path) as (launch, run):
        assert read_run_file(launch.run_path).protocol == run.protocol == 1
