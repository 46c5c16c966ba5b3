"""Every text of the user interface, read from the sources: labels, tooltips, menus, reasons of grey buttons."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_PLACES = ("operators", "panels", "properties", "preferences.py", "rigs/__init__.py")
_NAMED = {"text", "name", "description", "label"}
_ENTRIES = {"PoseEntry", "NamingScheme"}
_ACRONYMS = {"SMPL", "NVIDIA"}
_SKIPPED_CALLS = {"operator_menu_enum", "new", "undo_push"}


def _string(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _of_call(node: ast.Call) -> Iterator[str | None]:
    name = _called(node)
    if name in _SKIPPED_CALLS or any(k.arg == "translate" for k in node.keywords):
        return
    if name in {"poll_message_set", "iface_"}:
        yield _string(node.args[0])
    elif name in _ENTRIES:
        yield from (_string(argument) for argument in node.args[1:])
    else:
        yield from (_string(k.value) for k in node.keywords if k.arg in _NAMED)


def _of_class(node: ast.ClassDef) -> Iterator[str | None]:
    if node.name.startswith("MUNET_OT"):
        yield ast.get_docstring(node)
    for line in node.body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "bl_label":
            yield _string(line.value)


def _of_items(node: ast.Tuple) -> Iterator[str | None]:
    """Entries of menus: three strings, the first of which no one sees."""
    words = [_string(element) for element in node.elts]
    if len(words) >= 3 and all(words[:3]):
        yield from words[1:3]
    elif len(words) == 2 and all(words) and str(words[1]).isupper():
        yield words[0]


def _of_table(node: ast.Assign) -> Iterator[str | None]:
    """Texts of the panel's table of stages."""
    if getattr(node.targets[0], "id", "") == "_STAGES" and isinstance(node.value, ast.Dict):
        yield from (_string(value) for value in node.value.values)


def _files(place: Path) -> list[Path]:
    return [place] if place.suffix == ".py" else sorted(place.glob("*.py"))


def ui_texts(source: Path) -> set[str]:
    """Return the texts of the add-on in ``source``."""
    paths = [path for place in _PLACES for path in _files(source / place)]
    found: set[str | None] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found.update(_of_call(node))
            elif isinstance(node, ast.ClassDef):
                found.update(_of_class(node))
            elif isinstance(node, ast.Tuple):
                found.update(_of_items(node))
            elif isinstance(node, ast.Assign):
                found.update(_of_table(node))
    return {text for text in found if text and not _is_code(text)}


def _is_code(text: str) -> bool:
    return (text.isidentifier() and (text.islower() or text.isupper())) and text not in _ACRONYMS
