"""Long sentences in narrow panels."""

from __future__ import annotations

import re

import bpy

_PIXELS_PER_LETTER = 7.0
_MARGIN = 60
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60"
_CLOSING = "\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f\uff09\u300d\u300f\u201d"
_PIECES = re.compile(rf"[{_WIDE}][{_CLOSING}\s]*|[^{_WIDE}\s]+\s*|\s+")
"""What a line may end after: a word with the space behind it, or one Chinese character with its punctuation."""


def _columns(text: str) -> int:
    """Return how many letters' room ``text`` takes; Chinese characters take two."""
    return len(text) + len(re.findall(f"[{_WIDE}]", text))


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` as lines with room for ``width`` letters; what is longer than a line is cut."""
    lines = [""]
    for piece in _PIECES.findall(text):
        if lines[-1] and _columns(lines[-1]) + _columns(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
        while _columns(lines[-1].rstrip()) > width:
            kept = next(n for n in range(len(lines[-1]), 0, -1) if _columns(lines[-1][:n]) <= width)
            lines[-1:] = [lines[-1][:kept], lines[-1][kept:]]
    return [line.rstrip() for line in lines if line.strip()]


def draw_wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Draw ``text`` in as many labels as the width of the sidebar asks for."""
    scale = context.preferences.system.ui_scale
    width = max(20, int((context.region.width / scale - _MARGIN) / _PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for index, line in enumerate(wrapped(text, width)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)
