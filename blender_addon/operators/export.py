"""The operators that write one character as a file for other programs."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..elsewhere import blender_program
from ..errors import AddonError
from ..exporting.job import TASK
from ..exporting.options import CopyOptions, WriteOptions
from ..exporting.writers import ENDINGS, has_usd
from ..language import failure_text
from ..people import light_version_stale, rig_of
from ..pump import start_pump
from ..session import current
from .polling import from_another_file, on_person

_PARTS = (
    ("SURFACE", "Clothed Surface", "The person as in the photo"),
    ("BODY", "Body", "The body under the clothes"),
    ("BOTH", "Both", "Clothed surface and body"),
    ("LIGHT", "Light Version", "The clothed surface with fewer faces and a normal map; make it first"),
)
_POSES = (
    ("POSED", "As Posed", "In the pose of this frame; the skeleton rests in the T-pose"),
    ("REST", "T-Pose", "Arms out, standing on the floor"),
)
_ANIMATED = (*_POSES, ("ANIMATION", "Animation", "With the action that the person plays"))
_TARGETS = (
    ("UNREAL", "Unreal", "Centimetres without a scale on any node, the rig as bone root above the hips"),
    ("UNITY", "Unity", "Metres with the unit in the file, no scale on any node"),
    ("GENERAL", "General", "As most other programs expect it"),
)


class _Export(bpy.types.Operator):
    """What the export of every format has in common."""

    bl_options = {"REGISTER"}  # noqa: RUF012
    form = ""

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})
    part: EnumProperty(name="Part", description="What of the person to export", items=_PARTS)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person."""
        return on_person(cls, context, "OBJECT", "POSE")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        name = bpy.path.clean_name(rig_of(context.object).name.removesuffix(" rig"))
        self.filepath = str(Path(self.filepath or bpy.data.filepath or ".").with_name(f"{name}.{ENDINGS[self.form]}"))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, _context: bpy.types.Context) -> bool:
        """Keep the ending of the file right."""
        path = bpy.path.ensure_ext(self.filepath, f".{ENDINGS[self.form]}")
        changed: bool = path != self.filepath
        self.filepath = path
        return changed

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the options beside the file list."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("target", "part", "pose", "shape_keys"):
            if name in self.rna_type.properties:
                layout.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Export in a Blender of its own, or here and now where there is no window, no other Blender or no time."""
        from ..exporting.aside import export_task
        from ..exporting.files import write_character

        target = getattr(self, "target", "GENERAL")
        keys = getattr(self, "shape_keys", False)
        path = Path(bpy.path.abspath(bpy.path.ensure_ext(self.filepath, f".{ENDINGS[self.form]}")))
        written = WriteOptions(animation=self.pose == "ANIMATION", keys=keys, target=target)
        copied = CopyOptions(part=self.part, pose=self.pose, keys=keys, centimetres=target == "UNREAL")
        rig = rig_of(context.object)
        # What is linked stays behind its links: the other Blender gets data-blocks of this file alone.
        program = [] if self.wait or from_another_file(rig) else blender_program()
        if self.part == "LIGHT" and light_version_stale(rig):
            self.report({"WARNING"}, "The light version shows the person before it was made again")
        try:
            if not program:
                write_character(context, rig, self.form, path, copied, written)
            elif current().doing(TASK):
                raise AddonError("BUSY", "A copy is being exported already.", hint="Wait until it has finished.")
            else:
                current().start_tool(export_task(context, rig, self.form, path, copied, written, program))
        except AddonError as error:
            self.report({"ERROR"}, failure_text(error))
            return {"CANCELLED"}
        if program:
            start_pump()
        else:
            self.report({"INFO"}, f"Wrote {path}")
        return {"FINISHED"}


class MUNET_OT_cancel_export(bpy.types.Operator):
    """Stop the export; nothing is written"""

    bl_idname = "munet.cancel_export"
    bl_label = "Cancel Export"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Allow it while something is exported."""
        if not current().doing(TASK):
            cls.poll_message_set("Nothing is running")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End the other Blender."""
        current().tools[TASK].cancel()
        return {"FINISHED"}


class MUNET_OT_tell(bpy.types.Operator):
    """Say something in the status bar"""

    bl_idname = "munet.tell"
    bl_label = "Tell"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    text: StringProperty(options={"SKIP_SAVE"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Say it."""
        self.report({"INFO"}, self.text)
        return {"FINISHED"}


class MUNET_OT_export_gltf(_Export):
    """Export a copy of the person as one glb file with rig and textures; the scene stays as it is"""

    bl_idname = "munet.export_gltf"
    bl_label = "Export glTF"
    form = "glb"

    filter_glob: StringProperty(default="*.glb", options={"HIDDEN"})
    pose: EnumProperty(name="Pose", description="In which pose to export", items=_ANIMATED)
    shape_keys: BoolProperty(name="Shape Keys", description="Keep the shape keys of the body instead of baking them")


class MUNET_OT_export_fbx(_Export):
    """Export a copy of the person as FBX for Unreal, Unity and others; the scene stays as it is"""

    bl_idname = "munet.export_fbx"
    bl_label = "Export FBX"
    form = "fbx"

    filter_glob: StringProperty(default="*.fbx", options={"HIDDEN"})
    target: EnumProperty(name="For", description="Which program the file is for", items=_TARGETS)
    pose: EnumProperty(name="Pose", description="In which pose to export", items=_ANIMATED)
    shape_keys: BoolProperty(name="Shape Keys", description="Keep the shape keys of the body instead of baking them")


class MUNET_OT_export_usd(_Export):
    """Export a copy of the person as USD with rig and textures; the scene stays as it is"""

    bl_idname = "munet.export_usd"
    bl_label = "Export USD"
    form = "usd"

    filter_glob: StringProperty(default="*.usdz", options={"HIDDEN"})
    pose: EnumProperty(name="Pose", description="In which pose to export", items=_ANIMATED)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it where Blender can write USD."""
        if not has_usd():
            cls.poll_message_set("This Blender was built without USD")
            return False
        return super().poll(context)


class MUNET_OT_export_obj(_Export):
    """Export a copy of the person as a mesh without rig, with its texture beside it; the scene stays as it is"""

    bl_idname = "munet.export_obj"
    bl_label = "Export OBJ"
    form = "obj"

    filter_glob: StringProperty(default="*.obj", options={"HIDDEN"})
    pose: EnumProperty(name="Pose", description="In which pose to export", items=_POSES)


CLASSES = (
    MUNET_OT_export_gltf,
    MUNET_OT_export_fbx,
    MUNET_OT_export_usd,
    MUNET_OT_export_obj,
    MUNET_OT_cancel_export,
    MUNET_OT_tell,
)
