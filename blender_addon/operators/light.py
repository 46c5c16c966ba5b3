"""The operators of the light version of the clothed surface."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from functools import partial

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty

from ..people import clothed_surface, light_version, light_version_options, light_version_shown, rig_of
from ..steps import Steps
from .doing import do_in_steps, the_person
from .polling import on_person

_SIZES = (
    ("1024", "1024", "1024 pixels of normal map"),
    ("2048", "2048", "2048 pixels of normal map"),
    ("4096", "4096", "4096 pixels of normal map"),
)

_STEPS = 9


class MUNET_OT_make_light(bpy.types.Operator):
    """Make a copy of the clothed surface with fewer faces, on the same rig, with a normal map of the full detail"""

    bl_idname = "munet.make_light"
    bl_label = "Make Light Version"
    bl_options = {"REGISTER"}  # noqa: RUF012

    faces: IntProperty(
        name="Triangles",
        description="About how many triangles it has; face and hands keep more of theirs",
        default=5000,
        min=500,
        soft_max=20000,
    )
    size: EnumProperty(name="Normal Map", description="Edge of the normal map", items=_SIZES, default="1024")
    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person with clothes, in Object Mode."""
        if not on_person(cls, context, "OBJECT"):
            return False
        if clothed_surface(rig_of(context.object)) is None:
            cls.poll_message_set("The clothed surface of this person was deleted")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the size, beginning with that of the one before."""
        before = light_version_options(rig_of(context.object))
        if before is not None:
            self.faces, self.size = before[0], str(before[1])
        return {*context.window_manager.invoke_props_dialog(self, confirm_text="Make")}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it and show it in place of the full surface."""
        begin = partial(_making, rig_of(context.object).name, self.faces, int(self.size))
        return do_in_steps(self, "light", begin, expected=_STEPS)


def _making(name: str, faces: int, size: int) -> Steps[str]:
    """Make and show the light version of the person of the rig ``name`` in steps; returns what is to be told."""
    from ..rigging.light import making_light_version, show_light_version

    context, rig = bpy.context, the_person(name)
    light = yield from making_light_version(rig, faces, size)
    show_light_version(rig, shown=True)
    context.view_layer.objects.active = rig
    rig.select_set(True)
    return f"{light.name}: {len(light.data.polygons)} triangles"


class MUNET_OT_show_light(bpy.types.Operator):
    """Show the light version instead of the surface in full detail, or the other way round"""

    bl_idname = "munet.show_light"
    bl_label = "Show Light Version"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person that has one."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        if light_version(rig_of(context.object)) is None:
            cls.poll_message_set("Make a light version first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Swap them."""
        from ..rigging.light import show_light_version

        rig = rig_of(context.object)
        show_light_version(rig, shown=not light_version_shown(rig))
        if context.object is None or context.object.hide_get():
            context.view_layer.objects.active = rig
        return {"FINISHED"}


CLASSES = (MUNET_OT_make_light, MUNET_OT_show_light)
