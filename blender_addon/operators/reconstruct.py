"""The operators that reconstruct and cancel."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import IntProperty

from ..backend_manager.batch import Batch, Entry, EntryState, Kind
from ..errors import AddonError
from ..language import failure_text
from ..preferences import backend_place, preferences_of
from ..properties import MUNET_PG_image, chosen_people, job_settings
from ..pump import run_to_end, show_states, start_pump
from ..session import current

_BUSY = {EntryState.WAITING.name, EntryState.RUNNING.name, EntryState.RECEIVED.name}


def _working(cls: type[bpy.types.Operator]) -> bool:
    if not current().working:
        cls.poll_message_set("Nothing is running")
        return False
    return True


def _image(context: bpy.types.Context, index: int) -> MUNET_PG_image | None:
    images: list[MUNET_PG_image] = context.window_manager.munet.images
    return images[index] if index < len(images) else None


def _entries(images: list[MUNET_PG_image]) -> list[Entry]:
    return [Entry(Path(bpy.path.abspath(image.path)), chosen_people(image)) for image in images]


def begin(operator: bpy.types.Operator, context: bpy.types.Context, entries: list[Entry]) -> set[str]:
    """Work on ``entries``, behind what is being worked on; in background mode until all have ended."""
    session = current()
    session.failure = None
    if session.batch is not None and session.working:
        for entry in entries:
            session.batch.add(entry)
    else:
        session.batch = Batch(entries, job_settings(context.window_manager.munet), backend_place(context))
    if bpy.app.background:
        run_to_end(context, session)
        return _report_end(operator, session.batch)
    show_states(context, session)
    start_pump()
    return {"FINISHED"}


def _begin(operator: bpy.types.Operator, context: bpy.types.Context, images: list[MUNET_PG_image]) -> set[str]:
    try:
        entries = _entries(images)
    except AddonError as error:
        operator.report({"ERROR"}, failure_text(error))
        return {"CANCELLED"}
    return begin(operator, context, entries)


def _report_end(operator: bpy.types.Operator, batch: Batch) -> set[str]:
    failed = [entry for entry in batch.entries if entry.state is not EntryState.DONE]
    lines = [f"{entry.path.name}: {entry.failure or 'cancelled'}" for entry in failed]
    if len(failed) == len(batch.entries):
        operator.report({"ERROR"}, "\n".join(lines))
        return {"CANCELLED"}
    for line in lines:
        operator.report({"WARNING"}, line)
    return {"FINISHED"}


class MUNET_OT_reconstruct(bpy.types.Operator):
    """Turn every photo of the list into rigged, dressed and textured people"""

    bl_idname = "munet.reconstruct"
    bl_label = "Reconstruct from image"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it with photos in the list while nothing runs."""
        if not context.window_manager.munet.images:
            cls.poll_message_set("Add a photo first")
            return False
        if current().working:
            cls.poll_message_set("Photos are being reconstructed")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work and return at once; in background mode return when it is done."""
        images = context.window_manager.munet.images
        fresh = [image for image in images if image.status != EntryState.DONE.name]
        return _begin(self, context, fresh or list(images))


def _idle_image(operator: bpy.types.Operator, context: bpy.types.Context) -> MUNET_PG_image | None:
    """Return the image of an operator with an index, unless it is being worked on; says so then."""
    image = _image(context, operator.index)
    if image is None or image.status in _BUSY:
        operator.report({"WARNING"}, "This photo is being reconstructed")
        return None
    return image


class MUNET_OT_find_people(bpy.types.Operator):
    """Look who is in this photo, to tick those to reconstruct; takes a few seconds"""

    bl_idname = "munet.find_people"
    bl_label = "Find People"

    index: IntProperty(min=0, options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start with this photo, or put it at the end of those that are being worked on."""
        image = _idle_image(self, context)
        if image is None:
            return {"CANCELLED"}
        path = Path(bpy.path.abspath(image.path))
        return begin(self, context, [Entry(path, kind=Kind.PEOPLE, before=image.status)])


class MUNET_OT_reconstruct_image(bpy.types.Operator):
    """Reconstruct this photo, also if it has been done, has failed or was cancelled"""

    bl_idname = "munet.reconstruct_image"
    bl_label = "Reconstruct This Photo"

    index: IntProperty(min=0, options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start with this photo, or put it at the end of those that are being worked on."""
        image = _idle_image(self, context)
        if image is None:
            return {"CANCELLED"}
        return _begin(self, context, [image])


class MUNET_OT_cancel_image(bpy.types.Operator):
    """Stop or drop this photo; the others go on"""

    bl_idname = "munet.cancel_image"
    bl_label = "Cancel This Photo"

    index: IntProperty(min=0, options={"SKIP_SAVE", "HIDDEN"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while photos are being worked on."""
        return _working(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask for the end; the backend confirms it for a photo that runs."""
        image, session = _image(context, self.index), current()
        if image is None or session.batch is None:
            return {"CANCELLED"}
        session.batch.cancel_one(Path(image.path), session.manager)
        show_states(context, session)
        return {"FINISHED"}


class MUNET_OT_cancel(bpy.types.Operator):
    """Stop the running photo and drop those which wait"""

    bl_idname = "munet.cancel_reconstruction"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while photos are being worked on, or the scene."""
        return current().work is not None or _working(cls)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask for the end; the backend confirms it."""
        session = current()
        if session.work is not None:
            session.work.cancelled = True
        session.cancel()
        start_pump()
        return {"FINISHED"}


class MUNET_OT_dismiss_error(bpy.types.Operator):
    """Hide the message"""

    bl_idname = "munet.dismiss_error"
    bl_label = "Dismiss"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Forget the failure."""
        session = current()
        session.failure = None
        for entry in session.batch.entries if session.batch else ():
            entry.failure = None
        return {"FINISHED"}


class MUNET_OT_close_guide(bpy.types.Operator):
    """Hide the first steps; the preferences bring them back"""

    bl_idname = "munet.close_guide"
    bl_label = "Hide First Steps"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remember that the user knows them."""
        preferences = preferences_of(context)
        if preferences is not None:
            preferences.show_guide = False
        return {"FINISHED"}


CLASSES = (
    MUNET_OT_reconstruct,
    MUNET_OT_reconstruct_image,
    MUNET_OT_find_people,
    MUNET_OT_cancel,
    MUNET_OT_cancel_image,
    MUNET_OT_dismiss_error,
    MUNET_OT_close_guide,
)
