"""The control rig that Rigify generates; Blender's modules do not survive Rigify at their exit, so this skips it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy  # isort: skip - makes the next one importable
import addon_utils
import common
import numpy as np
from mathutils import Vector
from stepping import worked

MILLIMETRE = 1e-3


def check_control_rig() -> None:
    """Rigify's controls, made here or in another Blender, move the person, and the pose stays afterwards."""
    person = common.insert(common.people(39))[0]
    common.show_all()
    person.rig.location, person.rig.rotation_euler = (1.5, -0.4, 0.2), (0.0, 0.0, 0.3)
    assert not bpy.ops.munet.control_rig.poll()
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.ed.undo_push(message="before")
    try:
        check_one(person, bpy.ops.munet.control_rig)
        check_one(person, lambda: elsewhere(sys.executable))
        session, before = common.part("session").current(), len(bpy.data.objects)
        elsewhere(sys.executable, "-c", "print('no room'); raise SystemExit(3)")
        assert session.failure.code == "RIGIFY", session.failure
        assert "no room" in session.failure.detail, session.failure
        assert len(bpy.data.objects) == before
        assert not list(Path(bpy.app.tempdir).glob("munet-aside-*"))
    finally:
        addon_utils.disable("rigify", default_set=True)


def elsewhere(*program: str) -> set[str]:
    """Have the control rig generated as from a window, where another Blender does it."""
    doing, operators = common.part("operators.doing"), common.part("operators.rig")
    usual = doing.at_once, operators.at_once, operators.blender_program
    doing.at_once = operators.at_once = lambda _operator: False
    operators.blender_program = lambda: list(program)
    try:
        answer: set[str] = bpy.ops.munet.control_rig()
        worked()
    finally:
        doing.at_once, operators.at_once, operators.blender_program = usual
    return answer


def check_one(person: Any, generate: Callable[[], set[str]]) -> None:
    """Generate a control rig, move the person with it, and remove it."""
    assert bpy.ops.munet.apply_pose(pose="REST") == {"FINISHED"}
    bpy.context.view_layer.update()
    rest, found = common.world_vertices(person.surface), [len(kind) for kind in kinds()]
    assert generate() == {"FINISHED"}
    assert common.part("session").current().failure is None, common.part("session").current().failure
    controls = person.rig["munet_control_rig"]
    assert bpy.context.object == controls
    assert len(controls.users_scene) == 1
    assert controls["rig_ui"].use_module
    assert any(panel.startswith("VIEW3D_PT_rig_ui") or "rig_ui" in panel for panel in dir(bpy.types))
    widgets = {bone.custom_shape for bone in controls.pose.bones} - {None}
    assert len(widgets) > 50
    assert not any(widget.visible_get() for widget in widgets if widget.name in bpy.context.view_layer.objects)
    assert all(widget.users_collection for widget in widgets)
    bpy.context.view_layer.update()
    assert np.abs(common.world_vertices(person.surface) - rest).max() < 0.1 * MILLIMETRE
    move_controls(person, controls)
    bpy.context.view_layer.objects.active = person.surface
    before = common.world_vertices(person.surface)
    assert np.abs(before - rest).max() > 0.1
    assert bpy.ops.munet.control_rig() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert np.abs(common.world_vertices(person.surface) - before).max() < 0.1 * MILLIMETRE
    assert [len(kind) for kind in kinds()] == found, ([len(kind) for kind in kinds()], found)
    assert all(len(bone.constraints) == 0 for bone in person.rig.pose.bones)


def kinds() -> tuple[Any, ...]:
    """Return everything that a control rig may leave behind."""
    data = bpy.data
    return data.objects, data.armatures, data.meshes, data.collections, data.texts, data.libraries, data.scenes


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
