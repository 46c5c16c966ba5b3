"""The state of the backend: one line, what is known about it, and what to do in this state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.app.translations import pgettext_iface as iface_

from .. import edition
from ..backend_manager.manager import Manager
from ..backend_manager.states import State
from ..preferences import backend_place
from ..session import Session
from .failure import draw_preferences_button
from .text import draw_wrapped

_STATES = {
    State.NOT_INSTALLED: ("Not installed", "IMPORT"),
    State.INSTALLING: ("Installing", "SORTTIME"),
    State.STOPPED: ("Stopped", "RADIOBUT_OFF"),
    State.STARTING: ("Starting Up", "SORTTIME"),
    State.READY: ("Ready", "RADIOBUT_ON"),
    State.BUSY: ("Working", "PLAY"),
    State.STOPPING: ("Stopping", "SORTTIME"),
    State.FAILED: ("Failed", "ERROR"),
    State.UPDATE_NEEDED: ("Update needed", "FILE_REFRESH"),
}
_STAGES = {
    "looking0": "Looking at this computer",
    "making1": "Making an environment",
    "fetching2": "Fetching the libraries",
    "installing3": "Installing the libraries",
    "unpacking4": "Unpacking the libraries",
    "checking5": "Checking the libraries",
    "fetching6": "Fetching PyTorch",
    "installing7": "Installing the backend",
    "fetching8": "Fetching the model files",
    "removing9": "Removing the backend",
    "installed10": "Installed",
}
_GIGABYTE = 1e9


def device_line(facts: Mapping[str, Any]) -> str:
    """Return what the worker computes on and how full its memory is, from what it says about itself."""
    if facts.get("device_name"):
        free, total = facts.get("memory_free", 0) / _GIGABYTE, facts.get("memory_total", 0) / _GIGABYTE
        return f"{facts['device_name']}: {total - free:.1f} / {total:.1f} GB"
    if facts.get("torch") and facts.get("memory"):
        return ": ".join([iface_("Processor"), f"{facts['memory'] / _GIGABYTE:.1f} GB"])
    return ""


def draw_state(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """Draw the state and what the backend says about itself."""
    manager = session.manager
    session.look(backend_place(context))
    text, icon = _STATES[manager.state]
    layout.label(text=text, icon=icon)
    version, device = (str(manager.welcome.get(key, "")) for key in ("version", "device"))
    line = device_line(manager.status.get("facts", {})) or device
    if version:
        layout.label(text="  ".join(filter(None, [version, line])), translate=False)
    for line in _notes(manager):
        draw_wrapped(layout, context, line)
    missing = manager.status.get("models_missing") or manager.welcome.get("models_missing")
    if missing:
        draw_wrapped(layout, context, ": ".join([iface_("Missing model files"), ", ".join(missing)]), "ERROR")
        layout.operator("munet.fetch_models", icon="IMPORT")


def _notes(manager: Manager) -> list[str]:
    """Return what is to be said while nothing runs: what is installed, and what the installation has noticed."""
    if not manager.settled:
        return []
    installed = manager.task.result if manager.task is not None else None
    return [*([iface_(manager.note)] if manager.note else []), *getattr(installed, "notes", [])]


def draw_installation(layout: bpy.types.UILayout, manager: Manager) -> None:
    """Draw how far an installation is."""
    task = manager.task
    if task is None:
        return
    column = layout.column(align=True)
    text = iface_(task.text) if task.text in _STAGES.values() else task.text
    column.progress(factor=task.fraction, text=f"{text} ({task.fraction:.0%})")
    if task.name == "install":
        column.operator("munet.cancel_installation", icon="CANCEL")


def draw_offer(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """Draw, above everything else, what has to be done before a photo can be reconstructed; nothing if all is well."""
    manager = session.manager
    session.look(backend_place(context))
    if manager.state not in {State.NOT_INSTALLED, State.UPDATE_NEEDED, State.INSTALLING}:
        return
    box = layout.box()
    text, icon = _STATES[manager.state]
    box.label(text=": ".join([iface_("Backend"), iface_(text)]), icon=icon, translate=False)
    if manager.state is State.INSTALLING:
        draw_installation(box, manager)
    elif edition.INSTALLER:
        row = box.row()
        row.scale_y = 1.4
        label = "Update Backend" if manager.state is State.UPDATE_NEEDED else "Install Backend"
        row.operator("munet.install_backend", text=iface_(label), icon="IMPORT", translate=False)
        draw_preferences_button(box)
    else:
        draw_wrapped(box, context, iface_("Install the MuNet backend, then choose it in the preferences"))
        draw_preferences_button(box)
