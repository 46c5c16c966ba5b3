"""The life of the backend as this Blender sees it: an explicit state machine. No bpy."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..backend.client import Client, Job, Launch, start_backend
from ..backend.protocol import BackendError, RunFile, find_run_files, read_run_file
from ..backend.protocol.places import log_dir, runtime_dir
from ..errors import AddonError
from .discovery import BackendPlace, launch_options, standing
from .remote import remote_keys, remote_run, silent
from .states import RESTING, RUNNING, SETTLED, State, may_go
from .task import Task

START_SECONDS = 60.0
JOIN_SECONDS = 5.0
REMOTE_SECONDS = 15.0
STOP_SECONDS = 10.0
STATUS_SECONDS = 2.0
LAST = "munet-last"
"""Name of the threads that end what a disabled extension has left; looked for by name, because modules are unloaded."""
_WAIT_STEP = 0.05

_log = logging.getLogger(__package__)

Failure = AddonError | BackendError
_ANSWERED_BY_LOOKING = frozenset({"NO_BACKEND", "UPDATE_NEEDED"})


class Manager:
    """Owns the backend process and the connection to it. Use it from one thread; only the wait methods block.

    Attributes:
        state: see :class:`State`.
        failure: why the state is FAILED.
        note: more about the state: what was found on the disk.
        task: the installation, update or removal that runs or was the last.
    """

    def __init__(self) -> None:
        self.state = State.STOPPED
        self.failure: Failure | None = None
        self.note = ""
        self.task: Task | None = None
        self._asked = 0.0
        self._place = BackendPlace()
        self._launch: Launch | None = None
        self._client: Client | None = None
        self._deadline = 0.0
        self._far = False
        self._instead: BackendPlace | None = None
        self._waiting: BackendPlace | None = None
        self._stopper: threading.Thread | None = None
        self._jobs: dict[str, Job] = {}

    @property
    def running(self) -> bool:
        """Whether there is a backend to submit to."""
        return self.state in RUNNING

    @property
    def settled(self) -> bool:
        """Whether nothing will change until somebody asks for it."""
        return self.state in SETTLED

    @property
    def welcome(self) -> Mapping[str, Any]:
        """What the backend said about itself (version, device, ...); empty before."""
        return self._client.welcome if self._client else {}

    @property
    def status(self) -> Mapping[str, Any]:
        """What the running backend last said about its worker, device and memory; empty before."""
        return self._client.backend_status if self._client else {}

    @property
    def log_file(self) -> Path | None:
        """The log of what failed or ran last: the installation, the backend of this Blender, or an earlier one."""
        if self.task is not None and self.task.failure is not None and self.task.log_file is not None:
            return self.task.log_file
        if self._launch is not None:
            return self._launch.log_file
        earlier = log_dir() / "backend.log"
        return earlier if earlier.is_file() else None

    def look(self, place: BackendPlace) -> None:
        """Decide between not installed, update needed and stopped, from what is on the disk, if nothing runs."""
        outdated = self.failure is not None and self.failure.code in _ANSWERED_BY_LOOKING
        if self.state in RESTING or (self.state is State.FAILED and outdated):
            state, self.note = standing(place)
            if state is State.STOPPED and outdated:
                self.failure = None
            self._go(state)

    def work_on_installation(self, task: Task, place: BackendPlace) -> None:
        """Begin to install, update or remove what is at ``place``.

        Raises:
            AddonError: BUSY: the backend runs.
        """
        if not self.settled or _earlier_one_ends():
            raise AddonError("BUSY", "The backend is running.", hint="Stop the backend first.")
        self._drop()
        self.failure = None
        self.task, self._place = task.start(), place
        self._go(State.INSTALLING)

    def start(self, place: BackendPlace) -> None:
        """Begin to join or to start a backend as ``place`` says; failures end in the state FAILED.

        A shared backend that does not answer within JOIN_SECONDS, or refuses, is replaced by an own one. One that still
        ends because the extension was disabled is waited for, so that nobody joins it.
        """
        if not self.settled:
            return
        self._drop()
        try:
            if _earlier_one_ends():
                self._waiting = place
            else:
                self._join_or_launch(place)
        except (AddonError, BackendError) as error:
            self._fail(error)
            return
        self.failure = None
        self._go(State.STARTING)

    def submit(self, image: bytes, name: str, settings: Mapping[str, Any], kind: str = "photo") -> Job:
        """Send a photo to the running backend; ``kind`` says what to do with it.

        Raises:
            BackendError: it can not be sent.
        """
        return self._queued(self._connected().submit(image, name, settings, kind=kind))

    def submit_clip(
        self, files: Sequence[Path], name: str, settings: Mapping[str, Any], clip: Mapping[str, Any]
    ) -> Job:
        """Send one video, or pictures in order, to the running backend.

        Raises:
            BackendError: it can not be sent.
        """
        return self._queued(self._connected().submit_clip(files, name, settings, clip))

    def _connected(self) -> Client:
        if self._client is None or not self.running:
            raise BackendError("BACKEND_GONE", "The backend is not running.", hint="Start the backend.")
        return self._client

    def _queued(self, job: Job) -> Job:
        self._jobs[job.id] = job
        self._go(State.BUSY)
        return job

    def cancel(self, job: Job) -> None:
        """Ask the backend to stop ``job``."""
        if self._client is not None and self.running:
            self._client.cancel(job)

    def pump(self) -> None:
        """Take in what has happened, without waiting."""
        try:
            if self._waiting is not None:
                self._pump_waiting(self._waiting)
            elif self.state is State.STARTING:
                self._pump_start()
            elif self.running:
                self._pump_client()
            elif self.state is State.INSTALLING:
                self._pump_task()
            elif self.state is State.STOPPING and not (self._stopper and self._stopper.is_alive()):
                self._stopper = None
                self._go(State.STOPPED)
        except (AddonError, BackendError) as error:
            self._fail(error)

    def _pump_task(self) -> None:
        task = self.task
        if task is None or not task.finished:
            return
        if task.failure is not None:
            raise task.failure
        self._go(State.STOPPED)
        self.look(self._place)

    def wait_installed(self) -> None:
        """Block until the installation, update or removal has ended."""
        while self.state is State.INSTALLING:
            time.sleep(_WAIT_STEP)
            self.pump()

    def wait_running(self) -> None:
        """Block until the backend is ready or has failed to start."""
        while self.state is State.STARTING:
            time.sleep(_WAIT_STEP)
            self.pump()

    def stop(self) -> None:
        """Begin to stop: a backend of our own ends, a joined one is left alone."""
        if self.state is State.STOPPING:
            return
        if self.state is State.INSTALLING and self.task is not None:
            self.task.cancel()
            return
        if self.state in RESTING:
            return
        client, launch = self._client, self._launch
        self._client = self._launch = self._instead = self._waiting = None
        self._jobs.clear()
        if client is None and launch is None:
            self.failure = None
            self.state = State.STOPPED
            return
        self._stopper = threading.Thread(target=_end, args=(client, launch), name="munet-stop", daemon=True)
        self._stopper.start()
        self._go(State.STOPPING)

    def close(self) -> None:
        """Stop and wait for it; takes a few seconds at most."""
        self.stop()
        if self.task is not None and not self.task.finished:
            self.task.join(STOP_SECONDS)
        if self._stopper is not None:
            self._stopper.join(STOP_SECONDS)
        self.pump()

    def _join_or_launch(self, place: BackendPlace) -> None:
        self._far = bool(place.endpoint)
        self._deadline = time.monotonic() + (REMOTE_SECONDS if self._far else START_SECONDS)
        others = find_run_files(runtime_dir()) if place.share and not place.run_file else []
        if place.endpoint:
            self._client = Client(remote_run(place), application="blender", keys=remote_keys(place), pictures="png")
        elif place.run_file:
            self._connect(read_run_file(Path(place.run_file)))
        elif others:
            self._instead = place
            self._deadline = time.monotonic() + JOIN_SECONDS
            self._connect(others[0][1])
        else:
            self._launch = start_backend(launch_options(place))

    def _launch_instead(self, place: BackendPlace) -> None:
        """Start a backend because the shared one can not be used."""
        _log.info("backend: the running one can not be joined: %s", self._client.error if self._client else None)
        self._drop()
        self._deadline = time.monotonic() + START_SECONDS
        self._launch = start_backend(launch_options(place))

    def _pump_waiting(self, place: BackendPlace) -> None:
        if not _earlier_one_ends():
            self._waiting = None
            self._join_or_launch(place)

    def _pump_start(self) -> None:
        if self._client is None and self._launch is not None:
            run = self._launch.poll()
            if run is not None:
                self._connect(run)
        if self._client is not None:
            self._client.pump()
            if self._client.state == "connected":
                self._instead = None
                self._go(State.READY)
                return
            if self._instead is not None:
                if self._client.state != "connecting" or time.monotonic() > self._deadline:
                    self._launch_instead(self._instead)
                return
            self._check_connection(self._client)
        if time.monotonic() > self._deadline:
            detail = f"Waited {START_SECONDS:.0f} s."
            if self._far:
                raise silent(f"Waited {REMOTE_SECONDS:.0f} s.")
            raise BackendError(
                "BACKEND_START", "The backend did not start in time.", detail=detail, hint="Look into its log."
            )

    def _pump_client(self) -> None:
        client = self._client
        if client is None:
            return
        client.pump()
        if time.monotonic() - self._asked > STATUS_SECONDS:
            self._asked = time.monotonic()
            client.request_status()
        self._jobs = {key: job for key, job in self._jobs.items() if not job.finished}
        self._check_connection(client)
        self._go(State.BUSY if self._jobs else State.READY)

    def _check_connection(self, client: Client) -> None:
        if client.state in {"gone", "closed"}:
            raise client.error or BackendError("BACKEND_GONE", "The backend has stopped.", hint="Start it again.")

    def _connect(self, run: RunFile) -> None:
        alive = self._launch.alive if self._launch else None
        self._client = Client(run, application="blender", alive=alive, pictures="png")

    def _fail(self, error: Failure) -> None:
        _log.warning("backend: %s", error)
        self.failure = error
        self._go(State.FAILED)
        self._jobs.clear()

    def _drop(self) -> None:
        """Let go of a failed backend's remains."""
        if self._client is not None or self._launch is not None:
            threading.Thread(target=_end, args=(self._client, self._launch), name="munet-drop", daemon=True).start()
        self._client = self._launch = self._instead = None

    def _go(self, state: State) -> None:
        if state is self.state:
            return
        if not may_go(self.state, state):
            raise RuntimeError(f"no way from {self.state} to {state}")
        _log.info("backend: %s -> %s", self.state.value, state.value)
        self.state = state


def _earlier_one_ends() -> bool:
    return any(thread.name == LAST for thread in threading.enumerate())


def _end(client: Client | None, launch: Launch | None) -> None:
    """End connection and process; runs in a thread of its own because both may take seconds."""
    shared = False
    try:
        if client is not None and launch is not None and client.state == "connected":
            client.shutdown(timeout=STOP_SECONDS / 2)
    except BackendError as error:
        shared = error.code == "BUSY"
    finally:
        if client is not None:
            client.close()
        if launch is not None and not shared:
            launch.stop()
