"""Start the backend process and follow it until it can be reached."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..protocol.errors import BackendError
from ..protocol.places import RUNTIME_VARIABLE, log_dir, make_private_dir, runtime_dir
from ..protocol.runfile import RunFile, read_run_file

FOREIGN_VARIABLES = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)
EXIT_SENTENCES = {
    2: "The backend did not understand how it was started.",
    3: "The backend could not create its private folder.",
    4: "The backend could not open a port on this computer.",
}
START_SECONDS = 30.0
STOP_SECONDS = 5.0
TAIL_BYTES = 2000
CONSOLE_SECONDS = 3600.0


@dataclass(frozen=True)
class LaunchOptions:
    """How to start a backend.

    Attributes:
        python: interpreter of the backend's environment.
        root: folder that contains the package ``backend`` if it is not installed in that environment.
        device: torch device name, or "auto".
        idle_minutes: the backend ends after this long without a client.
        runtime_dir: for the run file; None takes the user's own.
        log_file: None takes the user's own.
        parent_pid: the backend ends with this process; None takes the caller.
        warm: start the worker at once, because a job will follow.
        variables: environment variables of the backend.
        module: what to run instead of ``backend``, for tests.
        arguments: more arguments for the module.
    """

    python: Path
    root: Path | None = None
    device: str = "auto"
    idle_minutes: float = 10.0
    runtime_dir: Path | None = None
    log_file: Path | None = None
    parent_pid: int | None = None
    warm: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    module: str = "backend"
    arguments: tuple[str, ...] = field(default=())


class Launch:
    """A backend process that is starting or running.

    Attributes:
        process: the child process.
        run_path: where its run file appears.
        log_file: its log.
    """

    def __init__(self, process: subprocess.Popen[bytes], run_path: Path, log_file: Path, console: Path) -> None:
        self.process = process
        self.run_path = run_path
        self.log_file = log_file
        self._console = console

    def poll(self) -> RunFile | None:
        """Return the run file once the backend can be reached, None before.

        Raises:
            BackendError: BACKEND_START: the process has ended.
        """
        if self.process.poll() is not None:
            raise self._ended(self.process.returncode)
        return read_run_file(self.run_path) if self.run_path.exists() else None

    def wait(self, timeout: float = START_SECONDS) -> RunFile:
        """Block until the backend can be reached.

        Raises:
            BackendError: BACKEND_START: the process has ended or takes too long (it is stopped then).
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            run = self.poll()
            if run is not None:
                return run
            time.sleep(0.02)
        self.stop()
        raise BackendError(
            "BACKEND_START",
            "The backend did not start in time.",
            detail=f"Waited {timeout:.0f} s; log: {self.log_file}.",
            hint="Try again; a virus scanner may be checking the new program.",
        )

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the process, kindly first; takes a few seconds at most."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_SECONDS)
        self.run_path.unlink(missing_ok=True)

    def _ended(self, code: int) -> BackendError:
        lines = _tail(self._console)
        title = EXIT_SENTENCES.get(code, "The backend ended while it was starting.")
        hint = f"Look into {self.log_file}."
        if any("No module named" in line for line in lines):
            title, hint = "The backend's Python environment is incomplete.", "Install the backend again."
        detail = f"Exit status {code}. {lines[-1] if lines else ''}".strip()
        return BackendError("BACKEND_START", title, detail=detail, hint=hint)


def start_backend(options: LaunchOptions) -> Launch:
    """Start a backend process and return at once.

    Raises:
        BackendError: BACKEND_START: the interpreter can not be run; RUNTIME_DIR: no place for the run file.
    """
    directory = make_private_dir(options.runtime_dir or runtime_dir())
    log_file = options.log_file or log_dir() / "backend.log"
    make_private_dir(log_file.parent)
    name = f"backend-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    _remove_old_consoles(log_file.parent)
    console = log_file.with_name(f"{name}.console")
    try:
        with console.open("wb") as stream:
            command, folder = _command(options, directory, name, log_file), options.root or directory
            process = _spawn(command, folder, stream.fileno(), options.variables)
    except OSError as error:
        hint = "Choose the backend's Python interpreter in the preferences, or install the backend again."
        detail = f"{options.python}: {error.strerror}."
        raise BackendError("BACKEND_START", "The backend can not be started.", detail=detail, hint=hint) from error
    return Launch(process, directory / f"{name}.json", log_file, console)


def _command(options: LaunchOptions, directory: Path, name: str, log_file: Path) -> list[str]:
    parent = os.getpid() if options.parent_pid is None else options.parent_pid
    return [
        str(options.python),
        *("-m", options.module),
        *("--parent-pid", str(parent)),
        *("--runtime-dir", str(directory)),
        *("--name", name),
        *("--device", options.device),
        *("--idle-minutes", str(options.idle_minutes)),
        *("--log-file", str(log_file)),
        *(["--warm"] if options.warm else []),
        *options.arguments,
    ]


def _spawn(command: list[str], folder: Path, console: int, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    windows = sys.platform == "win32"
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**_clean_environment(), **variables},
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        creationflags=0x08000000 if windows else 0,
        start_new_session=not windows,
    )


def _clean_environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in FOREIGN_VARIABLES}
    kept.pop(RUNTIME_VARIABLE, None)
    return {**kept, "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1"}


def _remove_old_consoles(directory: Path) -> None:
    for path in directory.glob("*.console"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > CONSOLE_SECONDS:
                path.unlink()


def _tail(path: Path) -> list[str]:
    try:
        text = path.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
