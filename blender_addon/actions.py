"""Curves of actions in every supported Blender: slots and layers since 4.4, plain curves before."""

from __future__ import annotations

import bpy
import numpy as np

from .importer.frames import Floats

_LINEAR = 1


def new_action(obj: bpy.types.Object, name: str) -> bpy.types.Action:
    """Make an action for ``obj`` and assign it; an action it had stays in the file."""
    data = obj.animation_data_create()
    if data.action is not None:
        data.action.use_fake_user = True
    action = bpy.data.actions.new(name)
    if hasattr(action, "slots"):
        slot = action.slots.new(id_type="OBJECT", name=obj.name)
        data.action = action
        data.action_slot = slot
    else:
        data.action = action
    return action


def _channels(action: bpy.types.Action) -> bpy.types.Action | bpy.types.ActionChannelbag:
    """Return what holds the curves and groups of the first slot of ``action``."""
    if not hasattr(action, "slots"):
        return action
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(action.slots[0], ensure=True)


def add_curves(action: bpy.types.Action, group: str, path: str, frames: Floats, values: Floats) -> None:
    """Key ``values`` (F, N) of the property ``path`` at ``frames`` (F,), with straight lines between the keys.

    A value that never changes gets one key.
    """
    channels = _channels(action)
    folder = channels.groups.get(group) or channels.groups.new(group)
    for index, column in enumerate(values.T):
        still = np.ptp(column) < 1e-9
        times, heights = (frames[:1], column[:1]) if still else (frames, column)
        curve = channels.fcurves.new(path, index=index)
        curve.group = folder
        curve.keyframe_points.add(len(times))
        curve.keyframe_points.foreach_set("co", np.stack([times, heights], axis=1).reshape(-1))
        curve.keyframe_points.foreach_set("interpolation", np.full(len(times), _LINEAR, dtype=np.int32))
        curve.update()


def curves_of(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """Return every curve of ``action``."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]
