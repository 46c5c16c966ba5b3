"""A failure: what happened, what to do, the button that does it, and the log."""

from __future__ import annotations

import bpy

from .. import edition
from ..backend_manager.manager import Failure
from ..language import failure_parts
from ..session import Session
from .text import draw_wrapped

_PREFERENCES = {"NO_BACKEND", "RUN_FILE", "REMOTE", "KEY_FILE", "BODY_FILE", "AUTH"}
_INSTALL = {
    "NO_BACKEND",
    "UPDATE_NEEDED",
    "PROTOCOL_VERSION",
    "DISK_FULL",
    "FOLDER",
    "WHEELS",
    "WHEEL_PLATFORM",
    "NO_PYTHON",
    "NO_VENV",
    "NETWORK",
    "PROXY",
    "CERTIFICATE",
    "DRIVER_OLD",
    "LIBRARY",
    "LOCKED",
    "INSTALL",
}
_START = {"BACKEND_GONE", "BACKEND_START", "TIMEOUT"}


def draw_preferences_button(layout: bpy.types.UILayout) -> None:
    """Draw the button that opens the preferences of the extension."""
    package = __package__.rpartition(".")[0]
    layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = package


def _draw_fix(row: bpy.types.UILayout, failure: Failure) -> None:
    if failure.code in _INSTALL and edition.INSTALLER:
        row.operator("munet.install_backend", icon="IMPORT")
    if failure.code in _PREFERENCES:
        draw_preferences_button(row)
    elif failure.code == "MODEL_MISSING":
        row.operator("munet.fetch_models", icon="IMPORT")
    elif failure.code == "OFFLINE":
        row.operator("munet.allow_online", icon="PREFERENCES")
    elif failure.code in _START:
        row.operator("munet.start_backend", text="Start", icon="PLAY")


def draw_failure(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """Draw the latest failure of ``session``."""
    failure, box = session.failure, layout.box()
    what, detail, hint = failure_parts(failure)
    row = box.row()
    title = row.column()
    title.alert = True
    draw_wrapped(title, context, what, "ERROR")
    row.operator("munet.dismiss_error", text="", icon="X", emboss=False)
    if detail:
        draw_wrapped(box, context, detail)
    if hint:
        draw_wrapped(box, context, hint, "INFO")
    buttons = box.row(align=True)
    _draw_fix(buttons, failure)
    if session.manager.log_file is not None:
        buttons.operator("munet.open_log", icon="TEXT")
