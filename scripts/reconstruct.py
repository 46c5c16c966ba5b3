"""Reconstruct the people in photos: ``python scripts/reconstruct.py PHOTO... --out DIR``.

Needs only Python 3.11; makes the environments on the first run, starts the backend and talks to it as the Blender
extension does. Each photo gives the folder ``DIR/<photo's name>``; docs/result-format.md describes it. The exit status
is 0 only if every photo gave a person. ``scripts/batch.py`` does whole folders, and
``--sequence CLIP`` makes one person with its motion of a video or of numbered pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from _bootstrap import prepare, run_inside, run_script, runs_inside
from _options import add_backend_options, add_clip_options, add_result_options


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Turn photos into rigged, dressed, textured characters.")
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="image file")
    add_result_options(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace existing results instead of adding -2, -3, ..."
    )
    add_backend_options(parser)
    add_clip_options(parser)
    parser.add_argument(
        "--fetch-models", action="store_true", help="fetch the model files; without a photo do only that"
    )
    options = parser.parse_args(arguments)
    if options.photos and options.sequence:
        parser.error("name photos or a clip, not both")
    if not options.photos and not options.sequence and not options.fetch_models:
        parser.error("name at least one photo, or a clip with --sequence")
    return options


def main(arguments: Sequence[str]) -> int:
    """Make the environments, change into the backend's one and run the photos there."""
    options = parse(arguments)
    python, blender = prepare(
        scenes=bool(options.formats and (options.photos or options.sequence)), offline=options.offline
    )
    if not runs_inside(python):
        return run_inside(python, __file__, arguments)
    from _photo_run import run

    return run(options, blender)


if __name__ == "__main__":
    sys.exit(run_script(main))
