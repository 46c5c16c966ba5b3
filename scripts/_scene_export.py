"""Scene files of a result, written by Blender in its own environment while the backend works on the next photo."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from _environment import clean_variables

from backend.protocol.errors import ExplainedError

SCRIPT = Path(__file__).resolve().parent / "export_scene.py"
LIMIT_SECONDS = 300.0
NO_WINDOW = 0x08000000
ENDINGS = {"usd": "usdz"}


class ExportError(ExplainedError):
    """Blender could not write the scene; the message says why."""

    def __init__(self, title: str) -> None:
        super().__init__("EXPORT", title)


class SceneExport:
    """One running export.

    Args:
        python: interpreter of the Blender environment.
        folder: of the result, with its person files; the scene files are written into it.
        photo: for the background of the camera, None if it is gone.
        formats: scene.<format> is written for each.
        script: the exporting script.
    """

    def __init__(
        self, python: Path, folder: Path, photo: Path | None, formats: Sequence[str], script: Path = SCRIPT
    ) -> None:
        self._expected = [folder / scene_file(name) for name in formats]
        self._started = time.monotonic()
        command = [str(python), str(script), str(folder.absolute()), "--formats", ",".join(formats)]
        if photo is not None:
            # Absolute, because a name that begins with a dash would be taken for an option.
            command += ["--photo", str(photo.absolute())]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_variables(),
            text=True,
            errors="replace",
            start_new_session=os.name == "posix",
            creationflags=NO_WINDOW if sys.platform == "win32" else 0,
        )

    def finish(self) -> float:
        """Wait for the end and return the seconds it took.

        Raises:
            ExportError: it failed.
        """
        try:
            output, _ = self._process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise ExportError(f"Blender did not finish within {LIMIT_SECONDS:.0f} s.") from error
        missing = [path.name for path in self._expected if not path.is_file() or not path.stat().st_size]
        if self._process.returncode or missing:
            raise ExportError(_explain(output, self._process.returncode, missing))
        return time.monotonic() - self._started

    def stop(self) -> None:
        """End the export at once."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def scene_file(name: str) -> str:
    """Return the name of the scene file of a format."""
    return f"scene.{ENDINGS.get(name, name)}"


def _explain(output: str, status: int, missing: Sequence[str]) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No space left on device" in line or "not enough space on the disk" in line for line in lines):
        return "There is no room left on the disk. Free some space or choose another folder with --out."
    last = lines[-1] if lines else ""
    absent = f" Not written: {', '.join(missing)}." if missing else ""
    return f"Blender could not write the scene (exit status {status}).{absent} {last}".strip()
