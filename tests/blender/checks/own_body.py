"""People with the user's own body model, from the files of a result."""

from __future__ import annotations

import sys

import bpy
import common
import numpy as np
from importer import MILLIMETRE, targets

FACTS = ("silhouette_iou", "landmark_error", "warnings", "body_model")


def check() -> None:
    """Body and surface within a millimetre, all bones there, correctives work in another pose."""
    for path in sys.argv[-2:]:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        with np.load(path, allow_pickle=False) as data:
            arrays = {key: data[key] for key in data.files if key not in FACTS}
            facts = {key: data[key].tolist() for key in FACTS}
        arrays["normal_map"] = np.full((8, 8, 3), (128, 128, 255), np.uint8)
        character = common.part("importer.character").read_character(arrays, facts)
        person = common.insert([character])[0]
        common.show_all()
        for obj, name in ((person.body, "body_vertices"), (person.surface, "surface_vertices")):
            error = np.abs(common.world_vertices(obj) - targets([character], 0, name)).max()
            assert error < 0.1 * MILLIMETRE, (path, name, error)
        assert len(person.rig.data.bones) == len(arrays["bone_names"])
        (bump,) = (n for n in person.surface.data.materials[0].node_tree.nodes if n.type == "NORMAL_MAP")
        image = bump.inputs["Color"].links[0].from_node.image
        assert image.packed_file
        assert image.colorspace_settings.name == "Non-Color"
        assert tuple(image.size) == (8, 8)
        common.say(f"{len(arrays['bone_names'])} bones, {error:.2e} m")


if __name__ == "__main__":
    common.run(check)
