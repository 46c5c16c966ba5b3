"""Received results as files, for Import Result and scripts; docs/result-format.md describes them. No bpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .backend.protocol import JobResult, PersonResult
from .backend_manager.task import Task
from .errors import AddonError
from .importer.pictures import with_pixels


def keep_task(folder: Path, photo: str, result: JobResult) -> Task:
    """Return the task that writes ``folder/<photo>/person_N.npz``; compressing takes seconds, so it has a thread."""

    def work(task: Task) -> str:
        try:
            place = _new_folder(folder, Path(photo).stem)
            for index, person in enumerate(result.persons):
                task.check()
                _save(person, place / f"person_{index}.npz")
        except (OSError, ValueError) as error:
            hint = "Choose another folder in the preferences, or empty the field."
            raise AddonError("KEEP", "The result was not saved.", detail=str(error), hint=hint) from error
        return str(place)

    return Task("keep", work)


def _new_folder(folder: Path, name: str) -> Path:
    for number in range(1, 10_000):
        place = folder / (name if number == 1 else f"{name}-{number}")
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            continue
        return place
    raise AddonError("KEEP", "The result was not saved.", detail=f"{folder} holds too many results of {name}.")


def _save(person: PersonResult, path: Path) -> None:
    facts = {name: np.asarray(value) for name, value in person.facts.items()}
    if "warnings" in person.facts:
        facts["warnings"] = np.asarray(person.facts["warnings"], dtype=np.str_)
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as stream:
            np.savez_compressed(stream, **with_pixels(person.arrays), **facts)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
