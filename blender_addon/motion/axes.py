"""Which way is up in a motion file. No bpy."""

from __future__ import annotations

import numpy as np

from ..importer.frames import BLENDER_FROM_BODY, BLENDER_FROM_CAMERA, Floats

BLENDER_FROM: dict[str, Floats] = {"Y": BLENDER_FROM_BODY, "Z": np.eye(3), "-Y": BLENDER_FROM_CAMERA}


def up_axis(trunk: Floats, wanted: str) -> str:
    """Return the up axis of a file: ``wanted``, or for AUTO the one nearest to ``trunk`` (3,), from hips to head."""
    if wanted != "AUTO":
        return wanted
    ups = {"Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0), "-Y": (0.0, -1.0, 0.0)}
    return max(ups, key=lambda name: float(np.dot(trunk, ups[name])))
