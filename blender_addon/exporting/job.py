"""What an export in a Blender of its own has to know, as JSON. No bpy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import AddonError
from .options import CopyOptions, WriteOptions

TASK = "export"
"""Name of the task that lets another Blender export."""
PROGRESS = "munet-progress "
"""How the lines begin with which that Blender says how far it is."""


@dataclass(frozen=True)
class ExportJob:
    """One export.

    Attributes:
        library: blend file that holds the character.
        rig: its name there.
        form: format, a key of ``writers.ENDINGS``.
        target: file to write, in a folder of its own.
        answer: file that says how it ended.
        copied: what is copied.
        written: what is written.
        scene: frame, frame rate and unit of the scene, by the paths of their properties.
    """

    library: str
    rig: str
    form: str
    target: str
    answer: str
    copied: CopyOptions
    written: WriteOptions
    scene: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write it as a file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_job(path: Path) -> ExportJob:
    """Read what :meth:`ExportJob.save` has written."""
    values = json.loads(path.read_text(encoding="utf-8"))
    copied, written = CopyOptions(**values.pop("copied")), WriteOptions(**values.pop("written"))
    return ExportJob(copied=copied, written=written, **values)


def write_answer(path: Path, failure: AddonError | None) -> None:
    """Say how an export ended."""
    parts = {} if failure is None else {name: getattr(failure, name) for name in ("code", "title", "detail", "hint")}
    path.write_text(json.dumps(parts), encoding="utf-8")


def read_answer(path: Path) -> AddonError | None:
    """Return why an export failed, None if it did not.

    Raises:
        OSError: it did not live to say so.
    """
    parts = json.loads(path.read_text(encoding="utf-8"))
    return AddonError(**parts) if parts else None
