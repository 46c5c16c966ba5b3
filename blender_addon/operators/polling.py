"""What buttons say: why they are grey (the checks that several operators share), and what one of many choices does."""

import bpy
from bpy.app.translations import pgettext_tip as tip_

from ..people import control_rig, has_ik, rig_of


def on_person(operator: type[bpy.types.Operator], context: bpy.types.Context, *modes: str) -> bool:
    """Return whether one of our people is selected and Blender is in one of ``modes``."""
    rig = rig_of(context.object)
    if rig is None:
        operator.poll_message_set("Select a person made by MuNet")
        return False
    if rig.library is not None:
        operator.poll_message_set("This person is linked from another file: make a library override, or make it local")
        return False
    if modes == ("OBJECT",):
        return in_object_mode(operator, context) and changeable(operator, rig)
    if context.mode not in modes:
        operator.poll_message_set("Switch to Object Mode or Pose Mode")
        return False
    return True


def from_another_file(rig: bpy.types.Object) -> bool:
    """Return whether parts of the person of ``rig`` are linked, or overrides of what is."""
    data = (rig.data, *(child.data for child in rig.children_recursive if child.type == "MESH"))
    return any(part.library is not None or part.override_library is not None for part in (rig, *data))


def changeable(operator: type[bpy.types.Operator], rig: bpy.types.Object) -> bool:
    """Return whether bones and meshes of the person of ``rig`` may be changed: all local, the rig to be seen."""
    if from_another_file(rig):
        operator.poll_message_set("Parts of this person come from another file: make them local first")
        return False
    if not rig.visible_get():
        operator.poll_message_set("Show the rig of this person first")
        return False
    return True


def in_object_mode(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Return whether Blender is in Object Mode."""
    if context.mode != "OBJECT":
        operator.poll_message_set("Switch to Object Mode")
        return False
    return True


def without_ik(operator: type[bpy.types.Operator], rig: bpy.types.Object) -> bool:
    """Return whether no IK controls hold the bones."""
    if has_ik(rig):
        operator.poll_message_set("Remove the IK controls first")
        return False
    return True


def without_control_rig(operator: type[bpy.types.Operator], rig: bpy.types.Object) -> bool:
    """Return whether no control rig moves the bones."""
    if control_rig(rig) is not None:
        operator.poll_message_set("Remove the control rig first")
        return False
    return True


def choice_tip(items: tuple[tuple[str, str, str], ...], chosen: str) -> str:
    """Return the tooltip of a button that makes the choice ``chosen`` of ``items``."""
    return next((tip_(text) for key, _, text in items if key == chosen), "")
