"""The preferences, drawn part by part."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from .. import edition
from ..backend_manager.states import State
from ..language import failure_text
from ..session import Session, current
from .backend_state import draw_installation, draw_state
from .text import draw_wrapped

_BODY_SITE = "https://smpl.is.tue.mpg.de"


def draw_preferences(
    layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, context: bpy.types.Context
) -> None:
    """Draw all parts."""
    session = current()
    layout.use_property_split = True
    _draw_backend(layout.box(), context, preferences, session)
    column = layout.column()
    for name in ("device", "memory_gigabytes", "unload_minutes", "idle_minutes", "share"):
        column.prop(preferences, name)
    _draw_files(layout.box(), context, preferences, session)
    _draw_body(layout.box(), context, preferences, session)
    layout.prop(preferences, "show_guide")


def _draw_backend(
    box: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences, session: Session
) -> None:
    box.row().prop(preferences, "source", expand=True)
    draw_state(box, context, session)
    if session.manager.state is State.INSTALLING:
        draw_installation(box, session.manager)
    failure = session.manager.failure
    if failure is not None:
        draw_wrapped(box, context, failure_text(failure), "ERROR")
    if preferences.source == "OWN":
        _draw_own(box, preferences, session)
    elif preferences.source == "EXISTING":
        for name in ("backend_folder", "backend_python", "run_file"):
            box.prop(preferences, name)
        box.operator("munet.check_backend", icon="VIEWZOOM")
        _draw_tool(box, context, session, "check")
    else:
        for name in ("endpoint", "server_key", "key_file"):
            box.prop(preferences, name)
        box.operator("munet.make_key", icon="KEYINGSET")
    row = box.row(align=True)
    row.operator("munet.start_backend", text="Start", icon="PLAY")
    row.operator("munet.stop_backend", text="Stop", icon="SNAP_FACE")


def _draw_own(box: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, session: Session) -> None:
    if not edition.INSTALLER:
        box.label(text="Install the MuNet backend, then choose it in the preferences", icon="INFO")
        return
    for name in ("install_folder", "variant", "wheel_folder"):
        box.prop(preferences, name)
    state, row = session.manager.state, box.row(align=True)
    label = {State.UPDATE_NEEDED: "Update Backend", State.NOT_INSTALLED: "Install Backend"}.get(state, "Repair Backend")
    button = row.operator("munet.install_backend", text=iface_(label), icon="IMPORT", translate=False)
    button.fresh = label == "Repair Backend"
    row.operator("munet.remove_backend", icon="TRASH")


def _draw_tool(box: bpy.types.UILayout, context: bpy.types.Context, session: Session, name: str) -> None:
    """Draw what became of a small task."""
    task = session.tools.get(name)
    if task is None:
        return
    if not task.finished:
        box.label(text="A moment", icon="SORTTIME")
    elif task.failure is not None:
        draw_wrapped(box, context, failure_text(task.failure), "ERROR")
    elif task.result:
        draw_wrapped(box, context, str(task.result), "CHECKMARK")


def _draw_files(
    box: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences, session: Session
) -> None:
    box.prop(preferences, "models_folder")
    box.operator("munet.fetch_models", icon="IMPORT")
    _draw_tool(box, context, session, "models")
    box.prop(preferences, "results_folder")
    _draw_tool(box, context, session, "keep")
    row = box.row()
    row.prop(preferences, "log_level")
    row.operator("munet.open_log", icon="TEXT")
    if session.manager.log_file is not None:
        box.label(text=str(session.manager.log_file), translate=False)


def _draw_body(
    box: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences, session: Session
) -> None:
    box.prop(preferences, "body_file")
    row = box.row(align=True)
    row.operator("munet.check_body", icon="VIEWZOOM")
    row.operator("wm.url_open", text="Where to Get One", icon="URL").url = _BODY_SITE
    _draw_tool(box, context, session, "body")
    draw_wrapped(
        box,
        context,
        iface_("Body files are licensed by their makers for non-commercial use, and are never part of this extension"),
    )
