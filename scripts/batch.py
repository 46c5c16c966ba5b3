"""Reconstruct whole folders of photos: ``python scripts/batch.py FOLDER... --out DIR``.

Subfolders are searched too, and ``DIR`` mirrors them. Photos whose results are complete and were made from the same
file, settings and version are skipped, so the same command goes on where it was stopped. ``DIR/batch.json`` tells what
became of every photo. docs/scripting.md describes it all.

Exit status: 0 every photo has a result, 1 some failed, 2 wrong usage or nothing found, 3 no backend, 130 cancelled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from _bootstrap import prepare, run_inside, run_script, runs_inside
from _options import add_backend_options, add_result_options

NO_BACKEND = 3


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    description = "Turn folders of photos into rigged, dressed, textured characters; goes on where it was stopped."
    parser = argparse.ArgumentParser(description=description)
    what = "folder, quoted pattern ('shoots/**/*.jpg') or file"
    parser.add_argument("photos", nargs="+", metavar="FOLDER", help=what)
    add_result_options(parser)
    parser.add_argument("--force", action="store_true", help="make results again that are there already")
    parser.add_argument("--report", type=Path, metavar="FILE", help="the JSON report (default: DIR/batch.json)")
    add_backend_options(parser)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Make the environments, change into the backend's one and run the folders there."""
    options = parse(arguments)
    python, blender = prepare(scenes=bool(options.formats), offline=options.offline)
    if not runs_inside(python):
        return run_inside(python, __file__, arguments)
    from _tree_run import run

    return run(options, blender)


if __name__ == "__main__":
    sys.exit(run_script(main, setup_status=NO_BACKEND))
