"""Seconds per stage, peak memory and seconds to import into Blender, on the example photos, against the budget.

    python benchmarks/pipeline.py [PHOTO...] [--repeats 3] [--threads 2] [--device auto] [--preset standard]

Prints a table in Markdown: the median over the repeats after one run to warm up. Peak memory is that of this process,
which holds what the backend's worker holds. Makes the environments where they are missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from _bootstrap import run_inside, runs_inside  # noqa: E402
from _environment import clean_variables, ensure  # noqa: E402

if TYPE_CHECKING:
    from munet.pipeline import Models, PhotoResult
    from munet.settings import Settings

SECONDS_BUDGET = 12.0
IMPORT_BUDGET = 2.0
MEMORY_BUDGET_GB = 3.0


@dataclass(frozen=True)
class Row:
    """What one photo cost, in seconds; ``processor`` adds up all cores and tells whether the machine was quiet."""

    photo: str
    people: int
    stages: dict[str, float]
    total: float
    processor: float
    blender_import: float


def main() -> int:
    """Measure in the backend's environment and print; 1 if a photo breaks the budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path, default=example_photos())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="auto")
    parser.add_argument("--preset", default="standard")
    options = parser.parse_args()
    python = ensure("backend")
    return report(options) if runs_inside(python) else run_inside(python, __file__, sys.argv[1:])


def example_photos() -> list[Path]:
    """Return the photos in examples/."""
    return sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in {".jpg", ".png"})


def report(options: argparse.Namespace) -> int:
    """Measure every photo and print the tables."""
    import torch

    from munet.pipeline import Models
    from munet.settings import Settings

    torch.set_num_threads(options.threads)
    settings = Settings(preset=options.preset, device=options.device)
    began = time.perf_counter()
    models = Models.load(settings)
    loading = time.perf_counter() - began
    print(describe(str(models.device), options.threads, options.preset), flush=True)
    rows = [measure(models, path, settings, options.repeats) for path in options.photos]
    print(table(rows))
    memory = peak_memory_gb()
    print(f"\nLoading the models: {loading:.1f} s. Peak memory: {memory_text(memory)}.")
    slow = [row.photo for row in rows if row.total > SECONDS_BUDGET or row.blender_import > IMPORT_BUDGET]
    verdict = "kept" if not slow and (memory is None or memory < MEMORY_BUDGET_GB) else "BROKEN"
    budget = f"{SECONDS_BUDGET:.0f} s a photo, {IMPORT_BUDGET:.0f} s to import, {MEMORY_BUDGET_GB:.0f} GB"
    print(f"Budget on two CPU cores ({budget}): {verdict}. {' '.join(slow)}")
    return 0 if verdict == "kept" else 1


def measure(models: Models, path: Path, settings: Settings, repeats: int) -> Row:
    """Return the median of ``repeats`` runs after one to warm up."""
    from munet.pipeline import reconstruct_photo

    data = path.read_bytes()
    runs: list[tuple[float, float, PhotoResult]] = []
    for _ in range(repeats + 1):
        began, worked = time.perf_counter(), time.process_time()
        result = reconstruct_photo(models, data, path.name, settings)
        runs.append((time.perf_counter() - began, time.process_time() - worked, result))
    warm = runs[1:]
    stages = {name: statistics.median(run[2].seconds[name] for run in warm) for name in result.seconds}
    total, work = statistics.median(run[0] for run in warm), statistics.median(run[1] for run in warm)
    return Row(path.name, len(result.persons), stages, total, work, import_seconds(result, path))


def import_seconds(result: PhotoResult, photo: Path) -> float:
    """Return the seconds that Blender takes from the arrays in files to the finished scene."""
    from munet.reconstruction import save_reconstruction

    with tempfile.TemporaryDirectory() as folder:
        for index, person in enumerate(result.persons):
            save_reconstruction(person, Path(folder) / f"person_{index}.npz")
        command = [str(ensure("blender")), str(ROOT / "benchmarks" / "blender_import.py"), folder, str(photo.resolve())]
        answer = subprocess.run(command, capture_output=True, text=True, env=clean_variables(), check=True)
    return float(json.loads(answer.stdout.splitlines()[-1])["seconds"])


def table(rows: list[Row]) -> str:
    """Lay the rows out in Markdown."""
    stages = list(rows[0].stages)
    names = ["photo", "people", *stages, "total s", "processor s", "import s"]
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for row in rows:
        seconds = [f"{row.stages[name]:.2f}" for name in stages]
        cells = [row.photo, str(row.people), *seconds, f"{row.total:.2f}", f"{row.processor:.2f}"]
        cells.append(f"{row.blender_import:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def describe(device: str, threads: int, preset: str) -> str:
    """Say what was measured where."""
    import numpy as np
    import torch

    name = torch.cuda.get_device_name() if device.startswith("cuda") else processor()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commit = git.stdout.strip() or "unknown"
    place = f"{device} ({name}), {threads} of {os.cpu_count()} cores, {platform.system()}"
    return f"{place}; {versions}; commit {commit}; preset {preset}\n"


def processor() -> str:
    """Name the processor as exactly as the system does."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak_memory_gb() -> float | None:
    """Return the largest resident size of this process so far, None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


def memory_text(memory: float | None) -> str:
    """Put a peak into words."""
    return "not measured on this system" if memory is None else f"{memory:.2f} GB"


if __name__ == "__main__":
    sys.exit(main())
