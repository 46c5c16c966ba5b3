"""The thread that owns the socket: frames out, messages in, a heartbeat in between."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..protocol import messages
from ..protocol.errors import BackendError
from ..protocol.framing import Frame, Message, decode, encode
from ..protocol.runfile import RunFile

if TYPE_CHECKING:
    import zmq

POLL_MS = 20
PING_AFTER = 1.0
MUTE_AFTER = 30.0
FAREWELL = 0.25
FROZEN = 3.0
"""A longer pause between two rounds means that this program or the computer slept: then nothing could be heard."""


@dataclass(frozen=True)
class Gone:
    """The connection has ended because of ``error``."""

    error: BackendError


class Link(threading.Thread):
    """A daemon thread with one DEALER socket, which no other thread ever touches.

    Put encoded messages into ``outbox``; take messages, and at the end perhaps one :class:`Gone`, from ``inbox``.
    """

    def __init__(self, run: RunFile, alive: Callable[[], bool], keys: tuple[str, str] | None = None) -> None:
        super().__init__(name="munet-link", daemon=True)
        self.outbox: queue.SimpleQueue[list[Frame]] = queue.SimpleQueue()
        self.inbox: queue.SimpleQueue[Message | Gone] = queue.SimpleQueue()
        self._run_file = run
        self._alive = alive
        self._keys = keys
        self._stopping = threading.Event()
        self._goodbye = True
        self._pending: list[Frame] | None = None
        self._heard = self._pinged = self._watched = 0.0

    def stop(self, *, goodbye: bool = True) -> None:
        """Ask the thread to say goodbye, unless nobody is left to hear it, to close its socket and to end."""
        self._goodbye = goodbye
        self._stopping.set()

    def run(self) -> None:
        """Serve the socket until :meth:`stop`, or until the backend is gone."""
        import zmq

        context = zmq.Context()
        context.linger = 0
        try:
            socket = self._open(context)
            try:
                self._serve(socket)
            finally:
                socket.close(0)
        except BackendError as error:
            self.inbox.put(Gone(error))
        except zmq.ZMQError as error:
            self.inbox.put(Gone(_gone(f"The connection failed: {error}.")))
        finally:
            context.term()

    def _open(self, context: zmq.Context[Any]) -> zmq.Socket[Any]:
        import zmq

        socket: zmq.Socket[Any] = context.socket(zmq.DEALER)
        socket.linger = 0
        socket.identity = b"c" + uuid.uuid4().bytes
        if self._run_file.curve_key:
            keys = self._keys or tuple(key.decode() for key in zmq.curve_keypair())
            socket.curve_publickey, socket.curve_secretkey = (key.encode() for key in keys)
            socket.curve_serverkey = self._run_file.curve_key.encode()
        socket.connect(self._run_file.endpoint)
        return socket

    def _serve(self, socket: zmq.Socket[Any]) -> None:
        self._heard = self._watched = time.monotonic()
        while not self._stopping.is_set():
            self._send_waiting(socket)
            if socket.poll(POLL_MS):
                self._receive(socket)
            self._watch()
        if self._goodbye:
            self._say_goodbye(socket)

    def _send_waiting(self, socket: zmq.Socket[Any]) -> None:
        import zmq

        while True:
            try:
                frames = self._pending or self.outbox.get_nowait()
            except queue.Empty:
                return
            try:
                socket.send_multipart(frames, flags=zmq.NOBLOCK)
            except zmq.Again:
                self._pending = frames
                return
            self._pending = None

    def _receive(self, socket: zmq.Socket[Any]) -> None:
        frames = socket.recv_multipart(copy=False)
        self._heard = time.monotonic()
        message = decode([frame.buffer for frame in frames])
        if message.type != messages.PONG:
            self.inbox.put(message)

    def _watch(self) -> None:
        """Give a sign of life every second, also while the backend talks all the time: it counts our silence too."""
        now = time.monotonic()
        if now - self._watched > FROZEN:
            self._heard = now
        self._watched = now
        if now - self._pinged <= PING_AFTER:
            return
        silence = now - self._heard
        if silence > MUTE_AFTER:
            raise _gone(f"It has not answered for {silence:.0f} s.")
        if silence > PING_AFTER and not self._alive():
            raise _gone("Its process has ended.")
        self._pinged = now
        self.outbox.put(encode(Message(messages.PING, token=self._run_file.token)))

    def _say_goodbye(self, socket: zmq.Socket[Any]) -> None:
        """Wait briefly for the answer, because a socket that does not linger drops what it has not sent yet."""
        self.outbox.put(encode(Message(messages.BYE, id="bye", token=self._run_file.token)))
        end = time.monotonic() + FAREWELL
        while time.monotonic() < end:
            self._send_waiting(socket)
            if socket.poll(POLL_MS) and decode([f.buffer for f in socket.recv_multipart(copy=False)]).id == "bye":
                return


def _gone(detail: str) -> BackendError:
    hint = "Start the backend again; its log tells why it ended."
    return BackendError("BACKEND_GONE", "The backend has stopped.", detail=detail, hint=hint)
