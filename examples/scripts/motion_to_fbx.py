r"""A photo's person plays a clip of motion and leaves for Unreal or Unity.

    blender --background --python-exit-code 1 --python examples/scripts/motion_to_fbx.py -- \
        photo.jpg walk.bvh walker.fbx --target UNREAL

Instead of the photo a result folder of scripts/reconstruct.py does as well. The extension MuNet has to be enabled;
``--addons bl_ext.user_default.munet`` enables it for one run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
from bl_ext.user_default.munet import api

BONES = {"UNREAL": "UNREAL", "UNITY": "HUMANOID", "GENERAL": "MIXAMO"}


def main(words: list[str]) -> None:
    """Get the person, animate, export."""
    parser = argparse.ArgumentParser(prog="motion_to_fbx.py")
    parser.add_argument("photo", type=Path, help="photo, or result folder")
    parser.add_argument("motion", type=Path, help=".bvh, or .npz or .json with SMPL poses")
    parser.add_argument("fbx", type=Path)
    parser.add_argument("--target", choices=tuple(BONES), default="UNREAL")
    parser.add_argument("--fps", type=int, default=30)
    options = parser.parse_args(words)

    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = options.fps
    try:
        if options.photo.is_dir():
            person = api.load_person(options.photo)
        else:
            person = api.reconstruct(options.photo, strict=True)[0].people[0]
        motion = person.apply_motion(options.motion, travel="START", floor="CLIP")
        person.rename_bones(BONES[options.target])
        person.export(options.fbx, pose="ANIMATION", target=options.target)
    except api.AddonError as error:
        sys.exit(str(error))
    print(f"{person.name}: frames {motion.frame_start} to {motion.frame_end} -> {options.fbx}")
    for note in motion.notes:
        print(f"note: {note}")


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :])
