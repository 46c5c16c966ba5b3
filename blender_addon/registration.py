"""Everything that is registered, in order."""

from __future__ import annotations

import atexit

import bpy

from . import cli, edition, locale
from .operators import backend as backend_operators
from .operators import export as export_operators
from .operators import guard
from .operators import images as image_operators
from .operators import light as light_operators
from .operators import motion as motion_operators
from .operators import reconstruct as reconstruct_operators
from .operators import rerun as rerun_operators
from .operators import result as result_operators
from .operators import rig as rig_operators
from .operators import sequence as sequence_operators
from .operators import tools as tool_operators
from .operators import view as view_operators
from .panels import animation as animation_panels
from .panels import main as main_panel
from .panels import parts as part_panels
from .panels import rig as rig_panel
from .panels import view as view_panel
from .preferences import MUNET_AP_preferences
from .properties import MUNET_PG_image, MUNET_PG_person, MUNET_PG_window, add_properties, remove_properties
from .pump import forget_upheavals, stop_pump, watch_upheavals
from .session import PATIENCE, close_session, open_session, open_sessions
from .thumbnails import close_thumbnails, open_thumbnails
from .work import abort_work


def _installer_classes() -> tuple[type, ...]:
    """Return what only the edition with the installer has."""
    if not edition.INSTALLER:
        return ()
    from .operators import install

    return install.CLASSES


CLASSES = (
    MUNET_PG_person,
    MUNET_PG_image,
    MUNET_PG_window,
    MUNET_AP_preferences,
    *image_operators.CLASSES,
    *reconstruct_operators.CLASSES,
    *backend_operators.CLASSES,
    *tool_operators.CLASSES,
    *_installer_classes(),
    *result_operators.CLASSES,
    *rerun_operators.CLASSES,
    *rig_operators.CLASSES,
    *light_operators.CLASSES,
    *view_operators.CLASSES,
    *motion_operators.CLASSES,
    *sequence_operators.CLASSES,
    *export_operators.CLASSES,
    *main_panel.CLASSES,
    *part_panels.CLASSES,
    *rig_panel.CLASSES,
    *view_panel.CLASSES,
    *animation_panels.CLASSES,
)


def register() -> None:
    """Register everything."""
    for cls in CLASSES:
        if issubclass(cls, bpy.types.Operator):
            guard.guard(cls)
        bpy.utils.register_class(cls)
    bpy.types.IMAGE_MT_image.append(main_panel.draw_image_menu)
    add_properties()
    locale.register()
    cli.register()
    open_thumbnails()
    open_session()
    watch_upheavals()
    atexit.register(close_session)


def unregister() -> None:
    """Take everything back; the backend ends, without being waited for."""
    atexit.unregister(close_session)
    stop_pump()
    forget_upheavals()
    for session in open_sessions():
        abort_work(session)
    close_session(PATIENCE)
    close_thumbnails()
    cli.unregister()
    locale.unregister()
    remove_properties()
    bpy.types.IMAGE_MT_image.remove(main_panel.draw_image_menu)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
