"""The backend of a batch: started when needed, started again if it dies, ended with the batch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from _environment import ROOT

from backend.client import Client, Job, Launch, LaunchOptions, start_backend
from backend.protocol.errors import BackendError
from backend.protocol.results import JobResult
from backend.protocol.runfile import read_run_file

CANCEL_SECONDS = 1.0


class BackendSession:
    """A connection that lasts for a batch.

    Args:
        run_file: of a running backend to use; None starts one.
        device: torch device of a backend that is started.
        module: what is started, for tests.
        arguments: more arguments for it.
    """

    def __init__(
        self, run_file: Path | None, device: str, *, module: str = "backend", arguments: tuple[str, ...] = ()
    ) -> None:
        self._run_file = run_file
        self._options = LaunchOptions(
            Path(sys.executable), root=ROOT, device=device, warm=True, module=module, arguments=arguments
        )
        self._launch: Launch | None = None
        self._client: Client | None = None

    def version(self) -> str:
        """Return the version of the backend.

        Raises:
            BackendError: no backend can be reached.
        """
        return str(self._connected().welcome.get("version", ""))

    def submit(self, image: bytes, name: str, settings: Mapping[str, Any]) -> Job:
        """Queue a photo.

        Raises:
            BackendError: no backend can be reached.
        """
        return self._connected().submit(image, name, settings)

    def submit_clip(
        self, files: Sequence[Path], name: str, settings: Mapping[str, Any], clip: Mapping[str, Any]
    ) -> Job:
        """Queue a clip.

        Raises:
            BackendError: no backend can be reached, or the files can not be sent.
        """
        return self._connected().submit_clip(files, name, settings, clip)

    def wait(self, job: Job, on_update: Callable[[Job], None]) -> JobResult:
        """Wait for the end of a job.

        Raises:
            BackendError: the job failed.
        """
        if job.error is not None:
            raise job.error
        if self._client is None:
            raise BackendError("BACKEND_GONE", "The backend has stopped.")
        return self._client.wait(job, on_update=on_update)

    def close(self) -> None:
        """End the backend that was started here; a running one only forgets our jobs."""
        self._disconnect()

    def _connected(self) -> Client:
        if self._client is not None:
            self._client.pump()
            if self._client.state == "connected":
                return self._client
            self._disconnect()
        client = self._new_client()
        try:
            client.wait_connected()
        except BackendError:
            client.close()
            raise
        self._client = client
        return client

    def _new_client(self) -> Client:
        if self._run_file is not None:
            return Client(read_run_file(self._run_file), application="reconstruct.py", warm=True)
        self._launch = start_backend(self._options)
        return Client(self._launch.wait(), application="reconstruct.py", alive=self._launch.alive, warm=True)

    def _shut_down(self, client: Client) -> bool:
        """Ask the backend to end; return whether a Blender has joined it, which then is the one it ends with."""
        try:
            client.shutdown(timeout=CANCEL_SECONDS)
        except BackendError as error:
            return error.code == "BUSY"
        return False

    def _disconnect(self) -> None:
        shared = False
        if self._client is not None:
            if self._launch is not None:
                shared = self._shut_down(self._client)
            self._client.close()
        if self._launch is not None and not shared:
            self._launch.stop()
        self._client = self._launch = None
