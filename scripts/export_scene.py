"""Turn a folder of results (person_*.npz) into scene.blend and scene.glb. Runs in Blender's Python.

``python scripts/export_scene.py RESULT_DIR --photo PHOTO --formats blend,glb``; it uses the built extension, so that
the scene is made by exactly what ships, and builds it first where the sources are newer.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "munet_extension"


def load_extension() -> ModuleType:
    """Load the built extension as a plain package, without registering anything in Blender."""
    sys.path.insert(0, str(ROOT))
    from build_addon import build_tree

    tree = build_tree()
    spec = importlib.util.spec_from_file_location(PACKAGE, tree / "__init__.py", submodule_search_locations=[str(tree)])
    if spec is None or spec.loader is None:
        raise ImportError(f"no extension in {tree}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)
    return module


def export(folder: Path, photo: Path | None, formats: list[str], *, body: bool = False) -> list[Path]:
    """Write the people in ``folder`` as scenes beside them and return the files; ``body`` shows the bodies too."""
    import bpy

    load_extension()
    from munet_extension.api import load_people
    from munet_extension.export import save_scene

    bpy.ops.wm.read_factory_settings(use_empty=True)
    people = load_people(folder, photo)
    for person in people if body else ():
        person.show_body()
    people[0].look_through_camera()
    return save_scene(folder, formats)


def main(words: list[str] | None = None) -> int:
    """Export one folder; 0 if everything was written."""
    parser = argparse.ArgumentParser(description="Turn reconstructed people into scene files.")
    parser.add_argument("folder", type=Path, help="folder with person_*.npz")
    parser.add_argument("--photo", type=Path, help="the photo, for the camera's background")
    parser.add_argument("--formats", default="blend,glb", help="of blend,glb,fbx,usd,obj")
    parser.add_argument("--body", action="store_true", help="show the body under the clothes as well")
    options = parser.parse_args(words)
    try:
        for path in export(options.folder.absolute(), options.photo, options.formats.split(","), body=options.body):
            print(path)
    except Exception as error:
        if type(error).__name__ not in {"AddonError", "BuildError"}:
            raise
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Some Blender modules hang or crash in their own clean-up after all work is done.
    os._exit(status)
