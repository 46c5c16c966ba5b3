"""Failures and warnings in the user's language: a sentence and a fix, or a sentence, for each code. No bpy.

Most of them come from the backend, which speaks English. What happened travels as a code; the words for it are in
``locale/failures/`` and ``locale/warnings/``, one file a language. Behind a failure follows the backend's own sentence
with its names and numbers as detail; a warning's sentence takes them up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from .backend.protocol.errors import ExplainedError

_FOLDER = Path(__file__).parent / "locale" / "failures"
_WARNINGS = Path(__file__).parent / "locale" / "warnings"


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


@cache
def _phrases(locale: str) -> dict[str, Any]:
    path = _WARNINGS / f"{locale}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"sentences": {}}
    return found


def warnings_in_language(texts: Iterable[str], codes: Iterable[str], locale: str) -> list[str]:
    """Return a result's warnings in Blender's ``locale``; those without known ``codes`` as the backend says them.

    Args:
        texts: the backend's English sentences.
        codes: of each sentence code and values as JSON (docs/result-format.md); results of older backends have none.
        locale: ``zh_HANS`` and the like.
    """
    pairs = zip_longest(texts, codes, fillvalue="")
    return [_warning(text, code, locale) for text, code in pairs if text]


def _warning(text: str, code: str, locale: str) -> str:
    try:
        values = json.loads(code) if code else {}
        sentence = _phrases(locale)["sentences"][values["code"]]
        said: str = sentence.format_map({name: _said(value, locale) for name, value in values.items()})
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return text
    return said


def _said(value: object, locale: str) -> str:
    """Put a value of a warning into words: a number, a word or a list of them, or the code of a failure."""
    phrases = _phrases(locale)
    if isinstance(value, list):
        return str(phrases["between"]).join(_said(part, locale) for part in value)
    known = _words(locale).get(str(value))
    return known[0] if known else str(phrases["words"].get(str(value), value))
