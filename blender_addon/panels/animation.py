"""The sub-panels for motion and export."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..exporting.job import TASK
from ..session import current
from .main import SubPanel


class MUNET_PT_animation(SubPanel):
    """Motion for the selected person, and people with their motion."""

    bl_label = "Animation"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the panel."""
        self.layout.operator("munet.import_motion", icon="ANIM")
        self.layout.operator("munet.reconstruct_sequence", icon="FILE_MOVIE")


class MUNET_PT_export(SubPanel):
    """The selected person as a file."""

    bl_label = "Export Copy"
    bl_order = 4
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the panel."""
        grid = self.layout.grid_flow(columns=2, even_columns=True, align=True)
        for name, text in (("gltf", "glTF"), ("fbx", "FBX"), ("usd", "USD"), ("obj", "OBJ")):
            grid.operator(f"munet.export_{name}", text=text, icon="EXPORT", translate=False)
        session = current()
        if session.doing(TASK):
            task = session.tools[TASK]
            row = self.layout.row(align=True)
            row.progress(factor=task.fraction, text=iface_("Exporting {}").format(task.text))
            row.operator("munet.cancel_export", text="", icon="CANCEL")


CLASSES = (MUNET_PT_animation, MUNET_PT_export)
