"""The sub-panel for motion."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy

from .main import CATEGORY, MUNET_PT_main


class MUNET_PT_animation(bpy.types.Panel):
    """Motion for the selected person."""

    bl_label = "Animation"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY
    bl_parent_id = MUNET_PT_main.__name__
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the panel."""
        self.layout.operator("munet.import_motion", icon="ANIM")


CLASSES = (MUNET_PT_animation,)
