"""The broker's two sockets: one for clients, one for the worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zmq

from ..protocol.errors import BackendError
from ..protocol.framing import MAX_FRAME_BYTES, Frame
from ..protocol.messages import MAX_IMAGE_BYTES
from .gatekeeper import DOMAIN, Gatekeeper
from .settings import BrokerSettings

log = logging.getLogger("backend.broker")

LOOPBACK = "127.0.0.1"
QUEUED_MESSAGES = 1000
FLUSH_SECONDS = 0.2


@dataclass(frozen=True)
class Sockets:
    """The open sockets.

    Attributes:
        front: ROUTER towards the clients.
        back: ROUTER towards the worker.
        port: of ``front``.
        back_endpoint: what the worker connects to.
        curve_key: public key of ``front`` if it is encrypted, else empty.
        gatekeeper: decides who may connect from the network; None without ``listen``.
    """

    front: zmq.Socket[Any]
    back: zmq.Socket[Any]
    port: int
    back_endpoint: str
    curve_key: str
    gatekeeper: Gatekeeper | None = None

    def send_front(self, identity: bytes, frames: Sequence[Frame]) -> None:
        """Send to a client; a client that is gone or does not read loses the message, the broker never waits."""
        _send(self.front, identity, frames)

    def send_back(self, identity: bytes, frames: Sequence[Frame]) -> None:
        """Send to the worker, without waiting."""
        _send(self.back, identity, frames)

    def close(self) -> None:
        """Close both sockets after giving the last answers a moment to leave."""
        time.sleep(FLUSH_SECONDS)
        self.front.close(0)
        self.back.close(0)
        if self.gatekeeper is not None:
            self.gatekeeper.close()


def open_sockets(context: zmq.Context[Any], settings: BrokerSettings) -> Sockets:
    """Bind both sockets to random free ports.

    Raises:
        BackendError: PORT: the system refuses.
    """
    front, back = _router(context, MAX_IMAGE_BYTES), _router(context, MAX_FRAME_BYTES)
    front.ipv6 = ":" in settings.host
    curve_key = _encrypt(front, settings.curve_secret) if settings.curve_secret and not settings.listen else ""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        port = front.bind_to_random_port(f"tcp://{host}")
        back_port = back.bind_to_random_port(f"tcp://{LOOPBACK}")
        gatekeeper = _listen(context, front, settings) if settings.listen else None
    except zmq.ZMQError as error:
        front.close(0)
        back.close(0)
        context.term()
        hint = "Check whether a firewall or virus scanner forbids local connections."
        raise BackendError("PORT", "No port can be opened on this computer.", detail=str(error), hint=hint) from error
    return Sockets(front, back, port, f"tcp://{LOOPBACK}:{back_port}", curve_key, gatekeeper)


def _router(context: zmq.Context[Any], max_bytes: int) -> zmq.Socket[Any]:
    socket: zmq.Socket[Any] = context.socket(zmq.ROUTER)
    socket.linger = 0
    socket.maxmsgsize = max_bytes
    socket.sndhwm = socket.rcvhwm = QUEUED_MESSAGES
    socket.router_handover = 1
    return socket


def _listen(context: zmq.Context[Any], front: zmq.Socket[Any], settings: BrokerSettings) -> Gatekeeper:
    """Open the endpoint for the network beside the one on this computer.

    ZeroMQ gives each endpoint the options that the socket has when it is bound: the first stays as it is, this one is
    encrypted and asks the gatekeeper.
    """
    gatekeeper = Gatekeeper(context, settings.allowed or dict)
    front.zap_domain = DOMAIN
    _encrypt(front, settings.curve_secret)
    front.ipv6 = "[" in settings.listen
    try:
        front.bind(settings.listen)
    except zmq.ZMQError:
        gatekeeper.close()
        raise
    return gatekeeper


def user_of(frame: zmq.Frame) -> str:
    """Return the name of the key that a message from the network came with; empty for this computer's endpoint."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""


def _encrypt(socket: zmq.Socket[Any], secret: str) -> str:
    public = zmq.curve_public(secret.encode())
    socket.curve_secretkey = secret.encode()
    socket.curve_server = True
    return public.decode()


def _send(socket: zmq.Socket[Any], identity: bytes, frames: Sequence[Frame]) -> None:
    try:
        socket.send_multipart([identity, *frames], flags=zmq.NOBLOCK)
    except zmq.ZMQError as error:
        log.warning("A message was not delivered: %s", error)
