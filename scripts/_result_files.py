"""The files of one result folder, apart from the scenes; docs/result-format.md describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backend.protocol.results import JobResult, PersonResult
from munet.reconstruction import Reconstruction, save_reconstruction

REPORT = "report.json"


@dataclass(frozen=True)
class Origin:
    """What a result is made from.

    Attributes:
        photo: the file's name.
        sha256: of the file.
        settings: of the job.
        formats: of the scene files.
    """

    photo: str
    sha256: str
    settings: Mapping[str, Any]
    formats: tuple[str, ...]


def write_result(folder: Path, origin: Origin, result: JobResult) -> None:
    """Write person_N.npz, preview.png and report.json into ``folder``.

    Raises:
        OSError: the disk is full or the folder is not writable.
    """
    for index, person in enumerate(result.persons):
        _save(person, folder / person_file(index))
    Image.fromarray(result.preview).save(folder / "preview.png")
    report = {
        "version": result.versions.get("backend", ""),
        "device": result.versions.get("device", ""),
        "photo": origin.photo,
        "photo_sha256": origin.sha256,
        "settings": dict(origin.settings),
        "formats": list(origin.formats),
        "seconds": result.seconds,
        "warnings": list(result.warnings),
        "persons": [_person(index, person) for index, person in enumerate(result.persons)],
    }
    write_json(folder / REPORT, report)


def _save(person: PersonResult, path: Path) -> None:
    """Write a person, with the motion where it comes from a clip."""
    known = {field.name for field in fields(Reconstruction)} | {"warning_codes"}
    everything: dict[str, Any] = {**person.arrays, **person.facts}
    more = {name: np.asarray(value) for name, value in everything.items() if name not in known}
    arrays = {name: value for name, value in person.arrays.items() if name in known}
    facts = {name: value for name, value in person.facts.items() if name in known}
    save_reconstruction(Reconstruction.from_parts(arrays, facts), path, more)


def finish_report(folder: Path, export_seconds: float, total_seconds: float) -> None:
    """Add what is known only at the end to report.json."""
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    report["seconds"] |= {"export": export_seconds, "total": total_seconds}
    write_json(folder / REPORT, report)


def person_file(index: int) -> str:
    """Return the name of the ``index``-th person's file."""
    return f"person_{index}.npz"


def is_result(folder: Path) -> bool:
    """Return whether a folder is the result of a photo."""
    return (folder / REPORT).is_file() and (folder / person_file(0)).is_file()


def _person(index: int, person: PersonResult) -> dict[str, Any]:
    return {"file": person_file(index), "box": person.arrays["box"].tolist(), **person.facts}


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file that people may read as well."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # A file's name may hold bytes that are no text; JSON has an escape for each, which reads as the same name.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
