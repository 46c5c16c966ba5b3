"""Whom the broker refuses, and that it survives everything it refuses."""

from __future__ import annotations

import os
import socket as plain_socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from backend.client import Client, connect
from backend.protocol import BackendError, Message, read_run_file
from tests.backend.harness import PNG, ask, fake_backend, fake_client, launch_fake, raw_dealer, until

pytestmark = pytest.mark.timeout(60)


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs prlimit")
def test_so_many_connections_that_no_file_can_be_opened_do_not_end_it(tmp_path: Path) -> None:
    import resource

    with fake_backend(tmp_path) as (launch, run), raw_dealer(run) as socket:
        assert ask(socket, Message("ping", token=run.token)).type == "pong"
        assert resource.prlimit(run.pid, resource.RLIMIT_NOFILE)[0] >= 1024  # type: ignore[attr-defined,unused-ignore]
        resource.prlimit(run.pid, resource.RLIMIT_NOFILE, (40, 40))  # type: ignore[attr-defined,unused-ignore]
        wires = [plain_socket.socket() for _ in range(60)]
        for number, wire in enumerate(wires):
            wire.setblocking(False)
            wire.connect_ex((run.host, run.port))
            if number % 2:
                wire.send(b"\xff\x00")
        time.sleep(1.2)
        hello = Message("hello", "h", {"pid": os.getpid()}, token=run.token)
        assert ask(socket, hello).type in ("welcome", "error")
        assert ask(socket, Message("ping", token=run.token)).type == "pong"
        for wire in wires:
            wire.close()
        with Client(run, alive=launch.alive) as client:
            client.wait_connected()
        assert launch.alive()
