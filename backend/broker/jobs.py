"""The queue of jobs: who waits for what, in which order. Knows no sockets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from ..protocol.framing import Array


@dataclass
class QueuedJob:
    """One job.

    Attributes:
        serial: the broker's own name of the job, used towards the worker.
        client: routing identity of who asked.
        id: the client's name of the job.
        body: of the submit message.
        image: bytes of the photo.
        cancel_by: when to kill the worker if it has not stopped; 0 while nobody has cancelled.
        advanced: when the worker last reported progress.
    """

    serial: str
    client: bytes
    id: str
    body: dict[str, Any]
    image: Array
    cancel_by: float = 0.0
    advanced: float = 0.0


class JobQueue:
    """Waiting jobs, first come first served, and the one that runs."""

    def __init__(self) -> None:
        self.waiting: deque[QueuedJob] = deque()
        self.running: QueuedJob | None = None
        self._count = 0

    @property
    def waiting_bytes(self) -> int:
        """Size of all waiting photos."""
        return sum(job.image.nbytes for job in self.waiting)

    def add(self, client: bytes, message_id: str, body: dict[str, Any], image: Array) -> int:
        """Queue a job and return how many are before it."""
        self._count += 1
        self.waiting.append(QueuedJob(f"job-{self._count}", client, message_id, body, image))
        return self.position(self.waiting[-1])

    def position(self, job: QueuedJob) -> int:
        """Return how many jobs are before ``job``."""
        return self.waiting.index(job) + (self.running is not None)

    def find(self, client: bytes, message_id: str) -> QueuedJob | None:
        """Return the job of ``client`` with this id, waiting or running."""
        everything = [*self.waiting, *([self.running] if self.running else [])]
        return next((job for job in everything if (job.client, job.id) == (client, message_id)), None)

    def start_next(self) -> QueuedJob | None:
        """Make the first waiting job the running one and return it."""
        self.running = self.waiting.popleft() if self.waiting else None
        return self.running

    def drop_waiting(self, client: bytes) -> None:
        """Forget the waiting jobs of ``client``."""
        self.waiting = deque(job for job in self.waiting if job.client != client)
