"""Operators on the list of photos."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path

import bpy
from bpy.props import CollectionProperty, StringProperty

from ..properties import add_image
from ..session import current

IMAGE_GLOB = "*.jpg;*.jpeg;*.png;*.webp;*.bmp;*.tif;*.tiff;*.heic"


def _idle(cls: type[bpy.types.Operator]) -> bool:
    if current().working:
        cls.poll_message_set("Photos are being reconstructed; cancel first")
        return False
    return True


def _has_images(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not context.window_manager.munet.images:
        cls.poll_message_set("The list is empty")
        return False
    return True


class MUNET_OT_add_images(bpy.types.Operator):
    """Add photos to the list"""

    bl_idname = "munet.add_images"
    bl_label = "Add Photos"

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})
    filter_glob: StringProperty(default=IMAGE_GLOB, options={"HIDDEN"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while nothing runs."""
        return _idle(cls)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the files."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Append the chosen files."""
        folder = Path(bpy.path.abspath(self.directory))
        added = [add_image(context.window_manager.munet, folder / file.name) for file in self.files if file.name]
        if not any(added):
            self.report({"WARNING"}, "No new photo was chosen")
            return {"CANCELLED"}
        return {"FINISHED"}


class MUNET_OT_remove_image(bpy.types.Operator):
    """Remove the active photo from the list"""

    bl_idname = "munet.remove_image"
    bl_label = "Remove Photo"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it while nothing runs and there is a photo."""
        return _idle(cls) and _has_images(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove the active photo."""
        window = context.window_manager.munet
        window.images.remove(window.active_image)
        window.active_image = max(0, min(window.active_image, len(window.images) - 1))
        return {"FINISHED"}


class MUNET_OT_clear_images(bpy.types.Operator):
    """Remove all photos from the list"""

    bl_idname = "munet.clear_images"
    bl_label = "Clear Photos"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it while nothing runs and there is a photo."""
        return _idle(cls) and _has_images(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Empty the list."""
        context.window_manager.munet.images.clear()
        context.window_manager.munet.active_image = 0
        return {"FINISHED"}


CLASSES = (MUNET_OT_add_images, MUNET_OT_remove_image, MUNET_OT_clear_images)
