"""Failures in the user's language: a sentence and a fix for each code. No bpy.

Most failures come from the backend, which speaks English. What happened travels as a code; the words for it are in
``locale/failures/``, one file a language, and the backend's own sentence with its names and numbers follows as detail.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from .backend.protocol.errors import ExplainedError

_FOLDER = Path(__file__).parent / "locale" / "failures"


@cache
def _words(locale: str) -> dict[str, tuple[str, str]]:
    path = _FOLDER / f"{locale}.json"
    if not path.is_file():
        return {}
    return {code: (title, hint) for code, (title, hint) in json.loads(path.read_text(encoding="utf-8")).items()}


def in_language(failure: ExplainedError, locale: str) -> tuple[str, str, str]:
    """Return title, detail and hint of ``failure`` in Blender's ``locale`` (``zh_HANS``), else in English."""
    words = _words(locale).get(failure.code)
    if words is None:
        return failure.title, failure.detail, failure.hint
    return words[0], " ".join(part for part in (failure.title, failure.detail) if part), words[1]
