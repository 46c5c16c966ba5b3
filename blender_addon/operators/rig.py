"""The operators on a finished rig: correctives, pose assets, bone names, hidden skin, IK, control rig."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from functools import partial

import bpy
from bpy.props import BoolProperty, EnumProperty

from ..elsewhere import blender_program
from ..people import (
    COVERED,
    control_rig,
    corrected_meshes,
    covered_skin_hidden,
    has_ik,
    home_of,
    is_older,
    rig_of,
    rigify_enabled,
    shaped_body,
)
from ..rigs import SCHEMES
from ..steps import Steps
from .doing import at_once, do_in_steps, the_person
from .polling import choice_tip, on_person, without_control_rig, without_ik

_CORRECTIVES = (
    ("ON", "On", "Body and clothes are corrected in every pose, live"),
    ("OFF", "Off", "Plain skinning, fastest"),
    ("BAKE", "Bake", "Shape keys with values or, where the rig is animated, with keyframes, for other programs"),
)
_SCHEMES = tuple((scheme.key, scheme.label, f"Names as in {scheme.label}") for scheme in SCHEMES)

_STEPS = 4
_MODES = ("OBJECT", "POSE")


class MUNET_OT_pose_correctives(bpy.types.Operator):
    """Choose how body and clothes are corrected where they bend"""

    bl_idname = "munet.pose_correctives"
    bl_label = "Pose Correctives"
    bl_options = {"REGISTER"}  # noqa: RUF012

    mode: EnumProperty(name="Mode", items=_CORRECTIVES)
    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person whose body has correctives."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        if not corrected_meshes(rig_of(context.object)):
            cls.poll_message_set("The body of this person has no live correctives")
            return False
        return True

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """Say what this choice does."""
        return choice_tip(_CORRECTIVES, properties.mode)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch or bake."""
        from ..importer.correctives import set_correctives
        from ..rigging.bake import frames_to_bake

        rig = rig_of(context.object)
        if self.mode == "BAKE":
            frames = frames_to_bake(context, rig)
            expected = _STEPS + 2 * len(rig.pose.bones) if frames else _STEPS
            return do_in_steps(self, "bake", partial(_baking, rig.name, frames), expected=expected, modes=_MODES)
        for mesh in corrected_meshes(rig):
            set_correctives(mesh, rig, live=self.mode == "ON")
        bpy.ops.ed.undo_push(message=self.bl_label)
        return {"FINISHED"}


def _baking(name: str, frames: list[int] | None) -> Steps[str]:
    """Bake the correctives of the person of the rig ``name`` in steps; returns what is to be told."""
    from ..rigging.bake import baking_correctives

    rig = the_person(name)
    yield from baking_correctives(bpy.context, corrected_meshes(rig), rig, frames)
    return f"Correctives baked to {len(frames)} frames" if frames else "Correctives of this pose kept"


class MUNET_OT_update_person(bpy.types.Operator):
    """Bring a person that an older release has made up to date: correctives for its clothes, and faster ones"""

    bl_idname = "munet.update_person"
    bl_label = "Update This Person"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person of an older release, in Object Mode."""
        if not on_person(cls, context, "OBJECT"):
            return False
        if not is_older(rig_of(context.object)):
            cls.poll_message_set("This person is up to date")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Convert the correctives."""
        from ..rigging.older import update_person

        update_person(rig_of(context.object))
        return {"FINISHED"}


class MUNET_OT_add_pose_assets(bpy.types.Operator):
    """Make actions of the photo's pose, the T-pose and the A-pose, marked as assets for the Asset Browser"""

    bl_idname = "munet.add_pose_assets"
    bl_label = "Poses to Asset Library"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person."""
        return on_person(cls, context, "OBJECT", "POSE")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make them."""
        from ..rigging.poses import add_pose_assets

        made = add_pose_assets(rig_of(context.object))
        self.report({"INFO"}, ", ".join(action.name for action in made))
        return {"FINISHED"}


class MUNET_OT_add_person_asset(bpy.types.Operator):
    """Mark this person's collection as an asset, with its photo as the picture, for the Asset Browser"""

    bl_idname = "munet.add_person_asset"
    bl_label = "Person to Asset Library"
    bl_options = {"REGISTER"}  # noqa: RUF012

    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person in a collection."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        if home_of(rig_of(context.object)) is None:
            cls.poll_message_set("Move the person into a collection first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mark it."""
        program = [] if at_once(self) else blender_program()
        begin = partial(_marking, rig_of(context.object).name, program)
        return do_in_steps(self, "mark", begin, expected=_STEPS, modes=_MODES)


def _marking(name: str, program: list[str]) -> Steps[str]:
    from ..rigging.asset import marking_person

    home = yield from marking_person(the_person(name), program)
    return home.name if home is not None else ""


class MUNET_OT_rename_bones(bpy.types.Operator):
    """Name the bones as another program expects them; meshes, drivers and actions follow"""

    bl_idname = "munet.rename_bones"
    bl_label = "Bone Names"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    scheme: EnumProperty(name="Names", items=_SCHEMES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person."""
        return on_person(cls, context, "OBJECT", "POSE")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Rename."""
        from ..rigging.naming import rename_bones

        rename_bones(rig_of(context.object), self.scheme)
        return {"FINISHED"}


class MUNET_OT_hide_covered_skin(bpy.types.Operator):
    """Hide the skin of the body that lies under the clothes, or show it again"""

    bl_idname = "munet.hide_covered_skin"
    bl_label = "Hide Covered Skin"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person whose body knows what is covered."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        body = shaped_body(rig_of(context.object))
        if body is None or COVERED not in body.data.attributes:
            cls.poll_message_set("Nothing is known about what covers the body of this person")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch the mask."""
        from ..rigging.clothes import hide_covered_skin

        body = shaped_body(rig_of(context.object))
        hide_covered_skin(body, hidden=not covered_skin_hidden(body))
        return {"FINISHED"}


class MUNET_OT_toggle_ik(bpy.types.Operator):
    """Add controls that pull hands and feet, with poles for elbows and knees, or remove them; the pose stays"""

    bl_idname = "munet.toggle_ik"
    bl_label = "IK Controls"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person without a control rig, in Object Mode."""
        return on_person(cls, context, "OBJECT") and without_control_rig(cls, rig_of(context.object))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add or remove them."""
        from ..rigging.ik import add_ik, remove_ik

        rig = rig_of(context.object)
        (remove_ik if has_ik(rig) else add_ik)(context, rig)
        return {"FINISHED"}


class MUNET_OT_control_rig(bpy.types.Operator):
    """Generate a Rigify control rig that moves this person, or remove it and keep the pose"""

    bl_idname = "munet.control_rig"
    bl_label = "Rigify Control Rig"
    bl_options = {"REGISTER"}  # noqa: RUF012

    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person, in Object Mode, with Rigify enabled and no IK controls in its way."""
        if not on_person(cls, context, "OBJECT"):
            return False
        if not rigify_enabled():
            cls.poll_message_set("Enable the add-on Rigify in the preferences")
            return False
        return without_ik(cls, rig_of(context.object))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Generate or remove it."""
        from ..rigging.rigify import remove_control_rig

        rig = rig_of(context.object)
        if control_rig(rig) is not None:
            remove_control_rig(context, rig)
            bpy.ops.ed.undo_push(message=self.bl_label)
            return {"FINISHED"}
        program = [] if at_once(self) else blender_program()
        return do_in_steps(self, "controls", partial(_generating, rig.name, program), expected=_STEPS)


def _generating(name: str, program: list[str]) -> Steps[str]:
    from ..rigging.rigify import generating_control_rig

    made = yield from generating_control_rig(bpy.context, the_person(name), program)
    return made.name


CLASSES = (
    MUNET_OT_update_person,
    MUNET_OT_control_rig,
    MUNET_OT_toggle_ik,
    MUNET_OT_pose_correctives,
    MUNET_OT_add_pose_assets,
    MUNET_OT_add_person_asset,
    MUNET_OT_rename_bones,
    MUNET_OT_hide_covered_skin,
)
