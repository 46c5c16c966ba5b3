"""The worker's connection to the broker: one thread owns the socket and beats the heart."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import zmq

from ..protocol import messages
from ..protocol.framing import Frame, Message, decode, encode

POLL_MS = 20
BEAT_SECONDS = 1.0


@dataclass(frozen=True)
class Start:
    """What the broker tells the worker on its standard input."""

    endpoint: str
    token: str
    device: str
    broker: int
    memory_limit: int = 0


def read_start() -> Start:
    """Read the broker's first line, then die with the broker from now on."""
    start = Start(**json.loads(sys.stdin.readline()))
    _die_with(start.broker)
    threading.Thread(target=_watch_input, name="munet-parent", daemon=True).start()
    return start


def _die_with(broker: int) -> None:
    """Ask Linux for a signal at the broker's death, which also ends a worker that holds the interpreter's lock."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != broker:
        os._exit(0)


def _watch_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


class WorkerLink(threading.Thread):
    """A daemon thread with the worker's only socket.

    Attributes:
        orders: jobs (and None to end) for the main thread.
    """

    def __init__(self, start: Start, facts: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="munet-worker-link", daemon=True)
        self.orders: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[list[Frame]] = queue.SimpleQueue()
        self._start = start
        self._facts = facts
        self._cancelled = ""
        self._flushed = threading.Event()
        self._stopping = threading.Event()

    def send(self, kind: str, message_id: str = "", body: dict[str, Any] | None = None, **parts: Any) -> None:  # noqa: ANN401
        """Send a message to the broker; ``parts`` may hold ``arrays``."""
        self._outbox.put(encode(Message(kind, message_id, body or {}, token=self._start.token, **parts)))

    def is_cancelled(self, message_id: str) -> bool:
        """Return whether the broker wants this job stopped."""
        return self._cancelled == message_id

    def close(self) -> None:
        """Send what is waiting and end the thread."""
        self._stopping.set()
        self.join(2.0)

    def run(self) -> None:
        """Serve the socket until :meth:`close`."""
        context: zmq.Context[Any] = zmq.Context()
        socket: zmq.Socket[Any] = context.socket(zmq.DEALER)
        socket.linger = 1000
        socket.identity = b"w" + uuid.uuid4().bytes
        socket.connect(self._start.endpoint)
        self.send(messages.READY)
        beaten = time.monotonic()
        while not self._stopping.is_set():
            self._flush(socket)
            if socket.poll(POLL_MS):
                self._receive(socket)
            if time.monotonic() - beaten > BEAT_SECONDS:
                beaten = time.monotonic()
                self.send(messages.HEARTBEAT, body=self._facts())
        self._flush(socket)
        socket.close()
        context.term()

    def _flush(self, socket: zmq.Socket[Any]) -> None:
        while not self._outbox.empty():
            socket.send_multipart(self._outbox.get())

    def _receive(self, socket: zmq.Socket[Any]) -> None:
        message = decode([frame.buffer for frame in socket.recv_multipart(copy=False)])
        if message.type == messages.SUBMIT:
            self.orders.put(message)
        elif message.type == messages.CANCEL:
            self._cancelled = message.id
        elif message.type == messages.EXIT:
            self.orders.put(None)
