"""An animated person as glb, and where Blender has its vertices; runs in Blender's Python, prints JSON.

python scripts/browser/animated_glb.py PERSON MOTION FOLDER [FRAMES]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy  # isort: skip - makes the others importable
from export_scene import load_extension


def world_vertices(obj: bpy.types.Object) -> np.ndarray:
    """Return the deformed vertices (V, 3) of ``obj`` in glTF's axes, y up."""
    shown = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    matrix = np.array(shown.matrix_world)
    world = flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    return np.stack([world[:, 0], world[:, 2], -world[:, 1]], axis=1)


def main(person: Path, motion: Path, folder: Path, frames: int) -> dict[str, object]:
    """Write ``model.glb`` and ``vertices.npy`` into ``folder``; return frame numbers and their seconds in the glb.

    The correctives are those of the middle of the clip: a glb without shape keys holds those of one pose alone.
    """
    load_extension()
    from munet_extension import api
    from munet_extension.importer.correctives import correct_once
    from munet_extension.people import corrected_meshes

    bpy.ops.wm.read_factory_settings(use_empty=True)
    loaded = api.load_person(person)
    loaded.apply_motion(motion)
    scene, rig = bpy.context.scene, loaded.armature
    rig.location = (0.0, 0.0, 0.0)
    first, last = (round(float(value)) for value in rig.animation_data.action.frame_range)
    scene.frame_set((first + last) // 2)
    for mesh in corrected_meshes(rig):
        correct_once(mesh, rig)
    chosen = [round(first + (last - first) * share) for share in np.linspace(0, 1, frames)]
    vertices = []
    for frame in chosen:
        scene.frame_set(frame)
        vertices.append(world_vertices(loaded.surface))
    np.save(folder / "vertices.npy", np.stack(vertices))
    loaded.export(folder / "model.glb", pose="ANIMATION")
    fps = scene.render.fps / scene.render.fps_base
    return {"frames": chosen, "seconds": [frame / fps for frame in chosen], "blender": bpy.app.version_string}


if __name__ == "__main__":
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 7
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), count)), flush=True)
    # Some Blender modules hang or crash in their own clean-up after all work is done.
    os._exit(0)
