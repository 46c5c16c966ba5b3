"""The operators on a result in the scene, and on results on disk."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path

import bpy
from bpy.props import CollectionProperty, EnumProperty, StringProperty

from ..errors import AddonError
from ..importer.camera import look_through
from ..importer.character import load_character
from ..importer.identity import fit_rig_to_shape, shaped_body
from ..importer.photo import Photo
from ..importer.scene import Origin, import_people, rig_of
from ..language import failure_text
from ..rigging.poses import POSES, put_pose
from ..sequence import ClipPlace, has_motion, insert_motion
from .polling import choice_tip, in_object_mode, on_person

_POSES = tuple((entry.key, entry.label, entry.text) for entry in POSES)


class MUNET_OT_apply_pose(bpy.types.Operator):
    """Put the person into a pose"""

    bl_idname = "munet.apply_pose"
    bl_label = "Apply Pose"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    pose: EnumProperty(name="Pose", items=_POSES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person."""
        return on_person(cls, context, "OBJECT", "POSE")

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """Say what this choice does."""
        return choice_tip(_POSES, properties.pose)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set every pose bone."""
        put_pose(rig_of(context.object), self.pose)
        return {"FINISHED"}


class MUNET_OT_fit_rig_to_shape(bpy.types.Operator):
    """Move the joints to where the shape keys of the body put them; the pose stays"""

    bl_idname = "munet.fit_rig_to_shape"
    bl_label = "Fit Rig to Shape"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person with a body, in Object Mode."""
        if not on_person(cls, context, "OBJECT"):
            return False
        if shaped_body(rig_of(context.object)) is None:
            cls.poll_message_set("The body of this person was deleted")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fit the rig."""
        rig = rig_of(context.object)
        fit_rig_to_shape(context, rig, shaped_body(rig))
        return {"FINISHED"}


class MUNET_OT_look_through_camera(bpy.types.Operator):
    """Render through the photo's camera, at the photo's size"""

    bl_idname = "munet.look_through_camera"
    bl_label = "Look Through Photo Camera"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person whose camera is still there."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        if rig_of(context.object).get("munet_camera") is None:
            cls.poll_message_set("The camera of this person was deleted")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it the scene's camera and show its view."""
        look_through(context.scene, rig_of(context.object)["munet_camera"])
        if context.area is not None and context.area.type == "VIEW_3D":
            context.space_data.region_3d.view_perspective = "CAMERA"
            window = next(region for region in context.area.regions if region.type == "WINDOW")
            with context.temp_override(region=window):
                bpy.ops.view3d.view_center_camera()
        return {"FINISHED"}


class MUNET_OT_import_result(bpy.types.Operator):
    """Insert people from person_*.npz files written by scripts/reconstruct.py"""

    bl_idname = "munet.import_result"
    bl_label = "Import Result"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it in Object Mode."""
        return in_object_mode(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the files."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Insert the people of the chosen files, which must come from one photo."""
        folder = Path(bpy.path.abspath(self.directory))
        try:
            characters = [load_character(folder / file.name) for file in self.files if file.name]
            people = import_people(context, characters, Origin(Photo(folder.name, b""), {}, ""))
            for person, character in zip(people, characters, strict=True):
                if has_motion(character):
                    insert_motion(context, person, character, folder.name, ClipPlace())
        except AddonError as error:
            self.report({"ERROR"}, failure_text(error))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (MUNET_OT_apply_pose, MUNET_OT_fit_rig_to_shape, MUNET_OT_look_through_camera, MUNET_OT_import_result)
