"""What this Blender is doing: one backend manager and one list of photos at a time. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field

from .backend_manager.batch import Batch
from .backend_manager.manager import Failure, Manager
from .errors import AddonError


@dataclass
class Session:
    """State between register and unregister; it belongs to the main thread.

    Attributes:
        manager: of the backend.
        batch: the latest list of photos.
        failure: the latest failure the user has not dismissed.
    """

    manager: Manager = field(default_factory=Manager)
    batch: Batch | None = None
    failure: Failure | None = None

    @property
    def working(self) -> bool:
        """Whether photos are being worked on."""
        return self.batch is not None and not self.batch.finished

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


def close_session() -> None:
    """End the session and its backend; called by unregister and at exit, safe to call twice."""
    while _sessions:
        session = _sessions.pop()
        session.cancel()
        session.manager.close()


def current() -> Session:
    """Return the session.

    Raises:
        AddonError: DISABLED: the extension is not registered.
    """
    if not _sessions:
        raise AddonError("DISABLED", "The extension is not enabled.", hint="Enable it in the preferences.")
    return _sessions[-1]
