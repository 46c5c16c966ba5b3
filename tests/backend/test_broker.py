"""The real broker with a worker that misbehaves, seen through the real client."""

from __future__ import annotations

import os
import signal
import socket as plain_socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from backend.client import Client, Job, connect
from backend.protocol import BackendError, Message, read_run_file
from backend.protocol.processes import process_alive
from tests.backend.harness import PNG, ROOT, ask, fake_backend, fake_client, launch_fake, raw_dealer, until

pytestmark = pytest.mark.timeout(60)
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def code_of(client: Client, job: Job, seconds: float = 15.0) -> str:
    with pytest.raises(BackendError) as caught:
        client.wait(job, timeout=seconds)
    assert caught.value.title
    return caught.value.code


def test_a_job_from_submit_to_result(tmp_path: Path) -> None:
    with fake_client(tmp_path, "two") as (_, client):
        assert client.welcome["protocol"] == [1, 0]
        seen: list[tuple[str, float]] = []
        job = client.submit(PNG, "photo.png")
        result = client.wait(job, timeout=15, on_update=lambda job: seen.append((job.state, job.fraction)))
    assert len(result.persons) == 2
    assert result.persons[0].arrays["body_vertices"].shape[1] == 3
    assert {state for state, _ in seen} == {"queued", "running", "done"}
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


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


def test_jobs_wait_in_order_and_know_their_position(tmp_path: Path) -> None:
    with fake_client(tmp_path, "normal") as (_, client):
        jobs = [client.submit(PNG, f"{number}.png") for number in range(3)]
        positions: dict[str, list[int]] = {job.id: [] for job in jobs}
        ended: list[str] = []
        while len(ended) < 3:
            for job in client.pump():
                if job.state == "queued":
                    positions[job.id].append(job.position)
                if job.finished and job.id not in ended:
                    ended.append(job.id)
            time.sleep(0.01)
    assert ended == [job.id for job in jobs]
    assert max(positions[jobs[2].id]) == 2
    assert positions[jobs[2].id][-1] == 1


def test_a_waiting_job_is_cancelled_at_once(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (_, client):
        running, waiting = client.submit(PNG, "a.png"), client.submit(PNG, "b.png")
        until(lambda: client.pump() or running.state == "running")
        client.cancel(waiting)
        assert code_of(client, waiting, 2.0) == "CANCELLED"
        assert waiting.state == "cancelled"
        assert not running.finished


def test_a_running_job_is_cancelled_between_two_reports(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (_, client):
        job = client.submit(PNG, "a.png")
        until(lambda: client.pump() and job.state == "running")
        worker = client.status()["worker_pid"]
        client.cancel(job)
        client.cancel(job)
        assert code_of(client, job, 3.0) == "CANCELLED"
        assert client.status()["worker_pid"] == worker


def test_a_job_that_ignores_the_cancellation_costs_the_worker_its_life(tmp_path: Path) -> None:
    with fake_client(tmp_path, "by-name", "--grace", "0.5") as (_, client):
        job, following = client.submit(PNG, "hang.png"), client.submit(PNG, "normal.png")
        until(lambda: client.pump() and job.stage == "body")
        worker = client.status()["worker_pid"]
        client.cancel(job)
        assert code_of(client, job, 5.0) == "CANCELLED"
        assert client.wait(following, timeout=15).persons
        assert not process_alive(worker)


@pytest.mark.parametrize("mode", ["crash", "exit"])
def test_a_dead_worker_costs_only_its_job(tmp_path: Path, mode: str) -> None:
    with fake_client(tmp_path, "by-name") as (_, client):
        jobs = [client.submit(PNG, name) for name in (f"{mode}.png", "normal.png", f"{mode}.png", "normal.png")]
        assert code_of(client, jobs[0]) == "WORKER_DIED"
        assert jobs[0].error is not None
        assert ("SIGKILL" if mode == "crash" else "a library said goodbye") in jobs[0].error.detail
        assert jobs[0].error.hint
        assert client.wait(jobs[1], timeout=15).persons
        assert code_of(client, jobs[2]) == "WORKER_DIED"
        assert client.wait(jobs[3], timeout=15).persons


@posix_only
def test_a_worker_killed_from_outside(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (_, client):
        job = client.submit(PNG, "a.png")
        until(lambda: client.pump() and job.state == "running")
        os.kill(client.status()["worker_pid"], signal.SIGTERM)
        assert code_of(client, job) == "WORKER_DIED"


def test_a_worker_that_can_not_start_fails_the_job_and_not_the_backend(tmp_path: Path) -> None:
    broken = "import sys; sys.stderr.write('ImportError: no such library\\n'); sys.exit(1)"
    program = (
        "import sys; from pathlib import Path; from backend.broker import Broker, BrokerSettings;"
        f"Broker(BrokerSettings(Path({str(tmp_path / 'a.json')!r}), parent_pid={os.getpid()},"
        f"worker_command=(sys.executable, '-c', {broken!r})), '0').run()"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as process:
        until((tmp_path / "a.json").exists)
        with connect(tmp_path / "a.json") as client:
            for _ in range(2):
                job = client.submit(PNG, "a.png")
                assert code_of(client, job) == "WORKER_DIED"
                assert job.error is not None
                assert "no such library" in job.error.detail
            client.shutdown()
        assert process.wait(5) == 0


def test_a_job_without_progress_is_given_up(tmp_path: Path) -> None:
    with fake_client(tmp_path, "by-name", "--stall", "1.0") as (_, client):
        stuck, following = client.submit(PNG, "hang.png"), client.submit(PNG, "normal.png")
        assert code_of(client, stuck) == "WORKER_HUNG"
        assert client.wait(following, timeout=15).persons


@posix_only
def test_a_worker_without_heartbeat_is_given_up(tmp_path: Path) -> None:
    with fake_client(tmp_path, "by-name", "--silence", "2.0") as (_, client):
        stuck, following = client.submit(PNG, "freeze.png"), client.submit(PNG, "normal.png")
        assert code_of(client, stuck) == "WORKER_HUNG"
        assert client.wait(following, timeout=15).persons


@pytest.mark.parametrize(
    ("mode", "code"),
    [("nobody", "NO_PERSON"), ("unreadable", "IMAGE_UNREADABLE"), ("memory", "OUT_OF_MEMORY"), ("error", "INTERNAL")],
)
def test_failures_keep_their_words(tmp_path: Path, mode: str, code: str) -> None:
    with fake_client(tmp_path, mode) as (_, client):
        job = client.submit(PNG, "a.png")
        assert code_of(client, job) == code
        assert job.error is not None
        assert job.error.hint or job.error.detail


def test_two_clients_get_their_own_results(tmp_path: Path) -> None:
    with fake_client(tmp_path, "by-name") as (launch, first), connect(launch.run_path) as second:
        mine, other = first.submit(PNG, "two.png"), second.submit(PNG, "normal.png")
        assert len(second.wait(other, timeout=15).persons) == 1
        assert len(first.wait(mine, timeout=15).persons) == 2
        assert first.status()["clients"] == 2
        with pytest.raises(BackendError) as caught:
            first.shutdown()
        assert caught.value.code == "BUSY"
        first.shutdown(force=True)
        launch.process.wait(5)
        until(lambda: second.pump() or second.state == "gone", 5.0)


def test_a_client_that_leaves_takes_its_jobs_along(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow") as (launch, stays):
        leaves = connect(launch.run_path)
        leaves.submit(PNG, "a.png")
        leaves.submit(PNG, "b.png")
        until(lambda: stays.status()["running"])
        leaves.close()
        until(lambda: not stays.status()["running"] and not stays.status()["waiting"], 5.0)


def test_a_client_that_vanishes_takes_its_jobs_along(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow", "--client-silence", "2.5") as (launch, stays):
        run = read_run_file(launch.run_path)
        with raw_dealer(run) as socket:
            submit = Message("submit", "j", {"name": "a.png"}, {"image": np.frombuffer(PNG, np.uint8)}, token=run.token)
            assert ask(socket, submit).type == "accepted"
        until(lambda: stays.status()["running"])
        until(lambda: not stays.status()["running"], 8.0)


def test_wrong_tokens_are_refused(tmp_path: Path) -> None:
    with fake_backend(tmp_path) as (_, run), raw_dealer(run) as socket:
        for token in ("", "x", "\ud800", run.token[:-1], run.token.upper() + "0"):
            for kind in ("hello", "submit", "shutdown", "nonsense"):
                answer = ask(socket, Message(kind, "m", token=token))
                assert (answer.type, answer.body["code"], answer.id) == ("error", "AUTH", "m")
        assert ask(socket, Message("ping", token=run.token)).type == "pong"


def test_rubbish_does_not_disturb(tmp_path: Path) -> None:
    with fake_backend(tmp_path) as (_, run), raw_dealer(run) as socket:
        for rubbish in ([b""], [b"\xff" * 1000], [b"{}"], [b"[1]", b"2"], [b'{"v":[2,0],"id":"q"}'], [b"x"] * 50):
            assert ask(socket, list(rubbish)).type == "error"
        assert ask(socket, [b'{"v":[2,0],"id":"q"}']).body["code"] == "PROTOCOL_VERSION"
        answer = ask(socket, Message("teleport", "m", token=run.token))
        assert (answer.body["code"], answer.id) == ("UNSUPPORTED", "m")
        with plain_socket.create_connection((run.host, run.port)) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + os.urandom(4096))
        with plain_socket.create_connection((run.host, run.port)) as wire:
            wire.sendall(b"\xff" + b"\x00" * 8 + b"\x01\x7f")
        assert ask(socket, Message("ping", token=run.token)).type == "pong"


@pytest.mark.parametrize(
    "message",
    [
        Message("submit", "m", {"name": "a"}),
        Message("submit", "m", {"name": "a"}, {"image": np.zeros(0, np.uint8)}),
        Message("submit", "m", {"name": "a"}, {"image": np.zeros((2, 2), np.uint8)}),
        Message("submit", "m", {"name": "a"}, {"image": np.zeros(2, np.float32)}),
        Message("submit", "m", {"name": 3}, {"image": np.zeros(2, np.uint8)}),
        Message("submit", "m", {"name": "a", "settings": []}, {"image": np.zeros(2, np.uint8)}),
        Message("submit", "", {"name": "a"}, {"image": np.zeros(2, np.uint8)}),
    ],
)
def test_malformed_jobs_are_refused(tmp_path: Path, message: Message) -> None:
    with fake_backend(tmp_path) as (_, run), raw_dealer(run) as socket:
        signed = Message(message.type, message.id, message.body, message.arrays, token=run.token)
        assert ask(socket, signed).body["code"] == "BAD_MESSAGE"


def test_the_queue_is_bounded(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow", "--max-jobs", "2") as (_, client):
        jobs = [client.submit(PNG, "a.png") for _ in range(5)]
        assert code_of(client, jobs[-1]) == "QUEUE_FULL"


def test_too_large_messages_do_not_get_in(tmp_path: Path) -> None:
    with fake_client(tmp_path) as (_, client):
        with pytest.raises(BackendError) as caught:
            client.submit(b"", "empty.png")
        assert caught.value.code == "INVALID_INPUT"


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


def test_strangers_can_not_play_the_worker(tmp_path: Path) -> None:
    log = tmp_path / "log" / "backend.log"
    with fake_client(tmp_path, "slow") as (launch, client):
        job = client.submit(PNG, "a.png")
        until(lambda: client.pump() and job.state == "running")
        if not sys.platform.startswith("linux"):
            pytest.skip("finds the worker's port in /proc")
        for port in listening_ports(launch.process.pid) - {read_run_file(launch.run_path).port}:
            context = zmq.Context()
            stranger = context.socket(zmq.DEALER)
            stranger.linger = 0
            stranger.connect(f"tcp://127.0.0.1:{port}")
            stranger.send_multipart([b"noise"])
            stranger.send_multipart([b'{"v":[1,0],"type":"cancelled","id":"job-1","token":"guess"}'])
            until(lambda: "A stranger tried to be the worker" in log.read_text())
            stranger.close(0)
            context.term()
        client.pump()
        assert job.state == "running"


def listening_ports(pid: int) -> set[int]:
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        target = str(link.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes}


@pytest.mark.skipif(not zmq.has("curve"), reason="this ZeroMQ has no CURVE")
def test_an_encrypted_backend_refuses_open_connections(tmp_path: Path) -> None:
    _, secret = zmq.curve_keypair()
    (tmp_path / "key").write_bytes(secret)
    with fake_backend(tmp_path, "normal", "--curve-secret-file", str(tmp_path / "key")) as (launch, run):
        assert run.curve_key
        with connect(launch.run_path) as client:
            assert client.wait(client.submit(PNG, "a.png"), timeout=15).persons
        with raw_dealer(run) as socket:
            socket.send_multipart([b'{"v":[1,0],"type":"ping","id":"","token":""}'])
            assert not socket.poll(500)


def test_the_network_is_refused_without_keys(tmp_path: Path) -> None:
    launch = launch_fake(tmp_path, "normal", "--host", "0.0.0.0")
    with pytest.raises(BackendError, match="without encryption") as caught:
        launch.wait()
    assert "Exit status 5" in caught.value.detail
