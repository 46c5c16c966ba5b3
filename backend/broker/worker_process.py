"""The worker as the broker sees it: a child process that may die or hang at any time."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import Literal

from ..protocol.runfile import new_token
from .job_object import bind_to_this_process

log = logging.getLogger("backend.worker")

WorkerState = Literal["absent", "starting", "idle", "busy", "stopping"]
EXIT_SECONDS = 5.0
LAST_WORDS_SECONDS = 0.2
NO_WINDOW = 0x08000000


class WorkerProcess:
    """Starts, watches and ends the worker process.

    Attributes:
        state: what it is doing as far as known.
        identity: routing identity of its socket once it is ready.
        since: when the state began.
        heard: when it last gave a sign of life.
    """

    def __init__(self, command: tuple[str, ...], endpoint: str, device: str, memory_limit: int = 0) -> None:
        self.state: WorkerState = "absent"
        self.identity = b""
        self.since = 0.0
        self.heard = 0.0
        self._command = command
        self._endpoint = endpoint
        self._device = device
        self._memory_limit = memory_limit
        self._job_object = 0
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._lines: deque[str] = deque(maxlen=20)

    @property
    def pid(self) -> int:
        """Process id, 0 without a process."""
        return self._process.pid if self._process else 0

    @property
    def last_line(self) -> str:
        """The last thing it wrote."""
        return self._lines[-1] if self._lines else ""

    def start(self, now: float) -> None:
        """Start the process.

        Raises:
            OSError: the interpreter can not be run.
        """
        self._token = new_token()
        self._lines.clear()
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=NO_WINDOW if sys.platform == "win32" else 0,
        )
        self._process = process
        if sys.platform == "win32":
            self._job_object = bind_to_this_process(int(process._handle))  # type: ignore[attr-defined,unused-ignore]  # noqa: SLF001
        self._greet(process)
        self._reader = threading.Thread(target=self._read_output, args=(process,), daemon=True)
        self._reader.start()
        self.enter("starting", now)

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        """Hand over endpoint and secret; the pipe stays open, and its end tells the worker that the broker is gone."""
        start = {"endpoint": self._endpoint, "token": self._token, "device": self._device, "broker": os.getpid()}
        start["memory_limit"] = self._memory_limit
        try:
            process.stdin.write(json.dumps(start).encode() + b"\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            log.warning("The worker ended before it could be greeted")

    def _read_output(self, process: subprocess.Popen[bytes]) -> None:
        for raw in process.stdout or ():
            line = raw.decode(errors="replace").rstrip()
            self._lines.append(line)
            log.info("%s", line)

    def enter(self, state: WorkerState, now: float) -> None:
        """Change the state; the silence is counted anew."""
        self.state, self.since, self.heard = state, now, now

    def accepts(self, identity: bytes, token: str) -> bool:
        """Return whether a message comes from this worker; the first one with the right token binds the identity."""
        if not self._token or not secrets.compare_digest(token.encode(errors="replace"), self._token.encode()):
            return False
        self.identity = self.identity or identity
        return identity == self.identity

    def ended(self) -> bool:
        """Return whether the process has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def describe_end(self) -> str:
        """Return how the process ended, in words."""
        if self._reader is not None:
            self._reader.join(LAST_WORDS_SECONDS)
        code = self._process.returncode if self._process else None
        if code is None:
            return "It was stopped."
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            memory = " (usually because the computer ran out of memory)" if name == "SIGKILL" else ""
            return f"It was ended by {name}{memory}."
        return f"It ended with status {code}. {self.last_line}".strip()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            try:
                self._process.wait(EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                log.critical("The worker %d can not be ended", self._process.pid)

    def forget(self, now: float) -> None:
        """Let go of a process that has ended."""
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                log.debug("The pipe to the worker was already broken")
        self._process, self._token, self.identity = None, "", b""
        self.enter("absent", now)
