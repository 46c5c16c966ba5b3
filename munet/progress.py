"""Progress reports and cancel points between the stages of a job."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress; raises :class:`munet.errors.JobCancelledError` to stop the job."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Report that ``stage`` (one of ``munet.pipeline.STAGES``) has reached ``fraction`` in [0, 1]."""


def ignore_progress(stage: str, fraction: float) -> None:
    """Report to nobody and never cancel."""
