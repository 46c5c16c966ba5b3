"""Everything that differs between the supported Blender versions (4.2 to 5.2)."""

from __future__ import annotations

import bpy


def enable_nodes(material: bpy.types.Material) -> None:
    """Give ``material`` its node tree; Blender 5 always has one and warns about the old switch."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
