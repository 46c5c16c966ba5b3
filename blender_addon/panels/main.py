"""The main panel: photos, the big button, progress, errors."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..backend.client import Job
from ..backend_manager.batch import EntryState
from ..backend_manager.manager import Failure, State
from ..session import Session, current
from ..thumbnails import thumbnail
from .text import draw_wrapped

CATEGORY = "MuNet"

_ICONS = {
    "NEW": "IMAGE_DATA",
    "WAITING": "SORTTIME",
    "RUNNING": "PLAY",
    "RECEIVED": "IMPORT",
    "DONE": "CHECKMARK",
    "FAILED": "ERROR",
    "CANCELLED": "CANCEL",
}
_STAGES = {
    "read": "Reading the photo",
    "people": "Finding people",
    "body": "Fitting the body",
    "surface": "Shaping the clothes",
    "texture": "Painting the texture",
    "preview": "Drawing the preview",
}


class MUNET_MT_images(bpy.types.Menu):
    """More on the list of photos."""

    bl_label = "Photos"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the menu."""
        self.layout.operator("munet.paste_images", icon="PASTEDOWN")
        self.layout.operator("munet.add_shown_image", icon="IMAGE")
        self.layout.separator()
        self.layout.operator("munet.clear_images", icon="TRASH")


def draw_image_menu(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Draw the entry in the menu Image of the Image Editor."""
    menu.layout.separator()
    menu.layout.operator("munet.add_shown_image", text="Add to MuNet Photos", icon="ARMATURE_DATA")


class MUNET_UL_images(bpy.types.UIList):
    """The photos with what has become of them."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: bpy.types.AnyType,
        item: bpy.types.AnyType,
        _icon: int,
        _active_data: bpy.types.AnyType,
        _active_property: str,
        index: int,
    ) -> None:
        """Draw one photo: its picture, its name, its state, and what can be done with it."""
        row = layout.row(align=True)
        row.label(text=item.name, icon_value=thumbnail(item.path), translate=False)
        row.label(text="", icon=_ICONS[item.status])
        if item.status in {"WAITING", "RUNNING", "RECEIVED"}:
            row.operator("munet.cancel_image", text="", icon="X", emboss=False).index = index
        elif item.status in {"FAILED", "CANCELLED"}:
            row.operator("munet.reconstruct_image", text="", icon="FILE_REFRESH", emboss=False).index = index


def _draw_images(layout: bpy.types.UILayout, window: bpy.types.PropertyGroup) -> None:
    row = layout.row()
    row.template_list("MUNET_UL_images", "", window, "images", window, "active_image", rows=4)
    buttons = row.column(align=True)
    buttons.operator("munet.add_images", text="", icon="ADD")
    buttons.operator("munet.remove_image", text="", icon="REMOVE")
    buttons.separator()
    buttons.menu("MUNET_MT_images", text="", icon="DOWNARROW_HLT")


def _draw_active(layout: bpy.types.UILayout, window: bpy.types.PropertyGroup) -> None:
    """Draw the active photo, larger, with what belongs to it alone."""
    if window.active_image < len(window.images):
        image = window.images[window.active_image]
        row = layout.row()
        row.template_icon(icon_value=thumbnail(image.path), scale=4.0)
        column = row.column()
        column.label(text=image.bl_rna.properties["status"].enum_items[image.status].name)
        column.prop(image, "persons")
        column.operator("munet.reconstruct_image", icon="FILE_REFRESH").index = window.active_image


def _draw_message(
    layout: bpy.types.UILayout, context: bpy.types.Context, window: bpy.types.PropertyGroup, session: Session
) -> None:
    """Draw what is to be said about the active photo, unless the latest failure, shown below, says it."""
    if window.active_image < len(window.images):
        image = window.images[window.active_image]
        if image.message and (image.status == EntryState.DONE.name or session.failure is None):
            draw_wrapped(layout, context, image.message, "INFO")


def progress_text(session: Session) -> str:
    """Return one line on what is being done."""
    batch = session.batch
    if batch is None:
        return ""
    entry, job = batch.current, batch.job
    number = next((i for i, e in enumerate(batch.entries, 1) if not e.finished), len(batch.entries))
    prefix = f"{number}/{len(batch.entries)}: " if len(batch.entries) > 1 else ""
    if entry is not None and entry.state is EntryState.RECEIVED:
        return prefix + iface_("Switch to Object Mode to insert")
    if session.manager.state is State.STARTING:
        return iface_("Starting the backend")
    return prefix + (_job_text(job) if job else iface_("Sending"))


def _job_text(job: Job) -> str:
    if job.cancel_requested:
        return iface_("Cancelling")
    if job.state != "running":
        return iface_("Waiting for the backend")
    return iface_(_STAGES[job.stage]) if job.stage in _STAGES else job.text or job.stage


def _draw_progress(layout: bpy.types.UILayout, session: Session) -> None:
    batch = session.batch
    if batch is None or not session.working:
        return
    box = layout.column(align=True)
    box.progress(factor=batch.fraction, text=f"{progress_text(session)} ({batch.fraction:.0%})")
    box.operator("munet.cancel_reconstruction", icon="CANCEL")


def _draw_failure(layout: bpy.types.UILayout, context: bpy.types.Context, failure: Failure) -> None:
    box = layout.box()
    row = box.row()
    title = row.column()
    title.alert = True
    draw_wrapped(title, context, failure.title, "ERROR")
    row.operator("munet.dismiss_error", text="", icon="X", emboss=False)
    if failure.detail:
        draw_wrapped(box, context, failure.detail)
    if failure.hint:
        draw_wrapped(box, context, failure.hint, "INFO")
    if failure.code in {"NO_BACKEND", "RUN_FILE"}:
        box.operator(
            "preferences.addon_show", text="Open Preferences", icon="PREFERENCES"
        ).module = __package__.rpartition(".")[0]


class MUNET_PT_main(bpy.types.Panel):
    """People from photos."""

    bl_label = "MuNet"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, window, session = self.layout, context.window_manager.munet, current()
        _draw_images(layout, window)
        _draw_active(layout, window)
        _draw_message(layout, context, window, session)
        options = layout.column()
        options.use_property_split = True
        options.use_property_decorate = False
        options.enabled = not session.working
        options.prop(window, "preset")
        options.prop(window, "max_persons")
        button = layout.row()
        button.scale_y = 1.8
        button.operator("munet.reconstruct", icon="ARMATURE_DATA")
        _draw_progress(layout, session)
        if session.failure is not None:
            _draw_failure(layout, context, session.failure)


CLASSES = (MUNET_MT_images, MUNET_UL_images, MUNET_PT_main)
