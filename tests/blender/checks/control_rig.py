"""The control rig that Rigify generates; Blender's modules do not survive Rigify at their exit, so this skips it."""

from __future__ import annotations

import os
import sys
from typing import Any

import bpy  # isort: skip - makes the next one importable
import addon_utils
import common
import numpy as np
from mathutils import Vector

MILLIMETRE = 1e-3


def check_control_rig() -> None:
    """Rigify's controls move the person, joints stay on their places at rest, and the pose stays afterwards."""
    person = common.insert(common.people(39))[0]
    common.show_all()
    assert not bpy.ops.munet.control_rig.poll()
    addon_utils.enable("rigify", default_set=True)
    try:
        assert bpy.ops.munet.apply_pose(pose="REST") == {"FINISHED"}
        bpy.context.view_layer.update()
        rest = common.world_vertices(person.surface)
        objects = len(bpy.data.objects)
        assert bpy.ops.munet.control_rig() == {"FINISHED"}
        bpy.context.view_layer.update()
        assert np.abs(common.world_vertices(person.surface) - rest).max() < 0.1 * MILLIMETRE
        move_controls(person, person.rig["munet_control_rig"])
        bpy.context.view_layer.objects.active = person.surface
        before = common.world_vertices(person.surface)
        assert np.abs(before - rest).max() > 0.1
        assert bpy.ops.munet.control_rig() == {"FINISHED"}
        bpy.context.view_layer.update()
        assert np.abs(common.world_vertices(person.surface) - before).max() < 0.1 * MILLIMETRE
        assert len(bpy.data.objects) == objects
        assert all(len(bone.constraints) == 0 for bone in person.rig.pose.bones)
    finally:
        addon_utils.disable("rigify", default_set=True)


def move_controls(person: Any, controls: bpy.types.Object) -> None:
    """Pull a foot up and back and a hand to the front; knee and elbow must bend the way they do."""
    for name, way in (("foot_ik.L", (0.0, 0.1, 0.25)), ("hand_ik.R", (0.15, -0.2, 0.0))):
        control = controls.pose.bones[name]
        matrix = control.matrix.copy()
        matrix.translation += Vector(way)
        control.matrix = matrix
        bpy.context.view_layer.update()
    bones = person.rig.pose.bones
    for upper, lower, end, sign in (
        ("thigh.L", "shin.L", "foot.L", -1.0),
        ("upper_arm.R", "forearm.R", "hand.R", 1.0),
    ):
        middle = (bones[upper].head + bones[end].head) / 2
        bend = bones[lower].head - middle
        assert bend.length > 0.05, lower
        assert bend.normalized().y * sign > 0.5, (lower, bend)


common.run(check_control_rig)
sys.stdout.flush()
os._exit(0)
