"""Pose correctives as shape keys: with values, or with keyframes where the rig is animated."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

import bpy
import numpy as np

from ..compat import action_curves, new_action, play_action
from ..errors import AddonError
from ..importer.armature import apart
from ..importer.corrective_data import correcting_bones
from ..importer.correctives import BAKED, add_corrective_keys, corrective_values, set_correctives
from ..importer.frames import Floats
from ..people import ENTRIES, corrective_name, correctives_state
from ..steps import DRAW, Steps, run_through

_TURN = 0.05
"""Seconds of frames that are looked at in one turn."""


def _is_animated(rig: bpy.types.Object) -> bool:
    animation = rig.animation_data
    return animation is not None and (animation.action is not None or len(animation.nla_tracks) > 0)


def _sampling(rig: bpy.types.Object, frames: list[int]) -> Steps[Floats]:
    """Return the corrective values (T, J, 9) of ``frames``, in a scene of the rig's own; the user's one stays."""
    values: list[Floats] = []
    while len(values) < len(frames):
        end = time.monotonic() + _TURN
        with apart(rig) as context:
            while len(values) < len(frames) and time.monotonic() < end:
                context.scene.frame_set(frames[len(values)])
                values.append(corrective_values(rig.evaluated_get(context.evaluated_depsgraph_get())))
        yield
    return np.array(values)


def _keying(mesh: bpy.types.Object, frames: list[int], values: Floats) -> Steps[bpy.types.Action]:
    """Make the action that keys ``values`` (T, J, 9) on the corrective keys that ``mesh`` will have."""
    action = new_action(f"{mesh.name} correctives", mesh.data.shape_keys)
    action[BAKED] = True
    curves = action_curves(action)
    for bone in correcting_bones(mesh.data):
        for entry in range(ENTRIES):
            curve = curves.new(f'key_blocks["{corrective_name(bone, entry)}"].value', index=0)
            curve.keyframe_points.add(len(frames))
            points = np.stack([frames, values[:, bone, entry]], axis=1)
            curve.keyframe_points.foreach_set("co", points.reshape(-1))
            curve.update()
        yield
    return action


def bake_correctives(
    context: bpy.types.Context, meshes: Sequence[bpy.types.Object], rig: bpy.types.Object, frames: list[int] | None
) -> None:
    """Do at once what :func:`baking_correctives` does."""
    run_through(baking_correctives(context, meshes, rig, frames))


def baking_correctives(
    context: bpy.types.Context, meshes: Sequence[bpy.types.Object], rig: bpy.types.Object, frames: list[int] | None
) -> Steps[None]:
    """Replace the live correctives of ``meshes`` by shape keys, in steps; they change in the last ones.

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
    for mesh in meshes:
        if mesh.data.shape_keys is None:
            mesh.shape_key_add(name="Basis", from_mix=False)
    actions: list[bpy.types.Action | None] = [None] * len(meshes)
    if frames:
        sampled = yield from _sampling(rig, frames)
        for index, mesh in enumerate(meshes):
            actions[index] = yield from _keying(mesh, frames, sampled)
    context.view_layer.update()
    values = corrective_values(rig)
    were_live = [mesh for mesh in meshes if correctives_state(mesh) == "ON"]
    try:
        for mesh, action in zip(meshes, actions, strict=True):
            _exchange(mesh, values, action)
            yield DRAW
    except BaseException:
        # After undo there is nothing of this to take back.
        with contextlib.suppress(ReferenceError):
            for mesh in were_live:
                set_correctives(mesh, rig, live=True)
        raise


def _exchange(mesh: bpy.types.Object, values: Floats, action: bpy.types.Action | None) -> None:
    """Give ``mesh`` keys with ``values`` (J, 9), or those of ``action``, in place of live correctives."""
    for bone, keys in add_corrective_keys(mesh):
        for entry, key in enumerate(keys):
            key.value = float(values[bone, entry])
    if action is not None:
        play_action(mesh.data.shape_keys, action)


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
