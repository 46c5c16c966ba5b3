r"""Photos to one .blend that other files link or append people from; every person is an asset.

    blender --background --python-exit-code 1 --python examples/scripts/photos_to_library.py -- \
        photos/*.jpg --library people.blend --preset draft

The extension MuNet has to be enabled; ``--addons bl_ext.user_default.munet`` enables it for one run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
from bl_ext.user_default.munet import api


def main(words: list[str]) -> None:
    """Reconstruct, mark, write."""
    parser = argparse.ArgumentParser(prog="photos_to_library.py")
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--library", type=Path, default=Path("people.blend"))
    parser.add_argument("--preset", choices=("draft", "standard", "high"), default="standard")
    options = parser.parse_args(words)

    bpy.ops.wm.read_homefile(use_empty=True)
    results = api.reconstruct(options.photos, settings=api.Settings(preset=options.preset), progress=show)
    for result in results:
        if result.error is not None:
            print(f"{result.photo.name}: {result.error}")
        for person in result.people:
            person.collection.asset_mark()
            person.collection.asset_data.description = f"From {result.photo.name}"
            person.collection.asset_data.tags.new("MuNet")
    everybody = [person.collection for result in results for person in result.people]
    if not everybody:
        sys.exit("No photo gave a person.")
    print(f"{len(everybody)} people -> {api.save_library(options.library, everybody)}")


def show(photo: Path, fraction: float, text: str) -> None:
    """Print how far it is."""
    print(f"{100 * fraction:3.0f} %  {photo.name}  {text}")


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :])
