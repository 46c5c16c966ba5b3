r"""Pictures of a person from all around, rendered with Cycles on the processor.

    blender --background --python-exit-code 1 --python examples/scripts/turntable.py -- \
        out/standing-jacket turntable --frames 24 --size 512

The extension MuNet has to be enabled; ``--addons bl_ext.user_default.munet`` enables it for one run.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import bpy
from bl_ext.user_default.munet import api
from mathutils import Vector


def main(words: list[str]) -> None:
    """Load, light, render."""
    parser = argparse.ArgumentParser(prog="turntable.py")
    parser.add_argument("result", type=Path, help="result folder, or person_N.npz")
    parser.add_argument("pictures", type=Path, help="folder for 0001.png, 0002.png, ...")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--pose", choices=("PHOTO", "REST", "A"), default="PHOTO")
    options = parser.parse_args(words)

    bpy.ops.wm.read_homefile(use_empty=True)
    try:
        person = api.load_person(options.result)
    except api.AddonError as error:
        sys.exit(str(error))
    person.set_pose(options.pose)
    low, high = bounds(person.surface)
    turn_camera_around(low, high, options.frames)
    light(low, high)
    render(options.pictures, options.size, options.samples)


def bounds(obj: bpy.types.Object) -> tuple[Vector, Vector]:
    """Return the lowest and highest corner of an object as it is posed now."""
    bpy.context.view_layer.update()
    shown = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    corners = [shown.matrix_world @ Vector(corner) for corner in shown.bound_box]
    low, high = (Vector(pick(corner[axis] for corner in corners) for axis in range(3)) for pick in (min, max))
    return low, high


def turn_camera_around(low: Vector, high: Vector, frames: int) -> None:
    """Let a camera circle once around the box, which fits into its picture."""
    scene, middle, size = bpy.context.scene, (low + high) / 2, high - low
    pivot = bpy.data.objects.new("turntable", None)
    camera = bpy.data.objects.new("turntable camera", bpy.data.cameras.new("turntable camera"))
    for obj in (pivot, camera):
        scene.collection.objects.link(obj)
    camera.data.lens = 70.0
    distance = 0.55 * max(size) / math.tan(camera.data.angle / 2) + max(size.x, size.y) / 2
    pivot.location, camera.parent = middle, pivot
    camera.location, camera.rotation_euler = (0.0, -distance, 0.0), (math.pi / 2, 0.0, 0.0)
    scene.camera, scene.frame_start, scene.frame_end = camera, 1, frames
    for frame in range(1, frames + 1):
        pivot.rotation_euler.z = 2 * math.pi * (frame - 1) / frames
        pivot.keyframe_insert("rotation_euler", index=2, frame=frame)


def light(low: Vector, high: Vector) -> None:
    """Soft light from above, an even background, and a floor that catches the shadow."""
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("turntable")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.8, 0.8, 0.8, 1.0)
    sun = bpy.data.objects.new("turntable sun", bpy.data.lights.new("turntable sun", "SUN"))
    sun.data.energy, sun.data.angle, sun.rotation_euler = 1.5, 0.5, (0.6, 0.2, 0.4)
    scene.collection.objects.link(sun)
    middle = (low + high) / 2
    bpy.ops.mesh.primitive_plane_add(size=100.0, location=(middle.x, middle.y, low.z))
    floor = bpy.data.materials.new("turntable floor")
    floor.use_nodes = True
    floor.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.45, 0.45, 0.45, 1.0)
    bpy.context.object.data.materials.append(floor)


def render(folder: Path, size: int, samples: int) -> None:
    """Render all frames."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", samples, False
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(folder.absolute() / "####")
    bpy.ops.render.render(animation=True)
    print(f"{scene.frame_end} pictures -> {folder}")


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :])
