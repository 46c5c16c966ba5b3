"""What the tour finds: facts of each step, how long the main thread stood still and worked, and pictures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bpy

BEAT = 0.02
STILL = 0.3
"""Seconds for which the window may stand still."""


class Report:
    """Facts, times and pictures of the steps, in the folder ``out``; ``step`` is the one that goes on."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.facts: dict[str, Any] = {
            "blender": bpy.app.version_string,
            "steps": {},
            "still_s": {},
            "worked_s": {},
            "errors": [],
        }
        self.step = "start"
        self._last, self._worked = time.monotonic(), time.thread_time()
        self._shots = 0

    def beat(self) -> float:
        """Note how long the main thread did not come back, and for how long of that it worked."""
        now, worked = time.monotonic(), time.thread_time()
        for name, value in (("still_s", now - self._last - BEAT), ("worked_s", worked - self._worked)):
            most = self.facts[name].setdefault(self.step, [])
            most.append(round(value, 3))
            self.facts[name][self.step] = sorted(most, reverse=True)[:3]
        self._last, self._worked = now, worked
        return BEAT

    def note(self, **values: object) -> None:
        """Write down what a step gave."""
        self.facts["steps"].setdefault(self.step, {}).update(values)

    def next_shot(self, name: str) -> Path:
        """Return the file of the next picture."""
        self._shots += 1
        return self.out / f"{self._shots:02d}-{name}.png"

    def shot(self, name: str) -> None:
        """Take a picture of the whole window."""
        path = str(self.next_shot(name))
        window = bpy.context.window_manager.windows[0]
        # Blender's own pictures are black where OpenGL is drawn by software under Xvfb.
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", path], check=True)
        else:
            with bpy.context.temp_override(window=window, screen=window.screen):
                bpy.ops.screen.screenshot(filepath=path)
        self._last = time.monotonic()

    def shot_once(self, name: str) -> None:
        """Take a picture of the whole window, unless it is there from an earlier turn."""
        if not list(self.out.glob(f"*-{name}.png")):
            self.shot(name)

    def report(self) -> None:
        """Write what was found, and say for how long the window stood still."""
        (self.out / "tour.json").write_text(json.dumps(self.facts, indent=1), encoding="utf-8")
        lines = [f"{'':24}{'still':>8}{'worked':>8}"]
        for step, times in self.facts["still_s"].items():
            still, worked = times[0], self.facts["worked_s"][step][0]
            mark = "  above" if still > STILL else ""
            lines.append(f"{step:24}{still:8.3f}{worked:8.3f}{mark}")
        sys.stdout.write("\n".join([*lines, *(self.facts["errors"] or ["no traceback"])]) + "\n")
