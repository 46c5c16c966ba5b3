"""The sub-panels for motion and export."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy

from .main import CATEGORY, MUNET_PT_main


class MUNET_PT_animation(bpy.types.Panel):
    """Motion for the selected person, and people with their motion."""

    bl_label = "Animation"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY
    bl_parent_id = MUNET_PT_main.__name__
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the panel."""
        self.layout.operator("munet.import_motion", icon="ANIM")
        self.layout.operator("munet.reconstruct_sequence", icon="FILE_MOVIE")


class MUNET_PT_export(bpy.types.Panel):
    """The selected person as a file."""

    bl_label = "Export Copy"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY
    bl_parent_id = MUNET_PT_main.__name__
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the panel."""
        grid = self.layout.grid_flow(columns=2, even_columns=True, align=True)
        for name, text in (("gltf", "glTF"), ("fbx", "FBX"), ("usd", "USD"), ("obj", "OBJ")):
            grid.operator(f"munet.export_{name}", text=text, icon="EXPORT", translate=False)


CLASSES = (MUNET_PT_animation, MUNET_PT_export)
