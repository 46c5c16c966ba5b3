"""The real broker with a worker that misbehaves, seen through the real client."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backend.client import connect
from backend.protocol import MAJOR, MINOR, BackendError, Message, read_run_file
from backend.protocol.processes import process_alive
from tests.backend.harness import PNG, ROOT, ask, code_of, fake_client, raw_dealer, until

pytestmark = pytest.mark.timeout(60)
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_a_job_from_submit_to_result(tmp_path: Path) -> None:
    with fake_client(tmp_path, "two") as (_, client):
        assert client.welcome["protocol"] == [MAJOR, MINOR]
        seen: list[tuple[str, float]] = []
        job = client.submit(PNG, "photo.png")
        result = client.wait(job, timeout=15, on_update=lambda job: seen.append((job.state, job.fraction)))
    assert len(result.persons) == 2
    assert result.persons[0].arrays["body_vertices"].shape[1] == 3
    assert {state for state, _ in seen} == {"queued", "running", "done"}
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


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
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        until((tmp_path / "a.json").exists)
        with connect(tmp_path / "a.json") as client:
            for _ in range(2):
                job = client.submit(PNG, "a.png")
                assert code_of(client, job) == "WORKER_DIED"
                assert job.error is not None
                assert "no such library" in job.error.detail
            client.shutdown()
        assert process.wait(5) == 0
    finally:
        process.kill()


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


def test_the_queue_is_bounded(tmp_path: Path) -> None:
    with fake_client(tmp_path, "slow", "--max-jobs", "2") as (_, client):
        jobs = [client.submit(PNG, "a.png") for _ in range(5)]
        assert code_of(client, jobs[-1]) == "QUEUE_FULL"


def test_too_large_messages_do_not_get_in(tmp_path: Path) -> None:
    with fake_client(tmp_path) as (_, client):
        with pytest.raises(BackendError) as caught:
            client.submit(b"", "empty.png")
        assert caught.value.code == "INVALID_INPUT"
