"""Operators on the list of photos."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path

import bpy
from bpy.props import CollectionProperty, StringProperty

from ..errors import AddonError
from ..inputs import IMAGE_ENDINGS, photos_in_text
from ..language import failure_text
from ..picture import picture_file, shown_picture
from ..properties import add_image
from ..session import current

IMAGE_GLOB = ";".join(f"*{ending}" for ending in IMAGE_ENDINGS)


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


def _add(operator: bpy.types.Operator, context: bpy.types.Context, paths: list[Path]) -> set[str]:
    added = [add_image(context.window_manager.munet, path) for path in paths]
    if not any(added):
        operator.report({"WARNING"}, "No new photo was chosen")
        return {"CANCELLED"}
    return {"FINISHED"}


class MUNET_OT_add_images(bpy.types.Operator):
    """Add photos to the list"""

    bl_idname = "munet.add_images"
    bl_label = "Add Photos to MuNet"

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})
    filter_glob: StringProperty(default=IMAGE_GLOB, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the files, unless they were dropped."""
        if self.files:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Append the chosen files."""
        folder = Path(bpy.path.abspath(self.directory))
        return _add(self, context, [folder / file.name for file in self.files if file.name])


class MUNET_OT_paste_images(bpy.types.Operator):
    """Add the photos whose paths, or folder, are in the clipboard"""

    bl_idname = "munet.paste_images"
    bl_label = "Paste Photos"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Append the files that the clipboard names."""
        return _add(self, context, photos_in_text(context.window_manager.clipboard))


class MUNET_OT_add_shown_image(bpy.types.Operator):
    """Add the picture that the Image Editor shows"""

    bl_idname = "munet.add_shown_image"
    bl_label = "Add Picture of Image Editor"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it while an Image Editor shows a picture."""
        if shown_picture(context) is None:
            cls.poll_message_set("No Image Editor shows a picture")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Append its file, or a copy of what is in no file."""
        try:
            return _add(self, context, [picture_file(shown_picture(context))])
        except AddonError as error:
            self.report({"ERROR"}, failure_text(error))
            return {"CANCELLED"}


class MUNET_FH_photos(bpy.types.FileHandler):
    """Photos dropped onto a 3D view."""

    bl_idname = "MUNET_FH_photos"
    bl_label = "MuNet: Reconstruct People"
    bl_import_operator = "munet.add_images"
    bl_file_extensions = ";".join(IMAGE_ENDINGS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Take photos in 3D views alone."""
        return context.area is not None and context.area.type == "VIEW_3D"


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


CLASSES = (
    MUNET_OT_add_images,
    MUNET_OT_paste_images,
    MUNET_OT_add_shown_image,
    MUNET_FH_photos,
    MUNET_OT_remove_image,
    MUNET_OT_clear_images,
)
