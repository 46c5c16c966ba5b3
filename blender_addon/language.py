"""Failures in the language of Blender's user interface."""

from __future__ import annotations

import bpy

from .backend.protocol.errors import ExplainedError
from .sentences import in_language


def failure_parts(failure: ExplainedError) -> tuple[str, str, str]:
    """Return title, detail and hint of ``failure`` in the language of the user interface."""
    view = bpy.context.preferences.view
    locale = bpy.app.translations.locale if view.use_translate_interface else ""
    return in_language(failure, locale)


def failure_text(failure: ExplainedError) -> str:
    """Return ``failure`` as one text in the language of the user interface."""
    return " ".join(part for part in failure_parts(failure) if part)
