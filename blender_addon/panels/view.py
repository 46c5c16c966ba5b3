"""The sub-panel for camera, photo and floor of the selected person."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy

from ..people import camera_of, floor_of, photo_shown, rig_of
from .main import MUNET_PT_main

_OVERLAYS = (("BEHIND", "Behind"), ("OVER", "Over"), ("OFF", "Off"))


class MUNET_PT_view(bpy.types.Panel):
    """Through the photo's camera, the photo over or behind the person, the floor."""

    bl_label = "Camera and Floor"
    bl_order = 2
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = MUNET_PT_main.bl_category
    bl_parent_id = MUNET_PT_main.__name__
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Show it for a person."""
        return rig_of(context.object) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, rig = self.layout, rig_of(context.object)
        layout.operator("munet.look_through_camera", icon="CAMERA_DATA")
        layout.label(text="Photo")
        camera = camera_of(rig)
        shown = photo_shown(camera) if camera is not None else "OFF"
        row = layout.row(align=True)
        for mode, text in _OVERLAYS:
            row.operator("munet.photo_overlay", text=text, depress=shown == mode).mode = mode
        layout.operator("munet.stand_on_floor", icon="TRIA_DOWN_BAR")
        layout.operator("munet.shadow_floor", icon="MESH_PLANE", depress=floor_of(rig) is not None)


CLASSES = (MUNET_PT_view,)
