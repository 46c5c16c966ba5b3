"""The sub-panel for the rig of the selected person."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..people import (
    NAMING,
    control_rig,
    corrected_meshes,
    correctives_state,
    covered_skin_hidden,
    has_ik,
    light_version_shown,
    light_version_stale,
    rig_of,
    shaped_body,
)
from ..rigs import SCHEMES
from .main import SubPanel
from .text import draw_wrapped

_MODES = (("ON", "On"), ("OFF", "Off"), ("BAKE", "Bake"))


def _draw_correctives(layout: bpy.types.UILayout, rig: bpy.types.Object) -> None:
    meshes = corrected_meshes(rig)
    state = correctives_state(meshes[0]) if meshes else "NONE"
    layout.label(text="Pose Correctives")
    row = layout.row(align=True)
    for mode, text in _MODES:
        pressed = state.startswith(mode)
        row.operator("munet.pose_correctives", text=text, depress=pressed).mode = mode


class MUNET_PT_rig(SubPanel):
    """Correctives, bone names and pose assets."""

    bl_label = "Rig"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Show it for a person."""
        return rig_of(context.object) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, rig = self.layout, rig_of(context.object)
        _draw_correctives(layout, rig)
        named = rig.get(NAMING, SCHEMES[0].key)
        label = next((scheme.label for scheme in SCHEMES if scheme.key == named), str(named))
        layout.operator_menu_enum("munet.rename_bones", "scheme", text=label, icon="BONE_DATA")
        column = layout.column(align=True)
        column.operator("munet.add_pose_assets", icon="ASSET_MANAGER")
        column.operator("munet.add_person_asset", icon="ASSET_MANAGER")
        layout.operator("munet.toggle_ik", icon="CON_KINEMATIC", depress=has_ik(rig))
        layout.operator("munet.control_rig", icon="OUTLINER_OB_ARMATURE", depress=control_rig(rig) is not None)
        body = shaped_body(rig)
        hidden = body is not None and covered_skin_hidden(body)
        layout.operator("munet.hide_covered_skin", icon="MOD_MASK", depress=hidden)
        _draw_light(layout, context, rig)


def _draw_light(layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Draw the buttons of the light version, and that it has to be made again."""
    stale = light_version_stale(rig)
    if stale:
        draw_wrapped(layout, context, iface_("The light version shows the person before it was made again"), "ERROR")
    row = layout.row(align=True)
    row.operator("munet.make_light", icon="FILE_REFRESH" if stale else "MOD_DECIM")
    row.operator("munet.show_light", text="", icon="HIDE_OFF", depress=light_version_shown(rig))


CLASSES = (MUNET_PT_rig,)
