"""The first steps, shown until somebody has been reconstructed or the guide was closed."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..backend_manager.states import State
from ..preferences import backend_place, preferences_of
from ..session import Session
from .text import draw_wrapped

_WITHOUT_BACKEND = {State.NOT_INSTALLED, State.INSTALLING, State.UPDATE_NEEDED}


def _draw_step(box: bpy.types.UILayout, context: bpy.types.Context, number: int, text: str, *, done: bool) -> None:
    draw_wrapped(box, context, f"{number}. {text}", "CHECKMARK" if done else "DOT")


def draw_guide(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """Draw the three steps, unless the user knows them."""
    preferences = preferences_of(context)
    if preferences is None or not preferences.show_guide:
        return
    box, photos = layout.box(), context.window_manager.munet.images
    row = box.row()
    row.label(text="First Steps", icon="HELP")
    row.operator("munet.close_guide", text="", icon="X", emboss=False)
    session.look(backend_place(context))
    ready = session.manager.state not in _WITHOUT_BACKEND
    _draw_step(box, context, 1, iface_("Install the backend, once"), done=ready)
    _draw_step(box, context, 2, iface_("Add photos with the plus, or drop them onto the 3D view"), done=bool(photos))
    _draw_step(box, context, 3, iface_("Press Reconstruct from image; Blender stays usable"), done=session.working)
