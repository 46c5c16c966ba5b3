"""Failures and warnings in the language of Blender's user interface."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .backend.protocol.errors import ExplainedError
from .sentences import in_language, warnings_in_language


def _locale() -> str:
    view = bpy.context.preferences.view
    return bpy.app.translations.locale if view.use_translate_interface else ""


def failure_parts(failure: ExplainedError) -> tuple[str, str, str]:
    """Return title, detail and hint of ``failure`` in the language of the user interface."""
    return in_language(failure, _locale())


def warning_texts(texts: Iterable[str], codes: Iterable[str]) -> list[str]:
    """Return a result's warnings, with their codes where there are any, in the language of the user interface."""
    return warnings_in_language(texts, codes, _locale())


def failure_text(failure: ExplainedError) -> str:
    """Return ``failure`` as one text in the language of the user interface."""
    return " ".join(part for part in failure_parts(failure) if part)
