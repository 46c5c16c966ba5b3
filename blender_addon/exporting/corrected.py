"""Correctives of the present pose inside the meshes of the scene, for exporters that do not run geometry nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np

from ..importer.correctives import correct_once, make_live
from ..people import CORRECTIVES, rig_of


def _blocks(obj: bpy.types.Object) -> list[bpy.types.bpy_prop_collection[Any]]:
    keys = obj.data.shape_keys
    return [obj.data.vertices, *(key.points for key in (keys.key_blocks if keys else ()))]


def _places(points: bpy.types.bpy_prop_collection[Any]) -> np.ndarray:
    flat = np.empty(3 * len(points), dtype=np.float32)
    points.foreach_get("co", flat)
    return flat


@contextmanager
def corrected(objects: list[bpy.types.Object]) -> Iterator[None]:
    """Let the meshes of ``objects`` hold what their live correctives add now, inside the ``with`` block."""
    live = [(obj, rig_of(obj)) for obj in objects if CORRECTIVES in obj.modifiers]
    live = [(obj, rig) for obj, rig in live if rig is not None]
    bpy.context.view_layer.update()
    kept = [[_places(points) for points in _blocks(obj)] for obj, _ in live]
    try:
        for obj, rig in live:
            correct_once(obj, rig)
        yield
    finally:
        for (obj, rig), places in zip(live, kept, strict=True):
            for points, flat in zip(_blocks(obj), places, strict=True):
                points.foreach_set("co", flat)
            obj.data.update()
            make_live(obj, rig)
