"""The operators on a result in the scene, and on results on disk."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from functools import partial
from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty

from ..people import camera_of, rig_of, shaped_body
from ..rigs import POSES
from ..steps import Beside, Steps
from ..work import INSERT
from .doing import do_in_steps
from .polling import choice_tip, in_object_mode, on_person, without_control_rig, without_ik

_STEPS = 16
_POSES = tuple((entry.key, entry.label, entry.text) for entry in POSES)


class MUNET_OT_apply_pose(bpy.types.Operator):
    """Put the person into a pose"""

    bl_idname = "munet.apply_pose"
    bl_label = "Apply Pose"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    pose: EnumProperty(name="Pose", items=_POSES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person that no control rig moves."""
        return on_person(cls, context, "OBJECT", "POSE") and without_control_rig(cls, rig_of(context.object))

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """Say what this choice does."""
        return choice_tip(_POSES, properties.pose)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set every pose bone."""
        from ..rigging.poses import put_pose

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
        rig = rig_of(context.object)
        return without_ik(cls, rig) and without_control_rig(cls, rig)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fit the rig."""
        from ..importer.identity import fit_rig_to_shape

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
        if camera_of(rig_of(context.object)) is None:
            cls.poll_message_set("The camera of this person was deleted")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it the scene's camera and show its view."""
        from ..importer.camera import look_through

        look_through(context.scene, camera_of(rig_of(context.object)))
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
    bl_options = {"REGISTER"}  # noqa: RUF012

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN"})
    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it in Object Mode."""
        return in_object_mode(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the files."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Insert the people of the chosen files, which must come from one photo."""
        paths = [Path(bpy.path.abspath(self.directory)) / file.name for file in self.files if file.name]
        return do_in_steps(self, INSERT, partial(_inserting, paths), expected=_STEPS * len(paths))


def _inserting(paths: list[Path]) -> Steps[str]:
    """Insert the people of result files in steps; returns what is to be told, which is nothing."""
    from ..importer.character import load_character
    from ..importer.photo import Photo
    from ..importer.scene import Origin, building_people, nobody, showing_people
    from ..sequence import ClipPlace, has_motion, inserting_motion

    characters = yield Beside(lambda: [load_character(path) for path in paths])
    if not characters:
        raise nobody()
    name, context = paths[0].parent.name, bpy.context
    built = yield from building_people(context, characters, Origin(Photo(name, b""), {}, ""))
    for person, character in zip(built.people, characters, strict=True):
        if has_motion(character):
            yield from inserting_motion(context, person, character, name, ClipPlace())
    yield from showing_people(context, built)
    return ""


CLASSES = (MUNET_OT_apply_pose, MUNET_OT_fit_rig_to_shape, MUNET_OT_look_through_camera, MUNET_OT_import_result)
