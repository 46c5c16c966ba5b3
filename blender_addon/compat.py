"""Everything that differs between the supported Blender versions (4.2 to 5.2)."""

from __future__ import annotations

from typing import Any

import bpy


def enable_nodes(material: bpy.types.Material) -> None:
    """Give ``material`` its node tree; Blender 5 always has one and warns about the old switch."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True


def new_action(name: str, animated: bpy.types.ID) -> bpy.types.Action:
    """Make an empty action for ``animated`` that nothing plays yet, with a slot where Blender has them (4.4, later)."""
    action = bpy.data.actions.new(name)
    if hasattr(action, "slots"):
        action.slots.new(id_type=animated.id_type, name=animated.name)
    else:
        action.id_root = animated.id_type
    return action


def action_curves(action: bpy.types.Action) -> bpy.types.bpy_prop_collection[Any]:
    """Return the F-curves of the first slot of ``action``, a collection with ``new(data_path, index=)``."""
    if not hasattr(action, "slots"):
        return action.fcurves
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    curves: bpy.types.bpy_prop_collection[Any] = strip.channelbag(action.slots[0], ensure=True).fcurves
    return curves


def action_groups(action: bpy.types.Action) -> bpy.types.bpy_prop_collection[Any]:
    """Return the groups of the F-curves of the first slot of ``action``; make a curve before the first group."""
    if not hasattr(action, "slots"):
        return action.groups
    bag = action.layers[0].strips[0].channelbag(action.slots[0], ensure=True)
    groups: bpy.types.bpy_prop_collection[Any] = bag.groups
    return groups


def all_curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """Return the F-curves of every slot of ``action``."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def modifier_input_path(modifier: bpy.types.Modifier, identifier: str) -> str:
    """Return the path, from its object, of an input of a geometry nodes modifier."""
    if hasattr(modifier, "properties"):
        return str(getattr(modifier.properties.inputs, identifier).path_from_id("value"))
    return f'modifiers["{modifier.name}"]["{identifier}"]'


def play_action(animated: bpy.types.ID, action: bpy.types.Action) -> None:
    """Let ``animated`` play ``action``, of which it is the first slot's user."""
    animation = animated.animation_data or animated.animation_data_create()
    animation.action = action
    if hasattr(action, "slots"):
        animation.action_slot = action.slots[0]
