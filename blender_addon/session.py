"""What this Blender is doing: one backend manager and one list of photos at a time. No bpy."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .backend_manager.batch import Batch
from .backend_manager.discovery import BackendPlace
from .backend_manager.manager import LAST, Failure, Manager
from .backend_manager.states import State
from .backend_manager.task import Task
from .errors import AddonError

if TYPE_CHECKING:
    from .work import Work

LOOK_SECONDS = 2.0
PATIENCE = 0.1
"""Seconds for which disabling lets Blender stand still; only Blender's end waits for what takes longer."""
_TIDY_SECONDS = 1.0


@dataclass
class Session:
    """State between register and unregister; it belongs to the main thread.

    Attributes:
        manager: of the backend.
        batch: the latest list of photos.
        failure: the latest failure the user has not dismissed.
        tools: small tasks beside the work, by name.
        work: what is being done with the scene, in steps.
        upheavals: counts undo, redo and files opened, after which nothing of Blender's that was held is valid.
    """

    manager: Manager = field(default_factory=Manager)
    batch: Batch | None = None
    failure: Failure | None = None
    tools: dict[str, Task] = field(default_factory=dict)
    work: Work | None = None
    upheavals: int = 0
    _looked: float = field(default=float("-inf"))

    @property
    def working(self) -> bool:
        """Whether photos are being worked on."""
        return self.batch is not None and not self.batch.finished

    @property
    def changing(self) -> bool:
        """Whether something happens by itself that wants to be looked at soon."""
        moving = {State.STARTING, State.STOPPING, State.INSTALLING}
        busy = self.working or self.work is not None or self.manager.state in moving
        return busy or any(not task.finished for task in self.tools.values())

    def look(self, place: BackendPlace, *, now: bool = False) -> None:
        """Find out from the disk whether the backend is installed; at most every two seconds unless ``now``."""
        if now or time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            self.manager.look(place)

    def doing(self, name: str) -> bool:
        """Return whether the small task of that name runs."""
        return name in self.tools and not self.tools[name].finished

    def start_tool(self, task: Task) -> None:
        """Begin a small task, in place of an earlier one of its name.

        Raises:
            AddonError: BUSY: that one still runs.
        """
        earlier = self.tools.get(task.name)
        if earlier is not None and not earlier.finished:
            raise AddonError("BUSY", "This is being done already.", hint="Wait until it has finished.")
        self.tools[task.name] = task.start()

    def cancel(self) -> None:
        """Cancel the photos."""
        if self.batch is not None:
            self.batch.cancel(self.manager)

    def stop_backend(self) -> None:
        """Cancel the photos and stop the backend."""
        self.cancel()
        self.manager.stop()


_sessions: list[Session] = []


def open_session() -> None:
    """Begin a session; called by register."""
    close_session()
    _sessions.append(Session())


def close_session(patience: float | None = None) -> None:
    """End the session and its backend; called by unregister and at exit, safe to call twice.

    Args:
        patience: seconds to wait for their end, which comes by itself; None waits until it has come.
    """
    while _sessions:
        session = _sessions.pop()
        session.cancel()
        for task in session.tools.values():
            task.cancel()
        session.manager.stop()
        # Not a daemon: when Blender quits at once, Python waits for it.
        last = threading.Thread(target=_see_off, args=(session,), name=LAST, daemon=False)
        last.start()
        last.join(patience)


def _see_off(session: Session) -> None:
    for task in session.tools.values():
        task.join(_TIDY_SECONDS)
    session.manager.close()


def open_sessions() -> tuple[Session, ...]:
    """Return the session, if there is one: where Python ends before Blender, it is closed before unregister."""
    return tuple(_sessions)


def current() -> Session:
    """Return the session.

    Raises:
        AddonError: DISABLED: the extension is not registered.
    """
    if not _sessions:
        raise AddonError("DISABLED", "The extension is not enabled.", hint="Enable it in the preferences.")
    return _sessions[-1]


def look_again(place: BackendPlace) -> None:
    """Find out at once whether the backend is there, after a change of the preferences."""
    if _sessions:
        _sessions[-1].look(place, now=True)
