"""The broker's loop: answers clients, feeds the worker, watches everybody."""

from __future__ import annotations

import logging
import math
import os
import secrets
import time
from collections.abc import Callable
from typing import Any

import zmq

from ..protocol import messages
from ..protocol.errors import BackendError, ProtocolError
from ..protocol.framing import Message, decode, encode
from ..protocol.processes import ProcessWatch
from ..protocol.runfile import RunFile, new_token, write_run_file
from ..protocol.version import MAJOR, MINOR
from .clients import ClientRegistry
from .jobs import JobQueue
from .models import missing_models, models_folder
from .settings import BrokerSettings
from .sockets import open_sockets, user_of
from .workshop import Workshop

log = logging.getLogger("backend.broker")

TICK_MS = 100
FROZEN = 3.0
"""A longer pause between two rounds means that the computer slept: then nobody else could give a sign of life."""


class Broker:
    """One backend. :meth:`run` serves until a shutdown, until nobody needs it any more, or until :meth:`stop`."""

    def __init__(self, settings: BrokerSettings, version: str) -> None:
        settings.check()
        self._settings = settings
        self._version = version
        self._token = new_token()
        self._context: zmq.Context[Any] = zmq.Context()
        self._sockets = open_sockets(self._context, settings)
        self._started = time.monotonic()
        self._parent_checked = self._ticked = self._started
        self._parent_gone = False
        self._parent = ProcessWatch(settings.parent_pid)
        self._jobs = JobQueue()
        self._clients = ClientRegistry(self._started)
        self._workshop = Workshop(settings, self._sockets, self._jobs, self._tell)
        self._stopping = False
        self._handlers: dict[str, Callable[[bytes, Message], None]] = {
            messages.HELLO: self._on_hello,
            messages.SUBMIT: self._on_submit,
            messages.CANCEL: self._on_cancel,
            messages.PING: self._on_ping,
            messages.STATUS: self._on_status,
            messages.UNLOAD: self._on_unload,
            messages.SHUTDOWN: self._on_shutdown,
            messages.BYE: self._on_bye,
        }

    def stop(self) -> None:
        """Make :meth:`run` return soon; may be called from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Publish the run file and serve; everything is cleaned up on the way out."""
        poller = zmq.Poller()
        poller.register(self._sockets.front, zmq.POLLIN)
        poller.register(self._sockets.back, zmq.POLLIN)
        gate = self._sockets.gatekeeper
        if gate is not None:
            poller.register(gate.socket, zmq.POLLIN)
        try:
            write_run_file(self._run_file(), self._settings.run_path)
            if self._settings.warm:
                self._workshop.warm_up()
            log.info("Serving on port %d, process %d, version %s", self._sockets.port, os.getpid(), self._version)
            while not self._stopping:
                ready = dict(poller.poll(TICK_MS))
                if gate is not None and gate.socket in ready:
                    gate.answer()
                if self._sockets.front in ready:
                    self._serve_client()
                if self._sockets.back in ready:
                    self._workshop.serve()
                self._tick(time.monotonic())
        finally:
            self._clean_up()

    def _run_file(self) -> RunFile:
        return RunFile(
            host=self._settings.host,
            port=self._sockets.port,
            pid=os.getpid(),
            protocol=MAJOR,
            token=self._token,
            started=time.time(),
            curve_key=self._sockets.curve_key,
        )

    def _clean_up(self) -> None:
        self._settings.run_path.unlink(missing_ok=True)
        self._workshop.close()
        self._sockets.close()
        self._context.term()
        log.info("Ended")

    def _serve_client(self) -> None:
        identity, *frames = self._sockets.front.recv_multipart(copy=False)
        client = identity.bytes
        try:
            message = decode([frame.buffer for frame in frames])
            user = user_of(identity)
            if not user:
                self._authenticate(message)
            elif message.type == messages.SHUTDOWN:
                raise _not_from_afar(message.id)
            self._clients.hear(client, time.monotonic(), remote=bool(user))
            self._handler(message)(client, message)
        except ProtocolError as error:
            self._refuse(client, error.message_id, error)
        except BackendError as error:
            self._refuse(client, message.id, error)
        except OSError as error:
            log.exception("A message could not be answered")
            title = "The backend's computer does not let it answer now."
            hint = "Close other programs that use the backend, and try again."
            self._refuse(client, message.id, BackendError("INTERNAL", title, detail=str(error), hint=hint))

    def _authenticate(self, message: Message) -> None:
        if not secrets.compare_digest(message.token.encode(errors="replace"), self._token.encode()):
            hint = "Start the backend again from the add-on."
            error = ProtocolError("The backend refused the connection.", detail="The token is wrong.", code="AUTH")
            error.hint, error.message_id = hint, message.id
            raise error

    def _handler(self, message: Message) -> Callable[[bytes, Message], None]:
        handler = self._handlers.get(message.type)
        if handler is None:
            detail = f"Message type {message.type[:80]!r}."
            title = "The backend does not know this request."
            raise ProtocolError(title, detail=detail, code="UNSUPPORTED", message_id=message.id)
        return handler

    def _refuse(self, client: bytes, message_id: str, error: BackendError) -> None:
        log.warning("Refused a message: %s %s", error.code, error.detail)
        self._tell(client, Message(messages.ERROR, message_id, error.body()))

    def _tell(self, client: bytes, message: Message) -> None:
        self._sockets.send_front(client, encode(message))

    def _on_hello(self, client: bytes, message: Message) -> None:
        pid = message.body.get("pid")
        self._clients.tell_pid(client, pid if isinstance(pid, int) else 0)
        body = {"protocol": [MAJOR, MINOR], "version": self._version, "pid": os.getpid()}
        body |= {"device": self._settings.device, "log": str(self._settings.log_file or "")}
        body |= {"models_folder": models_folder(), "models_missing": missing_models()}
        self._tell(client, Message(messages.WELCOME, message.id, body))
        if message.body.get("warm") is True:
            self._workshop.warm_up()

    def _on_submit(self, client: bytes, message: Message) -> None:
        image = message.arrays.get("image")
        if image is None or image.dtype.str != "|u1" or image.ndim != 1 or not image.size:
            raise ProtocolError("A job has no photo.", detail="'image' must be bytes.", message_id=message.id)
        if not isinstance(message.body.get("settings", {}), dict) or not isinstance(message.body.get("name"), str):
            detail = "'settings' must be an object and 'name' a text."
            raise ProtocolError("A job is malformed.", detail=detail, message_id=message.id)
        if self._jobs.find(client, message.id) is not None or not message.id:
            raise ProtocolError("A job needs an id of its own.", message_id=message.id)
        self._check_room(image.nbytes)
        position = self._jobs.add(client, message.id, message.body, image)
        self._tell(client, Message(messages.ACCEPTED, message.id, {"position": position}))
        self._workshop.dispatch()

    def _check_room(self, size: int) -> None:
        limits = self._settings
        full = len(self._jobs.waiting) >= limits.max_jobs
        if full or self._jobs.waiting_bytes + size > limits.max_waiting_bytes:
            detail = f"{len(self._jobs.waiting)} jobs are waiting."
            hint = "Wait until some jobs have finished."
            raise BackendError("QUEUE_FULL", "The backend's queue is full.", detail=detail, hint=hint)

    def _on_cancel(self, client: bytes, message: Message) -> None:
        job = self._jobs.find(client, message.id)
        if job is None:
            self._tell(client, Message(messages.CANCELLED, message.id))
        elif job is self._jobs.running:
            self._workshop.cancel_running()
        else:
            self._jobs.waiting.remove(job)
            self._tell(client, Message(messages.CANCELLED, message.id))
            self._workshop.tell_positions()

    def _on_ping(self, client: bytes, message: Message) -> None:
        self._tell(client, Message(messages.PONG, message.id))

    def _on_status(self, client: bytes, message: Message) -> None:
        body = {
            "worker": self._workshop.worker.state,
            "worker_pid": self._workshop.worker.pid,
            "running": self._jobs.running is not None,
            "waiting": len(self._jobs.waiting),
            "clients": len(self._clients),
            "device": self._settings.device,
            "facts": self._workshop.facts,
            "models_missing": missing_models(),
            "version": self._version,
            "seconds": time.monotonic() - self._started,
        }
        self._tell(client, Message(messages.STATUS, message.id, body))

    def _on_unload(self, client: bytes, message: Message) -> None:
        if self._jobs.running is not None or self._jobs.waiting:
            raise BackendError("BUSY", "The models are in use.", hint="Wait for the running job or cancel it.")
        self._workshop.stop_worker()
        self._tell(client, Message(messages.DONE, message.id))

    def _on_shutdown(self, client: bytes, message: Message) -> None:
        if len(self._clients) > 1 and message.body.get("force") is not True:
            detail = f"{len(self._clients) - 1} other programs are connected."
            raise BackendError("BUSY", "The backend is used by others.", detail=detail, hint="Close them first.")
        self._tell(client, Message(messages.DONE, message.id))
        self.stop()

    def _on_bye(self, client: bytes, message: Message) -> None:
        self._tell(client, Message(messages.DONE, message.id))
        self._drop_client(client)

    def _drop_client(self, client: bytes) -> None:
        self._clients.forget(client, time.monotonic())
        self._jobs.drop_waiting(client)
        if self._jobs.running is not None and self._jobs.running.client == client:
            self._workshop.cancel_running()
        self._workshop.tell_positions()

    def _tick(self, now: float) -> None:
        if now - self._ticked > FROZEN:
            self._clients.excuse(now)
            self._workshop.worker.heard = now
        self._ticked = now
        self._watch_parent(now)
        dead_pid = self._settings.parent_pid if self._parent_gone else 0
        for client in self._clients.lost(now, self._settings.client_silence, dead_pid):
            log.warning("A client is gone")
            self._drop_client(client)
        self._workshop.watch(now)
        patience = 0.0 if self._parent_gone else self._settings.idle_exit or math.inf
        if self._clients.alone_for(now) > patience:
            log.info("Nobody needs the backend any more")
            self.stop()

    def _watch_parent(self, now: float) -> None:
        if self._settings.parent_pid and now - self._parent_checked > 0.5:
            self._parent_checked = now
            self._parent_gone = self._parent_gone or not self._parent.alive()


def _not_from_afar(message_id: str) -> ProtocolError:
    error = ProtocolError(
        "Only programs on the backend's own computer can end it.", code="UNSUPPORTED", message_id=message_id
    )
    error.hint = "Close the connection instead."
    return error
