"""How a broker is run."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..protocol.errors import BackendError


@dataclass(frozen=True)
class BrokerSettings:
    """Settings of one broker process; times in seconds.

    Attributes:
        run_path: the run file to publish.
        host: address to bind; anything but loopback needs ``curve_secret``.
        curve_secret: secret CURVE key (Z85) that encrypts the connections; empty for none.
        listen: further endpoint (tcp://address:port) for the network; needs ``allowed`` and ``curve_secret``, which
            then encrypts that endpoint alone.
        allowed: returns the public CURVE keys of those who may use ``listen``, with their names.
        parent_pid: end with this process (and when no other client is left); 0 for none.
        device: torch device of the worker, or "auto".
        idle_exit: end after this long without a client; 0 for never.
        idle_unload: end an idle worker, and so free its memory, after this long.
        memory_limit: most bytes the worker may take (of the card if it uses one); 0 for no limit.
        client_silence: a client is gone after this long without a sign of life.
        worker_start: the worker must be ready within this time.
        worker_silence: a worker without heartbeat for this long is hung.
        worker_stall: a job without any progress for this long is hung.
        cancel_grace: a job that has not ended this long after its cancellation costs the worker its life.
        max_jobs, max_waiting_bytes: bounds of the queue.
        worker_command: starts the worker.
        warm: start it at once, because a job will follow.
        log_file: named in errors.
    """

    run_path: Path
    host: str = "127.0.0.1"
    curve_secret: str = field(default="", repr=False)
    listen: str = ""
    allowed: Callable[[], dict[str, str]] | None = None
    parent_pid: int = 0
    device: str = "auto"
    idle_exit: float = 600.0
    idle_unload: float = 600.0
    memory_limit: int = 0
    client_silence: float = 10.0
    worker_start: float = 60.0
    worker_silence: float = 45.0
    worker_stall: float = 900.0
    cancel_grace: float = 5.0
    max_jobs: int = 1000
    max_waiting_bytes: int = 2 << 30
    worker_command: tuple[str, ...] = (sys.executable, "-m", "backend.worker")
    warm: bool = False
    log_file: Path | None = None

    def check(self) -> None:
        """Refuse to listen to the network without encryption.

        Raises:
            BackendError: INSECURE_HOST.
        """
        if self.listen:
            self._check_listen()
        if self._encrypts_host or _is_loopback(self.host):
            return
        raise BackendError(
            "INSECURE_HOST",
            "The backend does not listen to the network without encryption.",
            detail=f"'{self.host}' is not a loopback address and no CURVE key is given.",
            hint="Use 127.0.0.1, or --listen with --curve-keys.",
        )

    @property
    def _encrypts_host(self) -> bool:
        return bool(self.curve_secret) and not self.listen

    def _check_listen(self) -> None:
        host, _ = listen_parts(self.listen)
        if self.curve_secret and self.allowed is not None:
            return
        raise BackendError(
            "INSECURE_HOST",
            "The backend does not listen to the network without encryption.",
            detail=f"'{host}' was asked for and no keys are given.",
            hint="Make keys with python -m backend.keys server FOLDER, and give --curve-keys FOLDER.",
        )


def listen_parts(endpoint: str) -> tuple[str, int]:
    """Return address and port of ``tcp://address:port``.

    Raises:
        BackendError: INSECURE_HOST: it is malformed.
    """
    match = re.fullmatch(r"tcp://(\[[0-9a-fA-F:.]+\]|[^:\[\]]+):(\d{1,5})", endpoint)
    if match is None or not 0 < int(match[2]) < 65536:
        detail = f"Expected tcp://address:port, found '{endpoint}'."
        raise BackendError("INSECURE_HOST", "The address to listen at is malformed.", detail=detail)
    return match[1].strip("[]"), int(match[2])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
