"""Seconds that Blender takes to turn result files into a scene; runs in Blender's Python, prints JSON.

.envs/blender-4.5/bin/python benchmarks/blender_import.py RESULT_DIR PHOTO
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import bpy
from export_scene import load_extension


def main(folder: Path, photo: Path) -> float:
    """Return the seconds of one import into an empty scene."""
    load_extension()
    from munet_extension.importer.character import load_character
    from munet_extension.importer.photo import read_photo
    from munet_extension.importer.scene import Origin, import_people

    bpy.ops.wm.read_factory_settings(use_empty=True)
    began = time.perf_counter()
    people = [load_character(path) for path in sorted(folder.glob("person_*.npz"))]
    import_people(bpy.context, people, Origin(photo=read_photo(photo), settings={}, version=""))
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps({"seconds": main(Path(sys.argv[1]), Path(sys.argv[2]))}), flush=True)
    # Some Blender modules hang or crash in their own clean-up after all work is done.
    os._exit(0)
