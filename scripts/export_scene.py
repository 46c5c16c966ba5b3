"""Turn a folder of results (person_*.npz) into scene.blend and scene.glb. Runs in Blender's Python.

``python scripts/export_scene.py RESULT_DIR --photo PHOTO --formats blend,glb``; it uses the built extension, so that
the scene is made by exactly what ships, and builds it first where the sources are newer.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
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


def _report(folder: Path) -> dict[str, object]:
    path = folder / "report.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _is_photo(path: Path) -> bool:
    from munet_extension.inputs import IMAGE_ENDINGS

    return path.is_file() and path.suffix.lower() in IMAGE_ENDINGS


def _clip_files(clip: Path | None) -> tuple[Path, ...]:
    """Return the files of a clip, for the camera's background: a video, or the pictures of a folder."""
    from munet_extension.inputs import clip_at

    if clip is None or not clip.exists():
        return ()
    return clip_at(sorted(clip.iterdir()) if clip.is_dir() else [clip])[0]


def export(folder: Path, photo: Path | None, formats: list[str], *, body: bool = False) -> list[Path]:
    """Write the people in ``folder`` as scenes beside them and return the files; ``body`` shows the bodies too."""
    import bpy

    load_extension()
    from munet_extension.errors import AddonError
    from munet_extension.export import save_scene
    from munet_extension.importer.camera import look_through
    from munet_extension.importer.character import load_character
    from munet_extension.importer.photo import Photo, read_photo
    from munet_extension.importer.scene import Origin, import_people, show_body
    from munet_extension.sequence import ClipPlace, has_motion, insert_motion

    files = sorted(folder.glob("person_*.npz"), key=lambda path: int(path.stem.rpartition("_")[2]))
    if not files:
        raise AddonError("NOBODY", f"There is no person_*.npz in {folder}.", hint="Reconstruct a photo first.")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    report = _report(folder)
    settings = report.get("settings")
    origin = Origin(
        photo=read_photo(photo) if photo and _is_photo(photo) else Photo(photo.stem if photo else folder.name, b""),
        settings=settings if isinstance(settings, dict) else {},
        version=str(report.get("version", "")),
    )
    characters = [load_character(path) for path in files]
    people = import_people(bpy.context, characters, origin)
    for person, character in zip(people, characters, strict=True):
        if has_motion(character):
            insert_motion(bpy.context, person, character, origin.photo.stem, ClipPlace(_clip_files(photo)))
    for person in people if body else ():
        show_body(bpy.context, person.body)
    look_through(bpy.context.scene, people[0].camera)
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
        if type(error).__name__ not in {"AddonError", "BuildError", "FileNotFoundError"}:
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
