"""The stages of a job, the reports of their progress and the cancel points between them."""

from __future__ import annotations

from typing import Protocol

STAGES = ("read", "people", "body", "network", "surface", "texture", "preview")


class Progress(Protocol):
    """Receives progress; raises :class:`munet.errors.JobCancelledError` to stop the job."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Report that ``stage`` (one of ``STAGES``) has reached ``fraction`` in [0, 1]."""


def ignore_progress(stage: str, fraction: float) -> None:
    """Report to nobody and never cancel."""
