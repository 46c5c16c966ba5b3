"""Reconstruct the people in photos: ``python scripts/reconstruct.py PHOTO... --out DIR``.

Needs only Python 3.11; makes the environments on the first run, starts the backend and talks to it as the Blender
extension does. Each photo gives the folder ``DIR/<photo's name>``; docs/result-format.md describes it. The exit status
is 0 only if every photo gave a person.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from _environment import ROOT, SetupError, clean_variables, ensure

FORMATS = ("blend", "glb", "fbx", "usd", "obj")
PRESETS = ("draft", "standard", "high")
CANCELLED = 130


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Turn photos into rigged, dressed, textured characters.")
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="image file")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where results go (default: out)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace existing results instead of adding -2, -3, ..."
    )
    parser.add_argument(
        "--formats",
        type=_formats,
        default=("blend", "glb"),
        help=f"scene files to write, of {','.join(FORMATS)}, or none (default: blend,glb)",
    )
    parser.add_argument("--preset", choices=PRESETS, default="standard", help="speed or quality (default: standard)")
    parser.add_argument(
        "--max-persons", type=int, default=8, metavar="N", help="largest N people of a photo (default: 8)"
    )
    parser.add_argument(
        "--texture-size", type=int, default=0, metavar="PIXELS", help="edge of the texture (default: preset)"
    )
    parser.add_argument(
        "--body", type=Path, metavar="FILE", help="your own SMPL, SMPL-H or SMPL-X file instead of the default body"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default: auto)")
    parser.add_argument(
        "--fetch-models", action="store_true", help="fetch the model files; without a photo do only that"
    )
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument(
        "--connect", type=Path, metavar="RUN_FILE", help="use a running backend instead of starting one"
    )
    options = parser.parse_args(arguments)
    if not options.photos and not options.fetch_models:
        parser.error("name at least one photo")
    return options


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if names == ("none",):
        return ()
    if not names or set(names) - set(FORMATS):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(FORMATS)}, or none")
    return names


def main(arguments: Sequence[str]) -> int:
    """Make the environments, change into the backend's one and run the batch there."""
    options = parse(arguments)
    if options.offline:
        os.environ["PIP_NO_INDEX"] = "1"
    try:
        python = ensure("backend")
        blender = ensure("blender") if options.formats and options.photos else None
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if Path(sys.prefix).resolve() != python.parent.parent.resolve():
        return _run_inside(python, arguments)
    sys.path.insert(0, str(ROOT))
    from _batch import run_batch

    return run_batch(options, blender)


def _run_inside(python: Path, arguments: Sequence[str]) -> int:
    command = [str(python), str(Path(__file__).resolve()), *arguments]
    if os.name == "posix":
        os.execve(python, command, clean_variables())  # noqa: S606 replaces this process, so that signals arrive
    child = subprocess.Popen(command, env=clean_variables())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        sys.exit(CANCELLED)
