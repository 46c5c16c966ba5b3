"""Starts fake backends for the tests and always ends them."""

from __future__ import annotations

import base64
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from backend.client import Client, Job, Launch, LaunchOptions, start_backend
from backend.protocol.errors import BackendError
from backend.protocol.framing import Frame, Message, decode, encode
from backend.protocol.runfile import RunFile

ROOT = Path(__file__).resolve().parents[2]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def launch_fake(folder: Path, mode: str, *arguments: str, parent_pid: int | None = None) -> Launch:
    options = LaunchOptions(
        Path(sys.executable),
        root=ROOT,
        runtime_dir=folder / "run",
        log_file=folder / "log" / "backend.log",
        parent_pid=parent_pid,
        module="tests.backend.fake_backend",
        arguments=("--mode", mode, *arguments),
    )
    return start_backend(options)


@contextlib.contextmanager
def fake_backend(folder: Path, mode: str = "normal", *arguments: str) -> Iterator[tuple[Launch, RunFile]]:
    launch = launch_fake(folder, mode, *arguments)
    try:
        yield launch, launch.wait()
    finally:
        launch.stop()


@contextlib.contextmanager
def fake_client(folder: Path, mode: str = "normal", *arguments: str) -> Iterator[tuple[Launch, Client]]:
    with fake_backend(folder, mode, *arguments) as (launch, run), Client(run, alive=launch.alive) as client:
        client.wait_connected()
        yield launch, client


def until(done: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition or fail."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@contextlib.contextmanager
def raw_dealer(run: RunFile) -> Iterator[zmq.Socket[bytes]]:
    """A socket that speaks whatever a test wants."""
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(run.endpoint)
    try:
        yield socket
    finally:
        socket.close(0)
        context.term()


def ask(socket: zmq.Socket[bytes], request: Message | list[Frame], seconds: float = 5.0) -> Message:
    socket.send_multipart(encode(request) if isinstance(request, Message) else request)
    assert socket.poll(int(1000 * seconds)), "no answer"
    return decode(socket.recv_multipart())


def code_of(client: Client, job: Job, seconds: float = 15.0) -> str:
    with pytest.raises(BackendError) as caught:
        client.wait(job, timeout=seconds)
    assert caught.value.title
    return caught.value.code
