"""The sub-panels: the selected result and the backend."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..language import failure_text, warning_texts
from ..people import is_newer, is_older, rig_of
from ..session import current
from .backend_state import draw_state
from .main import SubPanel
from .text import draw_wrapped


def _draw_again(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the button that reconstructs the person once more, with its option."""
    window = context.window_manager.munet
    row = layout.row(align=True)
    row.operator("munet.reconstruct_again", icon="FILE_REFRESH").keep_materials = window.keep_materials
    row.prop(window, "keep_materials", text="", icon="MATERIAL", toggle=True)


def _draw_release(layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Say that another release has made the person, and offer what can be done."""
    if is_newer(rig):
        text = "A newer release of the extension has made this person: update the extension before you change it"
        draw_wrapped(layout, context, iface_(text), "ERROR")
    elif is_older(rig):
        draw_wrapped(layout, context, iface_("An older release has made this person"), "INFO")
        layout.operator("munet.update_person", icon="FILE_REFRESH")


class MUNET_PT_result(SubPanel):
    """The selected person."""

    bl_label = "Person"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout = self.layout
        rig = rig_of(context.object)
        if rig is None:
            layout.label(text="Select a person made by MuNet")
        else:
            _draw_release(layout, context, rig)
            row = layout.row(align=True)
            row.operator("munet.apply_pose", text="As in Photo").pose = "PHOTO"
            row.operator("munet.apply_pose", text="T-Pose").pose = "REST"
            row.operator("munet.apply_pose", text="A-Pose").pose = "A"
            layout.operator("munet.fit_rig_to_shape", icon="MOD_ARMATURE")
            _draw_again(layout, context)
            texts, codes = (str(rig.get(f"munet_{name}", "")).split("\n") for name in ("warnings", "warning_codes"))
            for line in warning_texts(texts, codes):
                draw_wrapped(layout, context, line, "INFO")
        layout.operator("munet.import_result", icon="IMPORT")


class MUNET_PT_backend(SubPanel):
    """The backend."""

    bl_label = "Backend"
    bl_order = 5

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, manager = self.layout, current().manager
        draw_state(layout, context, current())
        if manager.failure is not None and current().failure is None:
            draw_wrapped(layout, context, failure_text(manager.failure))
        row = layout.row(align=True)
        row.operator("munet.start_backend", text="Start", icon="PLAY")
        row.operator("munet.stop_backend", text="Stop", icon="SNAP_FACE")
        row.operator("munet.open_log", text="", icon="TEXT")
        row.operator("preferences.addon_show", text="", icon="PREFERENCES").module = __package__.rpartition(".")[0]


CLASSES = (MUNET_PT_result, MUNET_PT_backend)
