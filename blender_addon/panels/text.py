"""Long sentences in narrow panels."""

from __future__ import annotations

import textwrap

import bpy

_PIXELS_PER_LETTER = 7.0
_MARGIN = 60


def draw_wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Draw ``text`` in as many labels as the width of the sidebar asks for."""
    scale = context.preferences.system.ui_scale
    width = max(20, int((context.region.width / scale - _MARGIN) / _PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)
