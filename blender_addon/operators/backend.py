"""The operators on the backend."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy

from ..backend_manager.states import RESTING, State
from ..language import failure_text
from ..preferences import backend_place
from ..pump import start_pump
from ..session import current

NOT_RUNNING = RESTING | {State.STOPPING, State.INSTALLING}


class MUNET_OT_start_backend(bpy.types.Operator):
    """Start the backend now, so that the first photo does not wait for it"""

    bl_idname = "munet.start_backend"
    bl_label = "Start Backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it while there is a backend that does not run."""
        session = current()
        session.look(backend_place(context))
        if session.manager.state is State.NOT_INSTALLED:
            cls.poll_message_set("Install the backend first, or choose one in the preferences")
            return False
        if session.manager.state is State.UPDATE_NEEDED:
            cls.poll_message_set("Update the backend first")
            return False
        if not session.manager.settled:
            cls.poll_message_set("The backend is running, or changing its state")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin to start; in background mode wait for it."""
        manager = current().manager
        manager.start(backend_place(context))
        if bpy.app.background:
            manager.wait_running()
        if manager.failure is not None and not manager.running:
            self.report({"ERROR"}, failure_text(manager.failure))
            return {"CANCELLED"}
        start_pump()
        return {"FINISHED"}


class MUNET_OT_stop_backend(bpy.types.Operator):
    """Stop the backend and free its memory"""

    bl_idname = "munet.stop_backend"
    bl_label = "Stop Backend"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while there is a backend."""
        if current().manager.state in NOT_RUNNING:
            cls.poll_message_set("The backend is not running")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Begin to stop; in background mode wait for it."""
        session = current()
        session.stop_backend()
        if bpy.app.background:
            session.manager.close()
        start_pump()
        return {"FINISHED"}


class MUNET_OT_open_log(bpy.types.Operator):
    """Open the log of the backend"""

    bl_idname = "munet.open_log"
    bl_label = "Open Log"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it if there is one."""
        if current().manager.log_file is None:
            cls.poll_message_set("There is no log yet")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Open it with the system's own program."""
        bpy.ops.wm.path_open(filepath=str(current().manager.log_file))
        return {"FINISHED"}


CLASSES = (MUNET_OT_start_backend, MUNET_OT_stop_backend, MUNET_OT_open_log)
