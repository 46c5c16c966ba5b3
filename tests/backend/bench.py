"""Runs scripts/reconstruct.py and scripts/batch.py against the fake backend, in folders of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.backend.harness import PNG

DRIVER = Path(__file__).with_name("run_fake_batch.py")


class Bench:
    """A folder with photos and a folder for results.

    Args:
        folder: for everything.
        script: reconstruct or batch.
    """

    def __init__(self, folder: Path, script: str = "reconstruct") -> None:
        self.folder = folder
        self.script = script
        self.out = folder / "out"

    def photo(self, name: str, data: bytes = PNG) -> str:
        """Write a file that claims to be a photo."""
        path = self.folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def start(self, *arguments: str, mode: str = "by-name", limit: int = 0) -> subprocess.Popen[str]:
        """Start a batch in the background."""
        command = [sys.executable, str(DRIVER), self.script, mode, str(limit), *arguments, "--out", str(self.out)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MUNET_RUNTIME_DIR": str(self.folder / "run")},
        )

    def run(self, *arguments: str, mode: str = "by-name", limit: int = 0) -> tuple[int, str, str]:
        """Run a batch and return exit status, standard output and standard error."""
        process = self.start(*arguments, mode=mode, limit=limit)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        return process.returncode, out, err

    def results(self) -> list[str]:
        """Return every name in the output folder, hidden ones too."""
        return sorted(path.name for path in self.out.iterdir()) if self.out.exists() else []

    def nothing_runs(self) -> bool:
        """Return whether no backend is left."""
        return not list((self.folder / "run").glob("*.json"))
