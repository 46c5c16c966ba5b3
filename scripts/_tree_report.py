"""The report over a folder of photos: what became of each, written while the run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _batch import warnings_of
from _result_files import write_json

from backend.protocol.errors import ExplainedError
from backend.protocol.results import JobResult

WRITE_SECONDS = 5.0
FORMAT = 1


class TreeReport:
    """Keeps the report on the disk; every version of the file is complete.

    Args:
        path: of the file.
        facts: what holds for all photos.
        photos: each photo's path and result folder, as they are written.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any], photos: Sequence[tuple[str, str]]) -> None:
        self._path = path
        self._began = self._written = time.monotonic()
        self._entries: list[dict[str, Any]] = [
            {"photo": photo, "folder": folder, "state": "pending"} for photo, folder in photos
        ]
        self._report: dict[str, Any] = {
            "format": FORMAT,
            "state": "running",
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            **facts,
        }
        self.write()

    def skip(self, index: int, report: Mapping[str, Any]) -> None:
        """Note a photo whose result is there already, from that result's own report."""
        own = [text for person in report["persons"] for text in person.get("warnings", [])]
        warnings = [*report["warnings"], *own]
        self._note(index, "skipped", persons=len(report["persons"]), warnings=list(dict.fromkeys(warnings)))

    def done(self, index: int, result: JobResult, seconds: float) -> None:
        """Note a photo that gave a result."""
        facts = {"persons": len(result.persons), "seconds": round(seconds, 2), "warnings": warnings_of(result)}
        self._report |= {"version": result.versions.get("backend", ""), "device": result.versions.get("device", "")}
        self._note(index, "done", **facts)

    def failed(self, index: int, error: ExplainedError, seconds: float) -> None:
        """Note a photo that gave nothing, and why."""
        self._note(index, "failed", seconds=round(seconds, 2), error=_error(error))

    def close(self, state: str, error: ExplainedError | None = None) -> None:
        """Write the last version.

        Raises:
            OSError: it can not be written.
        """
        self._report["state"] = state
        if error is not None:
            self._report["error"] = _error(error)
        self.write()

    @property
    def totals(self) -> dict[str, int]:
        """How many photos there are in each state."""
        states = [entry["state"] for entry in self._entries]
        return {"photos": len(states), **{s: states.count(s) for s in ("done", "skipped", "failed", "pending")}}

    def write(self) -> None:
        """Put the present state on the disk.

        Raises:
            OSError: it can not be written.
        """
        self._written = time.monotonic()
        totals = {**self.totals, "seconds": round(self._written - self._began, 2)}
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            write_json(partial, {**self._report, "totals": totals, "photos": self._entries})
            partial.replace(self._path)
        finally:
            partial.unlink(missing_ok=True)

    def _note(self, index: int, state: str, **facts: Any) -> None:  # noqa: ANN401 what JSON can hold
        self._entries[index] |= {"state": state, **facts}
        if time.monotonic() - self._written > WRITE_SECONDS:
            # A disk that is full costs photos, not the run; the last version will say whether the report suffered.
            with contextlib.suppress(OSError):
                self.write()


def _error(error: ExplainedError) -> dict[str, str]:
    return {"code": error.code, "title": error.title, "detail": error.detail, "fix": error.hint}


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None if there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
