"""Work that takes a while, in a thread of its own: progress to look at, a way to cancel, one outcome. No bpy."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import AddonError

KEPT_LINES = 200
END_SECONDS = 5.0
NOISE = "Progress "
"""How pip's lines on a running download begin; there are thousands."""
_LED_ASTRAY = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
_PIP_ASTRAY = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")

_log = logging.getLogger(__package__)


class Cancelled(Exception):  # noqa: N818 - a wish of the user is no error
    """The user has asked to stop."""


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit status and the last lines it wrote."""

    status: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def clean_variables() -> dict[str, str]:
    """Return this process' variables without those that lead another Python into Blender's packages."""
    left_out = {*_LED_ASTRAY, *_PIP_ASTRAY}
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    return {**kept, "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1", "PYTHONUNBUFFERED": "1"}


class Task:
    """One piece of work in a daemon thread.

    Attributes:
        name: stable word for what is done.
        fraction: how far it is, in [0, 1].
        text: what is being done, for the user.
        log_file: where the programs' words go, if anywhere.
        result: what the work returned.
        failure: why it failed; a cancelled task has none.
    """

    def __init__(self, name: str, work: Callable[[Task], Any], log_file: Path | None = None) -> None:
        self.name = name
        self.fraction = 0.0
        self.text = ""
        self.log_file = log_file
        self.result: Any = None
        self.failure: AddonError | None = None
        self._work = work
        self._cancelled = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name=f"munet-{name}", daemon=True)

    @property
    def finished(self) -> bool:
        """Whether it has ended, one way or another."""
        return self._thread.ident is not None and not self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether the user has asked to stop."""
        return self._cancelled.is_set()

    def start(self) -> Task:
        """Begin."""
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Ask to stop, without waiting; the program that runs is ended at once."""
        self._cancelled.set()
        process = self._process
        if process is not None:
            threading.Thread(target=end_family, args=(process,), name="munet-end", daemon=True).start()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    def report(self, fraction: float, text: str) -> None:
        """Say how far the work is.

        Raises:
            Cancelled: the user has asked to stop.
        """
        self.check()
        self.fraction, self.text = min(max(fraction, 0.0), 1.0), text

    def check(self) -> None:
        """Raise :class:`Cancelled` if the user has asked to stop."""
        if self.cancelled:
            raise Cancelled

    def call(
        self,
        command: Sequence[str],
        *,
        on_line: Callable[[str], None] | None = None,
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
        limit: float | None = None,
        tied: bool = False,
    ) -> Ended:
        """Run a program to its end; its words go to the log, line by line to ``on_line``, the last ones are returned.

        Args:
            command: the program and its arguments.
            on_line: called with each line.
            folder: where it runs.
            variables: of the environment, beside this process' own.
            limit: seconds after which it is ended.
            tied: its standard input ends when this process does, however that happens.

        Raises:
            Cancelled: the user has asked to stop; the program was ended.
            OSError: the program can not be run, or has not ended within ``limit``.
        """
        self.check()
        kept: deque[str] = deque(maxlen=KEPT_LINES)
        with _opened(self.log_file) as log:
            log.write(f"$ {' '.join(command)}\n")
            process = _spawn(command, folder, {**clean_variables(), **(variables or {})}, tied=tied)
            self._process = process
            late = threading.Event()
            alarm = threading.Timer(limit or threading.TIMEOUT_MAX, _end_late, (process, late))
            alarm.daemon = True
            alarm.start()
            try:
                for line in process.stdout or ():
                    self.check()
                    if not line.startswith(NOISE):
                        log.write(line)
                        log.flush()
                        kept.append(line.rstrip())
                    if on_line is not None:
                        on_line(line.rstrip())
                process.wait(END_SECONDS)
            finally:
                alarm.cancel()
                end_family(process)
                self._process = None
            log.write(f"= {process.returncode}\n")
        self.check()
        if late.is_set():
            raise TimeoutError(f"It did not end within {limit:.0f} s.")
        return Ended(process.returncode, tuple(kept))

    def _run(self) -> None:
        try:
            self.result = self._work(self)
        except Cancelled:
            _log.info("%s: cancelled", self.name)
        except AddonError as error:
            _log.warning("%s: %s", self.name, error)
            self.failure = error
        except OSError as error:
            _log.warning("%s: %s", self.name, error)
            self.failure = AddonError("SYSTEM", "The system refused.", detail=str(error), hint="Open the log.")
        except Exception as error:  # noqa: BLE001 - an exception that left a thread would end the work in silence
            _log.exception("%s failed", self.name)
            detail = f"{type(error).__name__}: {error}"
            self.failure = AddonError("UNEXPECTED", "Something unexpected happened.", detail=detail)


def _opened(path: Path | None) -> IO[str]:
    if path is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8")


def _spawn(
    command: Sequence[str], folder: Path | None, variables: Mapping[str, str], *, tied: bool
) -> subprocess.Popen[str]:
    windows = sys.platform == "win32"
    return subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        creationflags=0x08000000 if windows else 0,
        start_new_session=not windows,
    )


def _end_late(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    end_family(process)


def end_family(process: subprocess.Popen[str]) -> None:
    """End a program and what it has started, if it still runs."""
    if process.poll() is None:
        _kill(process)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        _log.error("process %d can not be ended", process.pid)


def _kill(process: subprocess.Popen[str]) -> None:
    if sys.platform == "win32":
        killer = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(killer, capture_output=True, check=False, creationflags=0x08000000)
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        _log.debug("process %d had ended already", process.pid)
