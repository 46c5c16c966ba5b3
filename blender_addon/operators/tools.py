"""The operators of the preferences: check a backend, fetch models, read a body file, make a key."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

from pathlib import Path

import bpy

from ..backend.protocol import BackendError, write_key_file
from ..backend_manager import tools
from ..backend_manager.task import Task
from ..errors import AddonError
from ..language import failure_text
from ..preferences import backend_place, preferences_of
from ..pump import start_pump
from ..session import current

_TOOL_SECONDS = 600.0


def _begin(operator: bpy.types.Operator, task: Task) -> set[str]:
    """Run ``task`` beside everything else; in background mode until it has ended."""
    session = current()
    try:
        session.start_tool(task)
    except AddonError as error:
        operator.report({"WARNING"}, failure_text(error))
        return {"CANCELLED"}
    if bpy.app.background:
        task.join(_TOOL_SECONDS)
        if task.failure is not None:
            operator.report({"ERROR"}, failure_text(task.failure))
            return {"CANCELLED"}
        operator.report({"INFO"}, str(task.result))
    start_pump()
    return {"FINISHED"}


class MUNET_OT_check_backend(bpy.types.Operator):
    """Ask the chosen Python whether it has a backend, and which"""

    bl_idname = "munet.check_backend"
    bl_label = "Check"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask in the background."""
        return _begin(self, tools.check_backend(backend_place(context)))


class MUNET_OT_fetch_models(bpy.types.Operator):
    """Fetch the missing model files (42 MB)"""

    bl_idname = "munet.fetch_models"
    bl_label = "Fetch Model Files"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fetch in the background."""
        preferences = preferences_of(context)
        source = bpy.path.abspath(preferences.wheel_folder) if preferences is not None else ""
        if not source and not bpy.app.online_access:
            hint = "Switch on Allow Online Access in the preferences, System, Network."
            current().failure = AddonError("OFFLINE", "Blender is not allowed to go online.", hint=hint)
            self.report({"ERROR"}, failure_text(current().failure))
            return {"CANCELLED"}
        return _begin(self, tools.fetch_models(backend_place(context), source))


class MUNET_OT_check_body(bpy.types.Operator):
    """Read the body file and say what it is, or why it can not be used"""

    bl_idname = "munet.check_body"
    bl_label = "Check Body File"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it with a file."""
        preferences = preferences_of(context)
        if preferences is None or not preferences.body_file:
            cls.poll_message_set("Choose a file first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read in the background."""
        path = bpy.path.abspath(preferences_of(context).body_file)
        return _begin(self, tools.describe_body(backend_place(context), path))


class MUNET_OT_make_key(bpy.types.Operator):
    """Make a key of your own; give its public half to whoever runs the other computer's backend"""

    bl_idname = "munet.make_key"
    bl_label = "Make My Key"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it, keep the secret half in a file, put the public half into the clipboard."""
        import zmq

        preferences = preferences_of(context)
        package = __package__.rpartition(".")[0]
        folder = Path(bpy.utils.extension_path_user(package, path="keys", create=True))
        public, secret = (key.decode() for key in zmq.curve_keypair())
        try:
            path = write_key_file(folder / "blender.key_secret", public, secret)
        except BackendError as error:
            self.report({"ERROR"}, failure_text(error))
            return {"CANCELLED"}
        preferences.key_file = str(path)
        context.window_manager.clipboard = public
        self.report({"INFO"}, f"The public key is in the clipboard: {public}")
        return {"FINISHED"}


class MUNET_OT_allow_online(bpy.types.Operator):
    """Open the page of the preferences where Allow Online Access is"""

    bl_idname = "munet.allow_online"
    bl_label = "Allow Online Access"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Open the page; the decision is the user's."""
        bpy.ops.screen.userpref_show(section="SYSTEM")
        return {"FINISHED"}


CLASSES = (
    MUNET_OT_check_backend,
    MUNET_OT_fetch_models,
    MUNET_OT_check_body,
    MUNET_OT_make_key,
    MUNET_OT_allow_online,
)
