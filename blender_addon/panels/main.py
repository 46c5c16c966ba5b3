"""The main panel: photos, the big button, progress, errors."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..backend_manager.batch import EntryState
from ..session import Session, current
from ..thumbnails import person_icon, thumbnail
from .backend_state import draw_offer
from .failure import draw_failure
from .guide import draw_guide
from .progress import draw_progress
from .text import draw_wrapped

_ICONS = {
    "NEW": "IMAGE_DATA",
    "WAITING": "SORTTIME",
    "RUNNING": "PLAY",
    "RECEIVED": "IMPORT",
    "DONE": "CHECKMARK",
    "FAILED": "ERROR",
    "CANCELLED": "CANCEL",
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
        column.operator("munet.find_people", icon="COMMUNITY").index = window.active_image
        column.operator("munet.reconstruct_image", icon="FILE_REFRESH").index = window.active_image
        _draw_people(layout, image)


def _draw_people(layout: bpy.types.UILayout, image: bpy.types.PropertyGroup) -> None:
    """Draw a picture and a check box for everybody in the photo, once that is known."""
    if not image.people:
        return
    grid = layout.box().grid_flow(columns=min(3, len(image.people)), even_columns=True, row_major=True)
    for number, person in enumerate(image.people, 1):
        cell = grid.column(align=True)
        cell.template_icon(icon_value=person_icon(person.name), scale=3.0)
        cell.prop(person, "use", text=iface_("Person {}").format(number), translate=False)


def _draw_message(
    layout: bpy.types.UILayout, context: bpy.types.Context, window: bpy.types.PropertyGroup, session: Session
) -> None:
    """Draw what is to be said about the active photo, unless the latest failure, shown below, says it."""
    if window.active_image < len(window.images):
        image = window.images[window.active_image]
        if image.message and (image.status == EntryState.DONE.name or session.failure is None):
            draw_wrapped(layout, context, image.message, "INFO")


class InSidebar(bpy.types.Panel):
    """Where our panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MuNet"


class MUNET_PT_main(InSidebar):
    """People from photos."""

    bl_label = "MuNet"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, window, session = self.layout, context.window_manager.munet, current()
        draw_offer(layout, context, session)
        draw_guide(layout, context, session)
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
        draw_progress(layout, session)
        if session.failure is not None:
            draw_failure(layout, context, session)


class SubPanel(InSidebar):
    """Below the main panel."""

    bl_parent_id = MUNET_PT_main.__name__


CLASSES = (MUNET_MT_images, MUNET_UL_images, MUNET_PT_main)
