"""The operators that install, update and remove the backend; the public platform's edition does not have them."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty

from ..backend_manager.installation import is_ours
from ..backend_manager.states import State
from ..backend_manager.task import Task
from ..errors import AddonError
from ..installer.folders import own_folder
from ..language import failure_text
from ..preferences import backend_place, install_folder, preferences_of
from ..pump import start_pump
from ..session import current

OFFLINE = AddonError(
    "OFFLINE",
    "Blender is not allowed to go online.",
    hint="Switch on Allow Online Access in the preferences, System, Network; or choose a folder of wheels.",
)


def _begin(operator: bpy.types.Operator, context: bpy.types.Context, task: Task) -> set[str]:
    """Run ``task``; in background mode until it has ended."""
    session = current()
    session.failure = None
    session.manager.work_on_installation(task, backend_place(context))
    if bpy.app.background:
        session.manager.wait_installed()
        session.manager.look(backend_place(context))
        if task.failure is not None:
            operator.report({"ERROR"}, failure_text(task.failure))
            return {"CANCELLED"}
    start_pump()
    return {"FINISHED"}


def _refuse(operator: bpy.types.Operator, error: AddonError) -> set[str]:
    current().failure = error
    operator.report({"ERROR"}, failure_text(error))
    return {"CANCELLED"}


def _idle(cls: type[bpy.types.Operator]) -> bool:
    if current().manager.state is State.INSTALLING:
        cls.poll_message_set("The backend is being installed")
        return False
    if not current().manager.settled:
        cls.poll_message_set("Stop the backend first")
        return False
    return True


class MUNET_OT_install_backend(bpy.types.Operator):
    """Install the backend in a folder of its own, outside Blender; also updates it and repairs it"""

    bl_idname = "munet.install_backend"
    bl_label = "Install Backend"

    fresh: BoolProperty(
        name="Everything Again",
        description="Make the environment again, also if it seems complete",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while nothing runs."""
        return _idle(cls)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for folder and build."""
        preferences = preferences_of(context)
        if preferences is None:
            return self.execute(context)
        if not preferences.install_folder:
            preferences.install_folder = str(install_folder(context))
        label = bpy.app.translations.pgettext_iface("Install")
        return set(context.window_manager.invoke_props_dialog(self, width=480, confirm_text=label))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the questions."""
        layout, preferences = self.layout, preferences_of(context)
        layout.use_property_split = True
        layout.prop(preferences, "install_folder")
        layout.prop(preferences, "variant")
        layout.prop(preferences, "wheel_folder")
        layout.prop(self, "fresh")
        if not preferences.wheel_folder and not bpy.app.online_access:
            layout.label(text="Blender is not allowed to go online", icon="ERROR")
            layout.operator("munet.allow_online", icon="PREFERENCES")
        layout.label(text="Needs 3 GB on the disk, 12 GB with NVIDIA's libraries", icon="INFO")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; Blender stays usable."""
        from ..installer.bundle import read_bundle
        from ..installer.install import Order, install_task

        preferences = preferences_of(context)
        wheels = bpy.path.abspath(preferences.wheel_folder) if preferences is not None else ""
        if not wheels and not bpy.app.online_access:
            return _refuse(self, OFFLINE)
        order = Order(
            folder=install_folder(context),
            variant=preferences.variant if preferences is not None else "auto",
            wheels=Path(wheels) if wheels else None,
            models=bpy.path.abspath(preferences.models_folder) if preferences is not None else "",
            fresh=self.fresh,
        )
        try:
            bundle = read_bundle()
            if preferences is not None:
                preferences.source = "OWN"
                preferences.install_folder = str(own_folder(order.folder))
            return _begin(self, context, install_task(order, bundle))
        except AddonError as error:
            return _refuse(self, error)


class MUNET_OT_cancel_installation(bpy.types.Operator):
    """Stop the installation; what was fetched is kept for the next time"""

    bl_idname = "munet.cancel_installation"
    bl_label = "Cancel Installation"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while something is installed."""
        if current().manager.state is not State.INSTALLING:
            cls.poll_message_set("Nothing is being installed")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask for the end."""
        current().manager.stop()
        start_pump()
        return {"FINISHED"}


class MUNET_OT_remove_backend(bpy.types.Operator):
    """Remove the backend that was installed; model files and what you have made stay"""

    bl_idname = "munet.remove_backend"
    bl_label = "Remove Backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it while nothing runs."""
        if not is_ours(own_folder(install_folder(context))):
            cls.poll_message_set("The extension has not installed a backend in this folder")
            return False
        return _idle(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask whether it is meant."""
        return set(context.window_manager.invoke_confirm(self, event))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; a folder that the installer has not made is left alone."""
        from ..installer.install import remove_task

        try:
            return _begin(self, context, remove_task(own_folder(install_folder(context))))
        except AddonError as error:
            return _refuse(self, error)


CLASSES = (MUNET_OT_install_backend, MUNET_OT_cancel_installation, MUNET_OT_remove_backend)
