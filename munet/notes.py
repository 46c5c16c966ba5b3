"""Sentences for the user that keep their meaning: with a code and values, so that others can say them in a language."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Self

Value = str | int | float | tuple[str, ...]


class Note(str):
    """An English sentence for the user, with a stable code and the values in it.

    It is a text wherever one is wanted; docs/result-format.md lists the codes.

    Attributes:
        code: stable upper-case identifier.
        values: what the sentence says by name; words (English, singular or plural as in the sentence) and numbers.
    """

    code: str
    values: dict[str, Any]

    def __new__(cls, text: str, code: str = "", **values: Value) -> Self:
        """Return ``text`` with its ``code`` and ``values``."""
        note = super().__new__(cls, text)
        note.code = code
        note.values = values
        return note

    @property
    def told(self) -> str:
        """Code and values as a JSON object."""
        return json.dumps({"code": self.code, **self.values})


def told(texts: Iterable[str]) -> list[str]:
    """Return code and values of each of ``texts`` as a JSON object, empty texts for sentences without a code."""
    return [text.told if isinstance(text, Note) else "" for text in texts]


def recalled(texts: Iterable[str], codes: Iterable[str]) -> tuple[str, ...]:
    """Return ``texts`` with what :func:`told` gave for them; without codes for all of them they stay plain texts."""
    sentences, kept = list(texts), list(codes)
    if len(kept) != len(sentences):
        return tuple(sentences)
    return tuple(_recalled(text, code) for text, code in zip(sentences, kept, strict=True))


def _recalled(text: str, kept: str) -> str:
    try:
        values = json.loads(kept)
    except ValueError:
        return text
    if not isinstance(values, dict) or not isinstance(values.get("code"), str):
        return text
    return Note(text, values.pop("code"), **{name: _frozen(value) for name, value in values.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401 whatever JSON holds
    return tuple(str(word) for word in value) if isinstance(value, list) else value
