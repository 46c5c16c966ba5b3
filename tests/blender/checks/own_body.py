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
        character = common.part("importer.character").read_character(arrays, facts)
        person = common.insert([character])[0]
        common.show_all()
        for obj, name in ((person.body, "body_vertices"), (person.surface, "surface_vertices")):
            error = np.abs(common.world_vertices(obj) - targets([character], 0, name)).max()
            assert error < 0.1 * MILLIMETRE, (path, name, error)
        assert len(person.rig.data.bones) == len(arrays["bone_names"])
        common.say(f"{len(arrays['bone_names'])} bones, {error:.2e} m")


if __name__ == "__main__":
    common.run(check)
