"""The operators that reconstruct and cancel."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

from pathlib import Path

import bpy

from ..backend_manager.batch import Batch, EntryState
from ..preferences import backend_place
from ..properties import job_settings
from ..pump import run_to_end, show_states, start_pump
from ..session import current


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
        window, session = context.window_manager.munet, current()
        fresh = [image for image in window.images if image.status != EntryState.DONE.name]
        paths = [Path(bpy.path.abspath(image.path)) for image in fresh or window.images]
        session.failure = None
        session.batch = Batch.of(paths, job_settings(window), backend_place(context))
        if bpy.app.background:
            run_to_end(context, session)
            return self._report_end(session.batch)
        show_states(context, session)
        start_pump()
        return {"FINISHED"}

    def _report_end(self, batch: Batch) -> set[str]:
        failed = [entry for entry in batch.entries if entry.state is not EntryState.DONE]
        lines = [f"{entry.path.name}: {entry.failure or 'cancelled'}" for entry in failed]
        if len(failed) == len(batch.entries):
            self.report({"ERROR"}, "\n".join(lines))
            return {"CANCELLED"}
        for line in lines:
            self.report({"WARNING"}, line)
        return {"FINISHED"}


class MUNET_OT_cancel(bpy.types.Operator):
    """Stop the running photo and drop those which wait"""

    bl_idname = "munet.cancel_reconstruction"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while photos are being worked on."""
        if not current().working:
            cls.poll_message_set("Nothing is running")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask for the end; the backend confirms it."""
        current().cancel()
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


CLASSES = (MUNET_OT_reconstruct, MUNET_OT_cancel, MUNET_OT_dismiss_error)
