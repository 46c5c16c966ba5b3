"""The running job and the worker that does it: starting, cancelling, dying, hanging."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from ..protocol import messages
from ..protocol.errors import BackendError, ProtocolError
from ..protocol.framing import Frame, Message, decode, encode, retarget
from .jobs import JobQueue, QueuedJob
from .settings import BrokerSettings
from .sockets import Sockets
from .worker_process import EXIT_SECONDS, WorkerProcess

log = logging.getLogger("backend.broker")

FINAL = frozenset({messages.RESULT, messages.ERROR, messages.CANCELLED})


class Workshop:
    """Hands jobs to the worker and its answers to the clients.

    Attributes:
        worker: the worker process.
        facts: what the worker last said about itself (device, memory).
    """

    def __init__(
        self,
        settings: BrokerSettings,
        sockets: Sockets,
        jobs: JobQueue,
        tell: Callable[[bytes, Message], None],
    ) -> None:
        self.worker = WorkerProcess(
            settings.worker_command, sockets.back_endpoint, settings.device, settings.memory_limit
        )
        self.facts: dict[str, Any] = {}
        self._settings = settings
        self._sockets = sockets
        self._jobs = jobs
        self._tell = tell

    def dispatch(self) -> None:
        """Start the next job if the worker is free, or a worker if there is none."""
        if self._jobs.running is not None:
            return
        if self._jobs.waiting:
            self.warm_up()
        if self.worker.state != "idle" or (job := self._jobs.start_next()) is None:
            return
        job.advanced = time.monotonic()
        self.worker.enter("busy", job.advanced)
        order = Message(messages.SUBMIT, job.serial, job.body, {"image": job.image})
        self._sockets.send_back(self.worker.identity, encode(order))
        self.tell_positions()

    def warm_up(self) -> None:
        """Start a worker if there is none."""
        if self.worker.state != "absent":
            return
        try:
            self.worker.start(time.monotonic())
        except OSError as error:
            log.exception("The worker can not be started")
            title = "The backend's worker can not be started."
            failure = BackendError("WORKER_DIED", title, detail=str(error), hint="Install the backend again.")
            while self._jobs.waiting:
                job = self._jobs.waiting.popleft()
                self._tell(job.client, Message(messages.ERROR, job.id, failure.body()))

    def serve(self) -> None:
        """Take one message of the worker."""
        identity, *frames = self._sockets.back.recv_multipart(copy=False)
        buffers: list[Frame] = [frame.buffer for frame in frames]
        try:
            message = decode(buffers)
        except ProtocolError as error:
            log.warning("The worker sent a broken message: %s", error)
            return
        if not self.worker.accepts(identity.bytes, message.token):
            log.warning("A stranger tried to be the worker")
            return
        self._take(message, buffers)

    def _take(self, message: Message, buffers: list[Frame]) -> None:
        now = time.monotonic()
        self.worker.heard = now
        job = self._jobs.running
        if message.type == messages.READY and self.worker.state == "starting":
            self.worker.enter("idle", now)
            self.dispatch()
        elif message.type == messages.HEARTBEAT:
            self.facts = message.body
        elif job is not None and message.id == job.serial:
            job.advanced = now
            self._sockets.send_front(job.client, retarget(buffers, job.id))
            if message.type in FINAL:
                self._finish(now)

    def _finish(self, now: float) -> None:
        self._jobs.running = None
        if self.worker.state == "busy":
            self.worker.enter("idle", now)
        self.dispatch()

    def cancel_running(self) -> None:
        """Ask the worker to stop the running job; it is killed if it does not."""
        job = self._jobs.running
        if job is not None and not job.cancel_by:
            job.cancel_by = time.monotonic() + self._settings.cancel_grace
            self._sockets.send_back(self.worker.identity, encode(Message(messages.CANCEL, job.serial)))

    def tell_positions(self) -> None:
        """Tell every waiting job how many are before it."""
        for job in self._jobs.waiting:
            position = self._jobs.position(job)
            text = "Waiting" if not position else f"Waiting for {position} other job{'s' if position > 1 else ''}"
            body = {"queued": True, "position": position, "text": text}
            self._tell(job.client, Message(messages.PROGRESS, job.id, body))

    def watch(self, now: float) -> None:
        """Notice a worker that has died, hangs, is not needed or does not obey."""
        if self.worker.state == "absent":
            return
        if self.worker.ended():
            self._bury("WORKER_DIED", self.worker.describe_end(), now)
        elif self.worker.state == "stopping":
            if now - self.worker.since > EXIT_SECONDS:
                self.worker.kill()
        elif (reason := self._overweight()) is not None:
            self.worker.kill()
            self._bury("OUT_OF_MEMORY", reason, now)
        elif (reason := self._hung(now)) is not None:
            log.warning("The worker is killed: %s", reason)
            self.worker.kill()
            self._bury("WORKER_HUNG", reason, now)
        elif self.worker.state == "idle" and now - self.worker.since > self._settings.idle_unload:
            self.stop_worker()

    def _overweight(self) -> str | None:
        """Say how far a worker on the processor is over the limit; on a card torch keeps to it by itself."""
        limit, used = self._settings.memory_limit, self.facts.get("memory", 0)
        if not limit or self.facts.get("device_name") or used <= limit:
            return None
        return f"The photo took {used / 1e9:.1f} GB of memory, the limit is {limit / 1e9:.1f} GB."

    def _hung(self, now: float) -> str | None:
        limits, job = self._settings, self._jobs.running
        if job is not None and job.cancel_by and now > job.cancel_by:
            return "It did not stop when the job was cancelled."
        if self.worker.state == "starting":
            late = now - self.worker.since > limits.worker_start
            return f"It was not ready after {limits.worker_start:.0f} s." if late else None
        if now - self.worker.heard > limits.worker_silence:
            return f"It gave no sign of life for {limits.worker_silence:.0f} s."
        if job is not None and now - job.advanced > limits.worker_stall:
            return f"The job made no progress for {limits.worker_stall:.0f} s."
        return None

    def _bury(self, code: str, reason: str, now: float) -> None:
        """Answer the job of a worker that is gone and go on with the next."""
        expected = self.worker.state == "stopping"
        failed_start = self.worker.state == "starting"
        self.worker.forget(now)
        self.facts = {}
        job = self._jobs.running or (self._jobs.start_next() if failed_start else None)
        self._jobs.running = None
        if job is not None and not expected:
            self._tell_end(job, code, reason)
        self.dispatch()

    def _tell_end(self, job: QueuedJob, code: str, reason: str) -> None:
        if job.cancel_by:
            self._tell(job.client, Message(messages.CANCELLED, job.id))
            return
        if code == "OUT_OF_MEMORY":
            hint = "Choose the Draft preset or fewer people, or raise the memory limit in the preferences."
            error = BackendError(code, "The memory limit was reached.", detail=reason, hint=hint)
            self._tell(job.client, Message(messages.ERROR, job.id, error.body()))
            return
        title = "The worker process hung." if code == "WORKER_HUNG" else "The worker process ended unexpectedly."
        hint = "Run this photo again, with the Draft preset if memory is short; the other jobs go on."
        detail = f"{reason} Log: {self._settings.log_file}" if self._settings.log_file else reason
        log.error("%s %s", title, detail)
        error = BackendError(code, title, detail=detail, hint=hint)
        self._tell(job.client, Message(messages.ERROR, job.id, error.body()))

    def stop_worker(self) -> None:
        """Let an idle worker end; its memory is freed with it."""
        if self.worker.state == "starting":
            self.worker.kill()
        elif self.worker.state == "idle":
            self.worker.enter("stopping", time.monotonic())
            self._sockets.send_back(self.worker.identity, encode(Message(messages.EXIT)))

    def close(self) -> None:
        """End the worker for good."""
        self.worker.kill()
        self.worker.forget(time.monotonic())
