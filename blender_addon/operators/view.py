"""The operators of the photo behind the person and the floor below."""
# ruff: noqa: N801 - Blender prescribes the names of classes

import bpy
from bpy.props import EnumProperty

from ..people import camera_of, floor_of, rig_of
from .polling import choice_tip, on_person

_OVERLAYS = (
    ("BEHIND", "Behind", "The photo behind the person"),
    ("OVER", "Over", "The photo, half transparent, over the person"),
    ("OFF", "Off", "No photo"),
)


class MUNET_OT_photo_overlay(bpy.types.Operator):
    """Show the photo behind the person or over it, seen through the photo's camera, or hide it"""

    bl_idname = "munet.photo_overlay"
    bl_label = "Photo"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    mode: EnumProperty(name="Photo", items=_OVERLAYS)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person whose camera has the photo."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        camera = camera_of(rig_of(context.object))
        if camera is None or not camera.data.background_images:
            cls.poll_message_set("The camera of this person has no photo")
            return False
        return True

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """Say what this choice does."""
        return choice_tip(_OVERLAYS, properties.mode)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch."""
        from ..importer.camera import show_photo

        show_photo(camera_of(rig_of(context.object)), self.mode)
        return {"FINISHED"}


class MUNET_OT_stand_on_floor(bpy.types.Operator):
    """Move the person up or down until its lowest point, at this frame, is on the floor (z = 0)"""

    bl_idname = "munet.stand_on_floor"
    bl_label = "Feet on the Floor"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person."""
        return on_person(cls, context, "OBJECT", "POSE")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the rig."""
        from ..rigging.ground import stand_on_floor

        way = stand_on_floor(context, rig_of(context.object))
        self.report({"INFO"}, f"{way:+.3f} m")
        return {"FINISHED"}


class MUNET_OT_shadow_floor(bpy.types.Operator):
    """Lay a floor below the feet, which shows only shadows in Cycles, or take it away"""

    bl_idname = "munet.shadow_floor"
    bl_label = "Shadow Floor"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person."""
        return on_person(cls, context, "OBJECT", "POSE")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add or remove it."""
        from ..rigging.ground import add_floor, remove_floor

        rig = rig_of(context.object)
        if floor_of(rig) is None:
            add_floor(context, rig)
        else:
            remove_floor(rig)
        return {"FINISHED"}


CLASSES = (MUNET_OT_photo_overlay, MUNET_OT_stand_on_floor, MUNET_OT_shadow_floor)
