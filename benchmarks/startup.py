"""How long ``scripts/reconstruct.py`` takes to begin: ``python benchmarks/startup.py [PHOTO] [--runs N]``.

The environments and model files must be there. A text file named .jpg gives the time until the first answer; the photo
gives the time until its first stage (the file is being read) and until the second (torch and the networks are loaded).
Needs a terminal of POSIX, because the progress is drawn only on one.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 120.0


def main() -> int:
    """Measure and print medians and all runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", nargs="?", type=Path, default=ROOT / "examples" / "standing-jacket.jpg")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"load of the machine: {' '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text.jpg"
        text.write_text("this is not a picture")
        answers = [seconds_until(text, ["can not be read"], Path(scratch)) for _ in range(options.runs)]
        stages = [seconds_until(options.photo, [" Read", " People"], Path(scratch)) for _ in range(options.runs)]
    show("wrong file answered", [run[0] for run in answers])
    show("first stage begun", [run[0] for run in stages])
    show("models loaded", [run[1] for run in stages])
    return 0


def seconds_until(photo: Path, signs: list[str], scratch: Path) -> list[float]:
    """Return when each of ``signs`` first appeared in what the script writes, then end it."""
    command = [sys.executable, str(ROOT / "scripts" / "reconstruct.py"), str(photo), "--out", str(scratch / "out")]
    own, theirs = pty.openpty()
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--offline"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    found: list[float] = []
    seen = ""
    while len(found) < len(signs) and time.monotonic() - began < LIMIT_SECONDS:
        try:
            seen += os.read(own, 4096).decode(errors="replace")
        except OSError:
            break
        while len(found) < len(signs) and re.search(signs[len(found)], seen):
            found.append(time.monotonic() - began)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20.0)
    finally:
        os.close(own)
    if len(found) < len(signs):
        raise SystemExit(f"{signs[len(found)]!r} did not appear in: {seen}")
    return found


def show(name: str, seconds: list[float]) -> None:
    """Print one line."""
    runs = " ".join(f"{value:.2f}" for value in seconds)
    print(f"{name:<22} median {statistics.median(seconds):5.2f} s   runs {runs}")


if __name__ == "__main__":
    sys.exit(main())
