"""Pose correctives as shape keys: with values, or with keyframes where the rig is animated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..compat import action_curves, new_action, play_action
from ..errors import AddonError
from ..importer.correctives import BAKED, add_corrective_keys, corrective_values
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
    curves: bpy.types.bpy_prop_collection[Any], key: bpy.types.ShapeKey, frames: list[int], values: Floats
) -> None:
    curve = curves.new(key.path_from_id("value"), index=0)
    curve.keyframe_points.add(len(frames))
    curve.keyframe_points.foreach_set("co", np.stack([frames, values], axis=1).reshape(-1))
    curve.update()


def bake_correctives(
    context: bpy.types.Context, meshes: Sequence[bpy.types.Object], rig: bpy.types.Object, frames: list[int] | None
) -> None:
    """Replace the live correctives of ``meshes`` by shape keys.

    Args:
        context: of the scene.
        meshes: body and clothes of ``rig``.
        rig: whose pose the correctives depend on.
        frames: those to key, None for values of the present pose alone.

    Raises:
        AddonError: ANIMATED: the shape keys play an action of the user's own.
    """
    for mesh in meshes if frames else ():
        _refuse_own_action(mesh)
    context.view_layer.update()
    values = corrective_values(rig)
    sampled = _sampled(context, rig, frames) if frames else None
    for mesh in meshes:
        if mesh.data.shape_keys is None:
            mesh.shape_key_add(name="Basis", from_mix=False)
        made = add_corrective_keys(mesh)
        shape = mesh.data.shape_keys
        action = new_action(f"{mesh.name} correctives", shape) if sampled is not None else None
        for bone, keys in made:
            for entry, key in enumerate(keys):
                key.value = float(values[bone, entry])
                if action is not None and sampled is not None and frames:
                    _write_curves(action_curves(action), key, frames, sampled[:, bone, entry])
        if action is not None:
            action[BAKED] = True
            play_action(shape, action)


def frames_to_bake(context: bpy.types.Context, rig: bpy.types.Object) -> list[int] | None:
    """Return the frames of the scene if ``rig`` is animated, else None."""
    scene = context.scene
    return list(range(scene.frame_start, scene.frame_end + 1)) if _is_animated(rig) else None


def _refuse_own_action(mesh: bpy.types.Object) -> None:
    shape = mesh.data.shape_keys
    played = shape.animation_data.action if shape and shape.animation_data else None
    if played is not None and BAKED not in played:
        raise AddonError(
            "ANIMATED",
            "The shape keys of the body are animated already.",
            hint="Push their action down into a track of the NLA editor first.",
        )
