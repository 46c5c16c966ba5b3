"""Failures in other languages: every code has its words."""

from __future__ import annotations

import ast
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPOKEN = ("blender_addon", "backend", "munet/errors.py")
"""Where failures begin that a user of the extension can meet."""
LANGUAGES = sorted((ROOT / "blender_addon" / "locale" / "failures").glob("*.json"))

Extension = Callable[[str], types.ModuleType]


def codes_in(source: Path) -> Iterator[str]:
    """The codes of failures that a file makes: arguments of ``...Error`` and ``_Known``, ``code = "..."``."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name.endswith("Error") or name in {"_Known", "_bury", "__init__"}:
                values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
        elif isinstance(node, ast.FunctionDef):
            defaults = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            values = [value for argument, value in defaults if argument.arg == "code" and value is not None]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
            values = [node.value]
        texts = [value.value for value in values if isinstance(value, ast.Constant)]
        yield from (text for text in texts if isinstance(text, str) and text.isupper() and text.isidentifier())


def all_codes() -> set[str]:
    places = [ROOT / name for name in SPOKEN]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    return {code for file in files for code in codes_in(file)}


def documented_codes() -> set[str]:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8").partition("## Error codes")[2]
    rows = [line.split("|")[1] for line in text.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return {code.strip(" `") for row in rows for code in row.split(",")}


def test_codes_are_found_in_the_sources() -> None:
    assert {"NO_PERSON", "WORKER_HUNG", "DRIVER_OLD", "BAD_MESSAGE", "PROTOCOL_VERSION"} <= all_codes()
    assert len(documented_codes()) > 20


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_code_has_its_words(path: Path) -> None:
    words = json.loads(path.read_text(encoding="utf-8"))
    assert set(words) == all_codes() | documented_codes()
    for code, (title, hint) in words.items():
        assert title, code
        assert hint or code == "CANCELLED", code
        assert not title.isascii(), code


def test_a_failure_is_told_by_its_code_with_the_facts_behind(extension: Extension) -> None:
    sentences, errors = extension("sentences"), extension("errors")
    failure = errors.AddonError("NO_PERSON", "Nobody was found in sea.jpg.", detail="Best score 0.12.", hint="Try.")
    assert sentences.in_language(failure, "en_US") == (failure.title, failure.detail, failure.hint)
    title, detail, hint = sentences.in_language(failure, "zh_HANS")
    assert detail == "Nobody was found in sea.jpg. Best score 0.12."
    assert not title.isascii()
    assert not hint.isascii()
    unknown = errors.AddonError("WHATEVER", "So it is.")
    assert sentences.in_language(unknown, "zh_HANS") == ("So it is.", "", "")
