"""Who may connect from the network: answers ZeroMQ's questions about CURVE keys (ZAP, RFC 27)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import zmq
from zmq.utils import z85

log = logging.getLogger("backend.broker")

DOMAIN = b"munet"
ENDPOINT = "inproc://zeromq.zap.01"
VERSION = b"1.0"
KEY_BYTES = 32


class Gatekeeper:
    """Asks ``allowed`` for the public keys (with names) at every new connection, so that changes count at once."""

    def __init__(self, context: zmq.Context[Any], allowed: Callable[[], dict[str, str]]) -> None:
        self.socket: zmq.Socket[Any] = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(ENDPOINT)
        self._allowed = allowed

    def answer(self) -> None:
        """Answer one question."""
        frames = self.socket.recv_multipart()
        self.socket.send_multipart(self.decide(frames))

    def decide(self, frames: list[bytes]) -> list[bytes]:
        """Return the answer to one question; everything but an allowed CURVE key is refused."""
        request = frames[1] if len(frames) > 1 else b""
        name = self._name_of(frames)
        if name is None:
            return [VERSION, request, b"400", b"not allowed", b"", b""]
        log.info("%s has connected", name)
        return [VERSION, request, b"200", b"OK", name.encode(), b""]

    def _name_of(self, frames: list[bytes]) -> str | None:
        if len(frames) != 7 or frames[0] != VERSION or frames[2] != DOMAIN or frames[5] != b"CURVE":
            log.warning("A connection from the network without a key was refused")
            return None
        address, key = frames[3].decode(errors="replace"), frames[6]
        name = self._allowed_now().get(z85.encode(key).decode()) if len(key) == KEY_BYTES else None
        if name is None:
            log.warning("A connection from %s with an unknown key was refused", address)
        return name

    def _allowed_now(self) -> dict[str, str]:
        try:
            return self._allowed()
        except OSError:
            log.exception("The keys can not be read now: nobody is let in")
            return {}

    def close(self) -> None:
        """Stop answering."""
        self.socket.close(0)
