"""Progress in three tiers: all photos, this photo, and the stage of the work on it."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..backend.client import Job
from ..backend_manager.batch import Batch, EntryState
from ..backend_manager.manager import State
from ..session import Session

_STAGES = {
    "load": "Loading the models",
    "read": "Reading the photo",
    "people": "Finding people",
    "body": "Fitting the body",
    "network": "Asking the networks",
    "surface": "Shaping the clothes",
    "texture": "Painting the texture",
    "preview": "Drawing the preview",
    "follow": "Following the person",
    "figure": "Measuring the figure",
    "motion": "Fitting the motion",
    "insert": "Inserting",
    "key": "Setting keys",
    "light": "Making the light version",
    "controls": "Generating the control rig",
    "bake": "Baking the correctives",
    "mark": "Marking as an asset",
}


def progress_text(session: Session) -> str:
    """Return one line on what is being done with the present photo."""
    batch = session.batch
    if batch is None:
        return ""
    entry, job = batch.current, batch.job
    if session.work is not None:
        return f"{iface_(_STAGES[session.work.title])} ({session.work.fraction:.0%})"
    if entry is not None and entry.state is EntryState.RECEIVED:
        return iface_("Switch to Object Mode to insert")
    if session.manager.state is State.STARTING:
        return iface_("Starting the backend")
    return _job_text(job) if job else iface_("Sending")


def _job_text(job: Job) -> str:
    if job.cancel_requested:
        return iface_("Cancelling")
    if job.state != "running":
        return iface_("Waiting for the backend")
    return iface_(_STAGES[job.stage]) if job.stage in _STAGES else job.text or job.stage


def _stage_factor(job: Job) -> float:
    return job.stage_index / job.stage_count if job.stage_count else 0.0


def _draw_all(column: bpy.types.UILayout, batch: Batch) -> None:
    number = next((i for i, e in enumerate(batch.entries, 1) if not e.finished), len(batch.entries))
    text = iface_("Photo {} of {}").format(number, len(batch.entries))
    column.progress(factor=batch.fraction, text=text)


def _draw_work(layout: bpy.types.UILayout, session: Session) -> None:
    """Draw what is being done with the scene without a photo."""
    if session.work is not None:
        column = layout.column(align=True)
        column.progress(factor=session.work.fraction, text=iface_(_STAGES[session.work.title]))
        column.operator("munet.cancel_reconstruction", icon="CANCEL")


def draw_progress(layout: bpy.types.UILayout, session: Session) -> None:
    """Draw up to three bars and the button that cancels everything, while something is worked on."""
    batch = session.batch
    if batch is None or not session.working:
        _draw_work(layout, session)
        return
    column, job = layout.column(align=True), batch.job
    if len(batch.entries) > 1:
        _draw_all(column, batch)
    entry = batch.current
    if entry is not None and job is not None:
        column.progress(
            factor=job.fraction, text=f"{entry.clip.name if entry.clip else entry.path.name} ({job.fraction:.0%})"
        )
    steps = f" ({job.stage_index + 1}/{job.stage_count})" if job is not None and job.stage_count else ""
    column.progress(factor=_stage_factor(job) if job is not None else 0.0, text=progress_text(session) + steps)
    column.operator("munet.cancel_reconstruction", icon="CANCEL")
