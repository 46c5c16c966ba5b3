"""The timer that moves the work on while Blender's main thread stays free."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator

import bpy

from .backend_manager.batch import Entry, EntryState, Kind
from .backend_manager.states import State
from .exporting.job import TASK as EXPORT
from .language import failure_text, warning_texts
from .session import Session, current

_BUSY_SECONDS = 0.1
_IDLE_SECONDS = 1.0
_BREATH = 0.005
"""Seconds between two turns of work on the scene: Blender draws and takes clicks meanwhile."""


def start_pump() -> None:
    """Let the timer run until nothing is left to watch."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_BUSY_SECONDS, persistent=True)


def stop_pump() -> None:
    """End the timer."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def run_to_end(context: bpy.types.Context, session: Session) -> None:
    """Work until every photo has ended; for background mode, where timers never fire."""
    from .insert import advance

    while session.working:
        advance(context, session, math.inf)
        time.sleep(_BREATH if session.work else _BUSY_SECONDS / 5)
    show_states(context, session)


def show_states(context: bpy.types.Context, session: Session) -> None:
    """Copy what has become of each photo into the list that the panel shows."""
    known = session.batch.entries if session.batch else ()
    entries = {str(entry.path): entry for entry in known if entry.listed}
    for image in context.window_manager.munet.images:
        entry = entries.get(image.path)
        if entry is None:
            continue
        state = entry.before if entry.kind is Kind.PEOPLE and entry.state is EntryState.DONE else entry.state.name
        if image.status != state:
            image.status = state
            image.message = _message(entry)


def _message(entry: Entry) -> str:
    if entry.failure is not None:
        return failure_text(entry.failure)
    return " ".join(warning_texts(entry.notes, entry.note_codes))


@contextlib.contextmanager
def _window() -> Iterator[bpy.types.Context]:
    windows = bpy.context.window_manager.windows
    if bpy.context.window is None and windows:
        with bpy.context.temp_override(window=windows[0]):
            yield bpy.context
    else:
        yield bpy.context


def _redraw(context: bpy.types.Context) -> None:
    """Draw our panels again, but not the views beside them, which takes long."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "UI":
                    region.tag_redraw()


def _tick() -> float | None:
    from .insert import advance

    session = current()
    with _window() as context:
        before = _picture(session)
        installing = session.manager.state is State.INSTALLING
        advance(context, session)
        if installing and session.manager.state is State.FAILED:
            session.failure = session.manager.failure
        _tell_of_export(session)
        show_states(context, session)
        if _picture(session) != before:
            _redraw(context)
    if session.work is not None:
        return _BREATH
    if session.changing:
        return _BUSY_SECONDS
    return None if session.manager.settled else _IDLE_SECONDS


def _tell_of_export(session: Session) -> None:
    """Say how an export in another Blender has ended, once."""
    task = session.tools.get(EXPORT)
    if task is None or not task.finished:
        return
    del session.tools[EXPORT]
    if task.failure is not None:
        session.failure = task.failure
    elif not task.cancelled:
        bpy.ops.munet.tell(text=f"Wrote {task.result[0]}")


def _picture(session: Session) -> tuple[object, ...]:
    """Return everything the panel shows that may change by itself."""
    batch, job = session.batch, session.batch.job if session.batch else None
    states = tuple(entry.state for entry in batch.entries) if batch else ()
    manager, tools = session.manager, tuple((task.name, task.finished) for task in session.tools.values())
    task = (round(manager.task.fraction, 3), manager.task.text) if manager.task else ()
    facts = str(manager.status.get("facts", ""))
    doing = (job.stage, round(job.fraction, 3), job.position) if job else ()
    work = (session.work.title, round(session.work.fraction, 1)) if session.work else ()
    export = round(session.tools[EXPORT].fraction, 1) if EXPORT in session.tools else 0.0
    return manager.state, states, doing, task, facts, tools, work, export


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def _upset(*_unused: object) -> None:
    """Tell work under way that what it holds of Blender's data is not valid any more."""
    current().upheavals += 1


def watch_upheavals() -> None:
    """Notice undo, redo and files that are opened."""
    for handlers in _upheavals():
        handlers.append(_upset)


def forget_upheavals() -> None:
    """Undo :func:`watch_upheavals`."""
    for handlers in _upheavals():
        if _upset in handlers:
            handlers.remove(_upset)


def _upheavals() -> tuple[list[Callable[..., None]], ...]:
    handlers = bpy.app.handlers
    return handlers.undo_post, handlers.redo_post, handlers.load_post
