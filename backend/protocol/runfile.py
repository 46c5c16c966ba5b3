"""The run file: where a running backend listens and the secret it wants to hear."""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from .errors import BackendError
from .processes import process_alive
from .version import MAJOR

MAX_BYTES = 1 << 16


@dataclass(frozen=True)
class RunFile:
    """What a backend publishes.

    Attributes:
        host, port: TCP endpoint.
        pid: of the broker process.
        protocol: major version of the protocol.
        token: 256 bit secret in hexadecimal, wanted in every message.
        started: seconds since the epoch.
        curve_key: public CURVE key (Z85) if the connection is encrypted, else empty.
    """

    host: str
    port: int
    pid: int
    protocol: int
    token: str
    started: float
    curve_key: str = ""

    @property
    def endpoint(self) -> str:
        """The ZeroMQ endpoint."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def new_token() -> str:
    """Return a fresh 256 bit secret in hexadecimal."""
    return secrets.token_hex(32)


def write_run_file(run: RunFile, path: Path) -> None:
    """Publish ``run`` at ``path`` (mode 0600), which appears only when it is complete."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(run), stream)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_run_file(path: Path) -> RunFile:
    """Read a run file.

    Raises:
        BackendError: RUN_FILE: it is absent, malformed or readable by others.
    """
    try:
        _check_private(path)
        with path.open("rb") as stream:
            values = json.loads(stream.read(MAX_BYTES))
        known = {field.name: values[field.name] for field in fields(RunFile) if field.name in values}
        run = RunFile(**known)
        if not isinstance(run.port, int) or not isinstance(run.pid, int) or not isinstance(run.token, str):
            raise TypeError("port, pid or token have the wrong type")
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(path, str(error)) from error
    return run


def find_run_files(directory: Path) -> list[tuple[Path, RunFile]]:
    """Return the run files of living backends of this protocol in ``directory``, newest first; remove dead ones."""
    found = []
    for path in directory.glob("*.json"):
        try:
            run = read_run_file(path)
        except BackendError:
            continue
        if not process_alive(run.pid):
            path.unlink(missing_ok=True)
        elif run.protocol == MAJOR:
            found.append((path, run))
    return sorted(found, key=lambda pair: pair[1].started, reverse=True)


def _check_private(path: Path) -> None:
    if os.name != "posix":
        return
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise _unusable(path, "It is not a private file of this user.")


def _unusable(path: Path, detail: str) -> BackendError:
    return BackendError("RUN_FILE", f"The run file {path} can not be used.", detail=detail, hint="Start the backend.")
