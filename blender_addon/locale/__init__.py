"""Translations: one JSON file per language, English source to translation."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

_CONTEXTS = ("*", "Operator")
_PACKAGE = __package__.rpartition(".")[0]


def _read() -> dict[str, dict[tuple[str, str], str]]:
    languages = {}
    for path in sorted(Path(__file__).parent.glob("*.json")):
        words: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        languages[path.stem] = {(context, text): done for text, done in words.items() for context in _CONTEXTS}
    return languages


def register() -> None:
    """Make the translations known."""
    bpy.app.translations.register(_PACKAGE, _read())


def unregister() -> None:
    """Forget the translations."""
    bpy.app.translations.unregister(_PACKAGE)
