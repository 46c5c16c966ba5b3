"""The result of a job as a message and as plain values; the keys are those of docs/result-format.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ProtocolError
from .framing import Array

PREVIEW = "preview"
PICTURES = ("texture", "normal_map")
"""The arrays of a person that are pictures (H, W, 3)."""
PNG = "png"
"""The form of pictures, beside pixels, that a client can ask for: ``<name>_png`` (N,) uint8 is sent instead."""


@dataclass(frozen=True)
class PersonResult:
    """One person: ``arrays`` and ``facts`` as in ``munet.reconstruction.Reconstruction``."""

    arrays: dict[str, Array]
    facts: dict[str, Any]


@dataclass(frozen=True)
class JobResult:
    """Everything a finished job gave.

    Attributes:
        persons: largest first; never empty.
        seconds: time per stage.
        warnings: sentences for the user about the photo as a whole.
        preview: (H, W, 3) uint8 sRGB contact sheet.
        versions: of the backend ("backend") and the device it ran on ("device").
        warning_codes: code and values of each warning as a JSON object, or an empty text (docs/result-format.md).
    """

    persons: tuple[PersonResult, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    preview: Array
    versions: dict[str, str]
    warning_codes: tuple[str, ...] = ()


def join_result(
    persons: Sequence[tuple[Mapping[str, Array], Mapping[str, Any]]],
    seconds: Mapping[str, float],
    warnings: Sequence[str],
    preview: Array,
    versions: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return body and arrays of a ``result`` message; ``persons`` holds arrays and facts of each."""
    arrays = {f"{index}/{name}": array for index, (own, _) in enumerate(persons) for name, array in own.items()}
    body = {
        "persons": [dict(facts) for _, facts in persons],
        "seconds": dict(seconds),
        "warnings": list(warnings),
        "warning_codes": [str(getattr(text, "told", "")) for text in warnings],
        "versions": dict(versions),
    }
    return body, {**arrays, PREVIEW: preview}


def split_result(body: dict[str, Any], arrays: dict[str, Array]) -> JobResult:
    """Invert :func:`join_result`.

    Raises:
        ProtocolError: a part is missing or malformed.
    """
    facts = body.get("persons")
    if not isinstance(facts, list) or not facts or not all(isinstance(entry, dict) for entry in facts):
        raise ProtocolError("A result is malformed.", detail="'persons' must be a list of objects, at least one.")
    if PREVIEW not in arrays:
        raise ProtocolError("A result is malformed.", detail="The preview is missing.")
    own: list[dict[str, Array]] = [{} for _ in facts]
    for key, array in arrays.items():
        index, _, name = key.partition("/")
        if name and index.isdecimal() and int(index) < len(own):
            own[int(index)][name] = array
    try:
        return JobResult(
            persons=tuple(PersonResult(*pair) for pair in zip(own, facts, strict=True)),
            seconds={str(key): float(value) for key, value in dict(body.get("seconds", {})).items()},
            warnings=tuple(str(text) for text in body.get("warnings", [])),
            preview=arrays[PREVIEW],
            versions={str(key): str(value) for key, value in dict(body.get("versions", {})).items()},
            warning_codes=tuple(str(text) for text in body.get("warning_codes", [])),
        )
    except (TypeError, ValueError) as error:
        raise ProtocolError("A result is malformed.", detail=str(error)) from error
