"""Seconds that Blender takes to turn result files into a scene; runs in Blender's Python, prints JSON.

.envs/blender-4.5/bin/python benchmarks/blender_import.py RESULT_DIR PHOTO
.envs/blender-4.5/bin/python benchmarks/blender_import.py RESULT_DIR --against-gltf [--parts 3] [--repeats 3]

The second form cuts the clothed surface of the first person into more than 100,000 vertices with four weights each,
writes the character as glb, and times our importer and Blender's own on it by turns, in the same process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import bpy  # isort: skip - makes the next one importable
import addon_utils
import numpy as np
from _dense import dense_surface
from export_scene import load_extension

CLOCKS = {"seconds": time.perf_counter, "main_thread": time.thread_time, "all_threads": time.process_time}


def seconds_of(step: Callable[[], object]) -> dict[str, float]:
    """Return the seconds that ``step`` takes in an empty scene: by the clock, and of processor time.

    On a machine with a free core for each thread the main thread's are those for which Blender stands still.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    began = {name: clock() for name, clock in CLOCKS.items()}
    step()
    return {name: clock() - began[name] for name, clock in CLOCKS.items()}


def import_folder(folder: Path, photo: Path) -> float:
    """Return the seconds of one import of result files into an empty scene."""
    from munet_extension.importer.character import load_character
    from munet_extension.importer.photo import read_photo
    from munet_extension.importer.scene import Origin, import_people

    def step() -> None:
        people = [load_character(path) for path in sorted(folder.glob("person_*.npz"))]
        import_people(bpy.context, people, Origin(photo=read_photo(photo), settings={}, version=""))

    return seconds_of(step)["seconds"]


def import_arrays(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    """Bring one person into the scene, all of it: rig, clothed surface, body, shape keys, correctives, camera."""
    from munet_extension.importer.character import read_character
    from munet_extension.importer.photo import Photo
    from munet_extension.importer.scene import Origin, import_people

    origin = Origin(photo=Photo("dense", b""), settings={}, version="")
    import_people(bpy.context, [read_character(arrays, facts)], origin)


def import_surface(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    """Bring rig and clothed surface into the scene, without shape keys, body and camera."""
    from munet_extension.importer.armature import apply_pose, build_armature, ordered_bones
    from munet_extension.importer.character import read_character
    from munet_extension.importer.placement import place, scene_frame
    from munet_extension.importer.surface import build_surface

    character = read_character(arrays, facts)
    home = bpy.context.scene.collection
    placement = place(character, scene_frame([character]))
    rig = build_armature(character, placement, "dense rig", home)
    rest = placement.rest(character.surface.rest_vertices_body)
    names = [bone.name for bone in ordered_bones(rig, character.bone_names)]
    home.objects.link(build_surface(character, rest, rig, names, "dense clothed"))
    apply_pose(rig, character.bone_names, placement.rotations, placement.root_head)


def as_sent(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return ``arrays`` with their pictures as the PNG files that the backend sends to Blender."""
    from munet_extension.importer.png import encode_png

    pictures = {name: array for name in ("texture", "normal_map") if (array := arrays.get(name)) is not None}
    files = {
        f"{name}_png": np.frombuffer(encode_png(array), np.uint8) for name, array in pictures.items() if array.size
    }
    return {**{name: array for name, array in arrays.items() if f"{name}_png" not in files}, **files}


def write_glb(path: Path) -> None:
    """Write the scene's meshes with rig and textures as ``path``."""
    for obj in bpy.data.objects:
        obj.hide_set(False)
    bpy.ops.export_scene.gltf(
        filepath=str(path), export_format="GLB", export_influence_nb=4, export_morph=True, export_animations=False,
        export_morph_normal=False, export_cameras=False,
    )  # fmt: skip


def compare(name: str, ours: Callable[[], object], glb: Path, repeats: int) -> dict[str, Any]:
    """Time ``ours`` and Blender's importer of ``glb`` by turns; medians and their ratio."""
    mine, theirs = [], []
    for _ in range(repeats):
        mine.append(seconds_of(ours))
        theirs.append(seconds_of(lambda: bpy.ops.import_scene.gltf(filepath=str(glb))))
    row: dict[str, Any] = {"what": name}
    for clock in CLOCKS:
        medians = [statistics.median(measured[clock] for measured in rounds) for rounds in (mine, theirs)]
        row[clock] = {
            "munet": round(medians[0], 3),
            "gltf": round(medians[1], 3),
            "ratio": round(medians[1] / medians[0], 1),
        }
    return row


def against_gltf(folder: Path, parts: int, repeats: int) -> dict[str, Any]:
    """Compare on the first person of ``folder`` with a dense surface: that surface on its rig, and all of the person.

    The time is from the arrays, as the backend sends them, to the finished scene, and from the glb to the same. What a
    glb can not say otherwise it says with shape keys: the live correctives of the body are 189 of them.
    """
    from munet_extension.importer.character import load_character

    character = load_character(folder / "person_0.npz")
    pixels, facts = dense_surface(dict(character.arrays), parts), dict(character.facts)
    arrays = as_sent(pixels)
    plain = as_sent({**pixels, "texture": pixels["texture"][:1, :1], "normal_map": np.zeros((0, 0, 3), np.uint8)})
    still = {name: array for name, array in arrays.items() if not name.startswith("pose_dirs")}
    cases = (
        ("surface on its rig", import_surface, arrays),
        ("the same without picture, in either", import_surface, plain),
        ("surface and body with the identity's keys", import_arrays, still),
        ("whole character with correctives", import_arrays, arrays),
    )
    with tempfile.TemporaryDirectory() as scratch:
        return {
            "blender": bpy.app.version_string,
            "gltf_importer": ".".join(map(str, _gltf_version())),
            "python": platform.python_version(),
            "vertices": len(arrays["surface_vertices"]),
            "weights_a_vertex": float(np.mean((arrays["surface_weights"] > 0).sum(axis=1))),
            "texture": pixels["texture"].shape[0],
            "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
            "rows": [
                compare(name, partial(bring, given, facts), _glb(Path(scratch), partial(bring, given, facts)), repeats)
                for name, bring, given in cases
            ],
        }


def _glb(folder: Path, bring: Callable[[], object]) -> Path:
    """Write what ``bring`` brings into an empty scene as a glb."""
    from munet_extension.importer.correctives import add_corrective_keys
    from munet_extension.people import is_corrected

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bring()
    _show(bpy.context.view_layer.layer_collection)
    for obj in [obj for obj in bpy.data.objects if obj.type == "MESH" and is_corrected(obj.data)]:
        add_corrective_keys(obj)
    path = folder / "character.glb"
    write_glb(path)
    return path


def _show(layer: bpy.types.LayerCollection) -> None:
    layer.hide_viewport = False
    for child in layer.children:
        _show(child)


def _gltf_version() -> tuple[int, ...]:
    module = next(module for module in addon_utils.modules() if module.__name__ == "io_scene_gltf2")
    return tuple(module.bl_info["version"])


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("photo", type=Path, nargs="?")
    parser.add_argument("--against-gltf", action="store_true")
    parser.add_argument("--parts", type=int, default=3, help="cut each quad into this many times as many")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    load_extension()
    if options.against_gltf:
        print(json.dumps(against_gltf(options.folder, options.parts, options.repeats), indent=1), flush=True)
    elif options.photo is None:
        parser.error("name the photo")
    else:
        print(json.dumps({"seconds": import_folder(options.folder, options.photo)}), flush=True)


if __name__ == "__main__":
    main()
    # Some Blender modules hang or crash in their own clean-up after all work is done.
    os._exit(0)
