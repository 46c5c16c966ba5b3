"""Results on the disk, and people in the scene, as handles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy

from ..errors import AddonError
from ..importer.character import load_character
from ..importer.photo import Photo, read_photo
from ..importer.scene import Origin, import_people
from .person import Person


def people(scene: bpy.types.Scene | None = None) -> list[Person]:
    """Return everybody in a scene (by default the present one), in the order of their names."""
    objects = (scene or bpy.context.scene).objects
    rigs = [obj for obj in objects if obj.type == "ARMATURE" and "munet_bone_names" in obj]
    return [Person(rig) for rig in sorted(rigs, key=lambda rig: rig.name)]


def load_person(path: str | Path, photo: str | Path | None = None) -> Person:
    """Insert one person: that of a ``person_N.npz``, or the largest of a result folder.

    Args:
        path: the file or folder, as scripts/reconstruct.py writes them.
        photo: the photo, to be shown behind the person in the camera.

    Raises:
        AddonError: NOBODY: there is none; BAD_RESULT: the file can not be used; WRONG_MODE: outside Object Mode.
    """
    return _load(_files(Path(path))[:1], photo)[0]


def load_people(folder: str | Path, photo: str | Path | None = None) -> list[Person]:
    """Insert everybody of a result folder, largest first, in their places towards each other.

    Args:
        folder: as scripts/reconstruct.py writes it.
        photo: the photo, to be shown behind them in the camera.

    Raises:
        AddonError: NOBODY: there is none; BAD_RESULT: a file can not be used; WRONG_MODE: outside Object Mode.
    """
    return _load(_files(Path(folder)), photo)


def _files(path: Path) -> list[Path]:
    path = path.absolute()
    if path.suffix.lower() == ".npz":
        return [path]
    numbered = [file for file in path.glob("person_*.npz") if file.stem.rpartition("_")[2].isdecimal()]
    if not numbered:
        raise AddonError("NOBODY", f"There is no person_*.npz in {path}.", hint="Reconstruct a photo first.")
    return sorted(numbered, key=lambda file: int(file.stem.rpartition("_")[2]))


def _load(files: list[Path], photo: str | Path | None) -> list[Person]:
    characters = [load_character(file) for file in files]
    report = _report(files[0].parent)
    name = str(report.get("photo") or files[0].parent.name)
    settings = report.get("settings")
    origin = Origin(
        photo=_photo(Path(photo)) if photo else Photo(name, b""),
        settings=settings if isinstance(settings, dict) else {},
        version=str(report.get("version", "")),
    )
    return [Person(person.rig) for person in import_people(bpy.context, characters, origin)]


def _photo(path: Path) -> Photo:
    try:
        return read_photo(path)
    except OSError as error:
        detail = f"{path}: {error.strerror}."
        hint = "Check that the file is still there and readable."
        raise AddonError("NO_FILE", "The photo can not be read.", detail=detail, hint=hint) from error


def _report(folder: Path) -> dict[str, Any]:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}
