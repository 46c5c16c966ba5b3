"""Pose correctives without drivers: as values, or as keyframes where the rig is animated."""

from __future__ import annotations

import bpy
import numpy as np

from ..compat import action_curves, new_action, play_action
from ..errors import AddonError
from ..importer.correctives import BAKED, corrective_keys, corrective_values
from ..importer.frames import Floats


def _is_animated(rig: bpy.types.Object) -> bool:
    animation = rig.animation_data
    return animation is not None and (animation.action is not None or len(animation.nla_tracks) > 0)


def _sampled(context: bpy.types.Context, rig: bpy.types.Object, frames: list[int]) -> Floats:
    """Return the corrective values (T, J, 9) of ``frames``; the present frame stays."""
    present = context.scene.frame_current
    values = []
    for frame in frames:
        context.scene.frame_set(frame)
        values.append(corrective_values(rig))
    context.scene.frame_set(present)
    return np.array(values)


def _write_curves(
    curves: bpy.types.bpy_prop_collection, key: bpy.types.ShapeKey, frames: list[int], values: Floats
) -> None:
    curve = curves.new(key.path_from_id("value"), index=0)
    curve.keyframe_points.add(len(frames))
    curve.keyframe_points.foreach_set("co", np.stack([frames, values], axis=1).reshape(-1))
    curve.update()


def bake_correctives(context: bpy.types.Context, body: bpy.types.Object, rig: bpy.types.Object) -> int:
    """Replace the drivers of the corrective keys of ``body`` by what they give now.

    Where ``rig`` is animated that is a keyframe for each frame of the scene's range, else a value.

    Returns:
        Number of frames baked, 0 for a still rig.

    Raises:
        AddonError: ANIMATED: the shape keys play an action of the user's own.
    """
    animated, shape = _is_animated(rig), body.data.shape_keys
    played = shape.animation_data.action if shape.animation_data else None
    if animated and played is not None and BAKED not in played:
        raise AddonError(
            "ANIMATED",
            "The shape keys of the body are animated already.",
            hint="Push their action down into a track of the NLA editor first.",
        )
    context.view_layer.update()
    values = corrective_values(rig)
    frames = list(range(context.scene.frame_start, context.scene.frame_end + 1)) if animated else []
    sampled = _sampled(context, rig, frames) if animated else None
    action = new_action(f"{body.name} correctives", shape) if animated else None
    for bone, keys in corrective_keys(body, rig):
        for entry, key in enumerate(keys):
            key.driver_remove("value")
            key.mute, key.value = False, float(values[bone, entry])
            if action is not None and sampled is not None:
                _write_curves(action_curves(action), key, frames, sampled[:, bone, entry])
    if action is not None:
        action[BAKED] = True
        play_action(shape, action)
    return len(frames)
