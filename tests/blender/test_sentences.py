"""Failures in other languages: every code has its words."""

from __future__ import annotations

import ast
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

import pytest

from munet.notes import Note, recalled, told
from munet.perception.cropping import PARTS

ROOT = Path(__file__).resolve().parents[2]
SPOKEN = ("blender_addon", "backend", "munet/errors.py")
"""Where failures begin that a user of the extension can meet."""
LANGUAGES = sorted((ROOT / "blender_addon" / "locale" / "failures").glob("*.json"))
WARNINGS = sorted((ROOT / "blender_addon" / "locale" / "warnings").glob("*.json"))

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


def warnings_in(source: Path) -> Iterator[tuple[str, set[str]]]:
    """Code and names of the values of each warning that a file makes, as calls of ``Note``."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note":
            spoken = [
                part for argument in node.args[1:] for part in ast.walk(argument) if isinstance(part, ast.Constant)
            ]
            codes = [str(part.value) for part in spoken if str(part.value).isupper()]
            names = {keyword.arg for keyword in node.keywords if keyword.arg}
            yield from ((code, names) for code in codes)


def all_warnings() -> dict[str, set[str]]:
    files = sorted((ROOT / "munet").rglob("*.py"))
    return {code: names for file in files if "Note(" in file.read_text("utf-8") for code, names in warnings_in(file)}


def test_every_warning_is_documented_and_has_its_sentence() -> None:
    from munet.fitting.fit import LIMBS

    made, text = all_warnings(), (ROOT / "docs" / "result-format.md").read_text(encoding="utf-8")
    documented = {line.split("|")[1].strip(" `"): line for line in text.splitlines() if line.startswith("| `")}
    for path in WARNINGS:
        words = json.loads(path.read_text(encoding="utf-8"))
        assert set(words["sentences"]) == set(made)
        for code, sentence in words["sentences"].items():
            assert {name for _, name, _, _ in Formatter().parse(sentence) if name} == made[code], code
            assert not sentence.isascii()
            assert all(f"`{name}`" in documented[code] for name in made[code]), code
        parts = {part for part, *_ in PARTS}
        assert set(words["words"]) == parts | set(LIMBS)


def test_no_warning_leaves_the_pipeline_without_a_code() -> None:
    """Whatever is put into ``warnings`` comes from elsewhere: a sentence written out there would have no code."""
    for file in sorted((ROOT / "munet").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "warnings":
                texts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
                sentences = [text for text in texts if isinstance(text, str) and " " in text.strip()]
                assert not sentences, f"{file}:{node.value.lineno}"


def test_warnings_are_told_by_code_and_values(extension: Extension) -> None:
    sentences = extension("sentences")
    notes = (
        Note("The legs lie outside the photo: they will rest.", "PART_OUTSIDE", part="legs"),
        Note("Hardly seen: legs, left arm.", "PARTS_HARDLY_SEEN", parts=("legs", "left arm")),
        Note("One person was left out: Nobody.", "PERSON_LEFT_OUT", failure="NO_PERSON"),
        Note("From a later release.", "NEWS", what="else"),
        "A sentence of an older one.",
    )
    codes = told(notes)
    chinese = sentences.warnings_in_language(notes, codes, "zh_HANS")
    assert chinese[0].startswith("双腿在照片之外")
    assert "双腿、左臂" in chinese[1]
    assert sentences.in_language(extension("errors").AddonError("NO_PERSON", ""), "zh_HANS")[0] in chinese[2]
    assert chinese[3:] == [str(note) for note in notes[3:]]
    for locale, kept in (("en_US", codes), ("zh_HANS", ()), ("zh_HANS", ["{", "[]", "3", '{"code": []}', "{}"])):
        assert sentences.warnings_in_language(notes, kept, locale) == [str(note) for note in notes]
    assert [type(note) for note in recalled([*map(str, notes)], codes)] == [*[Note] * 4, str]
    assert told(recalled([*map(str, notes)], codes)) == codes


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
