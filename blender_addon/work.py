"""Work on the scene that the timer does in steps: one piece at a time, one undo step each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

from .errors import AddonError
from .importer.rollback import Made
from .session import Session
from .steps import Steps, Stepwise

INSERT = "insert"
_log = logging.getLogger(__package__)


@dataclass
class Work:
    """One piece of work.

    Attributes:
        title: what is done, :data:`INSERT` or another word for the stages that the panel knows.
        steps: what is left to do.
        undo: name of the undo step.
        done: called with what the steps returned.
        failed: called with why they did not end.
        wanted: whether it shall still be done.
        modes: of Blender in which it goes on; in others it waits.
        cancelled: the user does not want it any more.
        shown: all is done but for the undo step.
    """

    title: str
    steps: Stepwise
    undo: str
    done: Callable[[Any], None]
    failed: Callable[[AddonError], None]
    wanted: Callable[[], bool] = lambda: True
    modes: tuple[str, ...] = ("OBJECT",)
    cancelled: bool = False
    shown: bool = False

    @property
    def complete(self) -> bool:
        """Whether all is in the scene and only the undo step is missing: it is too late to take it away."""
        return self.shown and self.steps.valid

    @property
    def fraction(self) -> float:
        """How far it is, in [0, 1]."""
        return self.steps.fraction

    @classmethod
    def of(
        cls,
        session: Session,
        title: str,
        begin: Callable[[], Steps[Any]],
        *,
        undo: str,
        expected: int,
        done: Callable[[Any], None],
        failed: Callable[[AddonError], None] | None = None,
        wanted: Callable[[], bool] = lambda: True,
        modes: tuple[str, ...] = ("OBJECT",),
    ) -> Work:
        """Return the work whose steps ``begin`` makes; a failure without ``failed`` is the session's."""

        def told(failure: AddonError) -> None:
            session.failure = failure

        steps = Stepwise(begin, Made(), expected, lambda: session.upheavals)
        return cls(title, steps, undo, done, failed or told, wanted, modes)


def advance_work(context: bpy.types.Context, session: Session, seconds: float) -> bool:
    """Do some of the session's work, if there is some and Blender is in a mode for it; returns whether it has ended."""
    work = session.work
    if work is None:
        return False
    if not work.complete and (work.cancelled or not work.wanted()):
        abort_work(session)
        return True
    if context.mode not in work.modes:
        return False
    try:
        if not work.complete:
            work.shown = work.steps.advance(seconds)
            return False
        # Blender has drawn what is new; what an undo step takes comes on top of that otherwise.
        bpy.ops.ed.undo_push(message=work.undo)
    except Exception as error:  # noqa: BLE001 - an exception that left a timer would end all work in silence
        session.work = None
        work.failed(error if isinstance(error, AddonError) else _unexpected(work, error))
        return True
    session.work = None
    work.done(work.steps.result)
    return True


def _unexpected(work: Work, error: Exception) -> AddonError:
    _log.error("%s failed", work.title, exc_info=error)
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, ReferenceError):
        return AddonError("GONE", "The person has been deleted or renamed.", detail=detail)
    if work.title != INSERT:
        return AddonError("UNEXPECTED", "Something unexpected happened.", detail=detail)
    return AddonError("IMPORT", "The result could not be inserted.", detail=detail)


def abort_work(session: Session) -> None:
    """Drop the session's work, and take away what it has made unless it is complete."""
    work, session.work = session.work, None
    if work is not None and not work.complete:
        work.steps.abort()
