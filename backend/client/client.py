"""Talk to a running backend without ever blocking the caller, unless asked to wait."""

from __future__ import annotations

import atexit
import os
import queue
import time
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from ..protocol import messages
from ..protocol.errors import BackendError
from ..protocol.framing import Array, Message, encode
from ..protocol.processes import process_alive
from ..protocol.results import JobResult
from ..protocol.runfile import RunFile, read_run_file
from .clips import LOOPBACK, read_clip
from .jobs import Job
from .link import Gone, Link

ClientState = Literal["connecting", "connected", "gone", "closed"]
JOIN_SECONDS = 2.0
WAIT_STEP = 0.05
ANSWER_SECONDS = 10.0


class Client:
    """A connection to one backend. Use it from one thread.

    The constructor returns at once; call :meth:`pump` from a timer, or :meth:`wait` and :meth:`wait_connected` where
    there is no event loop.

    Attributes:
        state: of the connection.
        error: why the connection ended, if it did.
        welcome: what the backend said about itself (version, pid, device, ...).
        backend_status: the latest answer to :meth:`request_status`.
    """

    def __init__(
        self,
        run: RunFile,
        *,
        application: str = "munet",
        alive: Callable[[], bool] | None = None,
        warm: bool = False,
        keys: tuple[str, str] | None = None,
        pictures: Literal["pixels", "png"] = "pixels",
    ) -> None:
        """Start connecting.

        Args:
            run: the run file of the backend.
            application: name of this program, for the backend's log.
            alive: tells whether the backend's process runs; by default its process id is looked up, if it has one here.
            keys: public and secret CURVE key that the backend knows this user by; by default new ones are made.
            warm: let the backend load its libraries at once because a job will follow soon.
            pictures: how results shall hold their pictures; backends before protocol 1.1 send pixels in any case.
        """
        self.state: ClientState = "connecting"
        self.error: BackendError | None = None
        self.welcome: dict[str, Any] = {}
        self.backend_status: dict[str, Any] = {}
        self._ended = False
        self._run = run
        self._pictures = pictures
        self._jobs: dict[str, Job] = {}
        self._answers: dict[str, Message | None] = {}
        self._link = Link(run, alive or (lambda: not run.pid or process_alive(run.pid)), keys)
        self._link.start()
        self._exit_hook = _close_at_exit(self)
        self._send(messages.HELLO, "hello", {"application": application, "pid": os.getpid(), "warm": warm})

    def submit(self, image: bytes, name: str, settings: Mapping[str, Any] | None = None, *, kind: str = "photo") -> Job:
        """Queue a photo.

        Args:
            image: the bytes of the image file.
            name: of the file, for messages.
            settings: fields of ``munet.settings.Settings``; absent ones keep their defaults.
            kind: "photo" reconstructs its people, "people" only finds them.

        Raises:
            BackendError: BACKEND_GONE: the connection has ended; INVALID_INPUT: the file is empty or too large.
        """
        if not 0 < len(image) <= messages.MAX_IMAGE_BYTES:
            detail = f"'{name}' has {len(image)} bytes, at most {messages.MAX_IMAGE_BYTES} are allowed."
            title = "The image file is empty." if not image else "The image file is too large."
            raise BackendError("INVALID_INPUT", title, detail=detail, hint="Choose another file.")
        return self._queue(image, {"kind": kind, "name": name, "settings": dict(settings or {})})

    def submit_clip(
        self,
        paths: Sequence[Path],
        name: str,
        settings: Mapping[str, Any] | None = None,
        clip: Mapping[str, Any] | None = None,
    ) -> Job:
        """Queue a clip, of which a backend on this computer reads the files itself; another one gets their bytes.

        Args:
            paths: one video, or pictures in order.
            name: for messages.
            settings: fields of ``munet.settings.Settings``.
            clip: fields of ``munet.sequence.settings.ClipSettings``.

        Raises:
            BackendError: BACKEND_GONE: the connection has ended; INVALID_INPUT: there are no files, one can not be
                read, or they are too large to be sent.
        """
        if not paths:
            raise BackendError("INVALID_INPUT", "The clip has no files.", hint="Choose a video or pictures.")
        body = {"kind": "sequence", "name": name, "settings": dict(settings or {}), "clip": dict(clip or {})}
        names = [str(path.absolute()) for path in paths]
        if self._run.host in LOOPBACK and not any("\n" in name for name in names):
            return self._queue("\n".join(names).encode(errors="surrogatepass"), body)
        data, files = read_clip(paths)
        return self._queue(data, {**body, "files": files})

    def _queue(self, data: bytes, body: dict[str, Any]) -> Job:
        job = Job(id=uuid.uuid4().hex, name=str(body["name"]))
        body = {**body, "pictures": self._pictures}
        self._send(messages.SUBMIT, job.id, body, {"image": np.frombuffer(data, np.uint8)})
        self._jobs[job.id] = job
        return job

    def cancel(self, job: Job) -> None:
        """Ask the backend to stop ``job``; its state becomes "cancelled" once that has happened."""
        if not job.finished and not job.cancel_requested:
            job.cancel_requested = True
            self._send(messages.CANCEL, job.id)

    def pump(self) -> list[Job]:
        """Take in everything that has arrived, without waiting, and return the jobs that changed."""
        changed: dict[str, Job] = {}
        while (event := self._next(0.0)) is not None:
            changed.update({job.id: job for job in self._take(event)})
        return list(changed.values())

    def wait(
        self, job: Job, *, timeout: float | None = None, on_update: Callable[[Job], None] | None = None
    ) -> JobResult:
        """Block until ``job`` has ended and return its result.

        Raises:
            BackendError: the job's error, or TIMEOUT.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not job.finished:
            event = self._next(WAIT_STEP)
            changed = [] if event is None else self._take(event)
            if on_update is not None and any(other is job for other in changed):
                on_update(job)
            if end is not None and time.monotonic() > end and not job.finished:
                raise BackendError("TIMEOUT", "The backend took too long.", detail=f"More than {timeout} s.")
        if job.result is None:
            raise job.error or BackendError("INTERNAL", "The job ended without a result.")
        return job.result

    def wait_connected(self, timeout: float = ANSWER_SECONDS) -> None:
        """Block until the backend has answered the greeting.

        Raises:
            BackendError: it refused (AUTH, PROTOCOL_VERSION, ...), has gone or does not answer (TIMEOUT).
        """
        self._wait_until(lambda: self.state != "connecting", timeout)
        if self.error is not None:
            raise self.error

    def request_status(self) -> None:
        """Ask for the backend's state; the answer appears in ``backend_status``."""
        self._send(messages.STATUS, "status")

    def status(self, timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """Ask for the backend's state and wait for it."""
        return self._ask(messages.STATUS, {}, timeout).body

    def unload(self, timeout: float = ANSWER_SECONDS) -> None:
        """Free the memory of the models; the next job loads them again.

        Raises:
            BackendError: BUSY: a job is running.
        """
        self._ask(messages.UNLOAD, {}, timeout)

    def shutdown(self, *, force: bool = False, timeout: float = ANSWER_SECONDS) -> None:
        """End the backend.

        Raises:
            BackendError: BUSY: other clients are connected and ``force`` is not set.
        """
        self._ask(messages.SHUTDOWN, {"force": force}, timeout)
        self._ended = True

    def close(self) -> None:
        """End the connection; safe to call twice, never takes longer than about two seconds."""
        if self.state == "closed":
            return
        self.state = "closed"
        atexit.unregister(self._exit_hook)
        self._link.stop(goodbye=not self._ended)
        self._link.join(JOIN_SECONDS)
        self._fail_jobs(BackendError("BACKEND_GONE", "The connection to the backend was closed."))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(
        self, kind: str, message_id: str, body: dict[str, Any] | None = None, arrays: dict[str, Array] | None = None
    ) -> None:
        if self.state in {"gone", "closed"}:
            raise self.error or BackendError("BACKEND_GONE", "The connection to the backend is closed.")
        self._link.outbox.put(encode(Message(kind, message_id, body or {}, arrays or {}, token=self._run.token)))

    def _ask(self, kind: str, body: dict[str, Any], timeout: float) -> Message:
        key = uuid.uuid4().hex
        self._answers[key] = None
        try:
            self._send(kind, key, body)
            self._wait_until(lambda: self._answers[key] is not None or self.state == "gone", timeout)
            answer = self._answers[key]
        finally:
            del self._answers[key]
        if answer is None:
            raise self.error or BackendError("BACKEND_GONE", "The backend has stopped.")
        if answer.type == messages.ERROR:
            raise BackendError.from_body(answer.body)
        return answer

    def _wait_until(self, done: Callable[[], bool], timeout: float) -> None:
        end = time.monotonic() + timeout
        while not done():
            if time.monotonic() > end:
                hint = "Restart the backend; its log may tell why it is silent."
                raise BackendError("TIMEOUT", "The backend does not answer.", detail=f"Waited {timeout} s.", hint=hint)
            event = self._next(WAIT_STEP)
            if event is not None:
                self._take(event)

    def _next(self, seconds: float) -> Message | Gone | None:
        try:
            return self._link.inbox.get(timeout=seconds) if seconds else self._link.inbox.get_nowait()
        except queue.Empty:
            return None

    def _take(self, event: Message | Gone) -> list[Job]:
        if isinstance(event, Gone):
            return self._lose(event.error)
        if event.id in self._answers:
            self._answers[event.id] = event
            return []
        job = self._jobs.get(event.id)
        if job is not None:
            job.apply(event)
            if job.finished:
                del self._jobs[job.id]
            return [job]
        return self._take_other(event)

    def _take_other(self, event: Message) -> list[Job]:
        if event.type == messages.WELCOME and self.state == "connecting":
            self.state, self.welcome = "connected", event.body
        elif event.type == messages.STATUS:
            self.backend_status = event.body
        elif event.type == messages.ERROR and event.id in {"", "hello"}:
            self._link.stop()
            return self._lose(BackendError.from_body(event.body))
        return []

    def _lose(self, error: BackendError) -> list[Job]:
        if self.state != "closed":
            self.state = "gone"
        self.error = error
        return self._fail_jobs(error)

    def _fail_jobs(self, error: BackendError) -> list[Job]:
        lost = list(self._jobs.values())
        self._jobs.clear()
        for job in lost:
            job.fail(error)
        return lost


def connect(run_file: Path, *, application: str = "munet", timeout: float = ANSWER_SECONDS) -> Client:
    """Connect to the backend that published ``run_file`` and wait for its welcome.

    Raises:
        BackendError: the file is not usable, or the backend refuses or does not answer.
    """
    client = Client(read_run_file(run_file), application=application)
    try:
        client.wait_connected(timeout)
    except BackendError:
        client.close()
        raise
    return client


def _close_at_exit(client: Client) -> Callable[[], None]:
    reference = weakref.ref(client)

    def close() -> None:
        living = reference()
        if living is not None:
            living.close()

    atexit.register(close)
    return close
