"""People as releases before the correctives by geometry nodes have saved them, brought up to date. Run by rig.py."""

from __future__ import annotations

from typing import Any

import bpy
import common
import numpy as np
import synthetic
from posing import put, random_pose

_ENTRIES = (
    "-2*(y*y+z*z)", "2*(x*y-w*z)", "2*(x*z+w*y)",
    "2*(x*y+w*z)", "-2*(x*x+z*z)", "2*(y*z-w*x)",
    "2*(x*z-w*y)", "2*(y*z+w*x)", "-2*(x*x+y*y)",
)  # fmt: skip


def drive(key: bpy.types.ShapeKey, rig: bpy.types.Object, bone: str, entry: int) -> None:
    """Drive a corrective key as the older release did."""
    driver = key.driver_add("value").driver
    for name in (name for name in "wxyz" if name in _ENTRIES[entry]):
        variable = driver.variables.new()
        variable.name, variable.type = name, "TRANSFORMS"
        target = variable.targets[0]
        target.id, target.bone_target = rig, bone
        target.transform_type, target.rotation_mode = f"ROT_{name.upper()}", "QUATERNION"
        target.transform_space = "LOCAL_SPACE"
    driver.expression = _ENTRIES[entry]


def age(person: Any) -> None:
    """Make of a person what the older release would have made: driven keys, clothes corrected for the photo alone."""
    correctives, data = common.part("importer.correctives"), common.part("importer.corrective_data")
    bpy.context.view_layer.update()
    correctives.correct_once(person.surface, person.rig)
    bones = common.part("importer.armature").ordered_bones(person.rig, synthetic.random_person(1)[0]["bone_names"])
    for bone, keys in correctives.add_corrective_keys(person.body):
        for entry, key in enumerate(keys):
            drive(key, person.rig, bones[bone].name, entry)
    for mesh in (person.surface.data, person.body.data):
        data.remove_correctives(mesh)


def check_older_person() -> None:
    """One click gives body and clothes of an older file the correctives of this release; others are left alone."""
    arrays, facts = synthetic.random_person(61, rings=12, correctives=True)
    character = common.part("importer.character").read_character(synthetic.in_its_skin(arrays), facts)
    person = common.insert([character])[0]
    common.show_all()
    assert not bpy.ops.munet.update_person.poll()
    photo = [common.world_vertices(mesh) for mesh in (person.body, person.surface)]
    put(person, random_pose(3))
    wild = [common.world_vertices(mesh) for mesh in (person.body, person.surface)]
    assert bpy.ops.munet.apply_pose(pose="PHOTO") == {"FINISHED"}
    age(person)
    assert bpy.ops.munet.update_person.poll()
    put(person, random_pose(3))
    assert np.abs(common.world_vertices(person.body) - wild[0]).max() < 1e-4
    assert np.abs(common.world_vertices(person.surface) - wild[1]).max() > 2e-3
    assert bpy.ops.munet.update_person() == {"FINISHED"}
    assert not any(key.name.startswith("Pose") for key in person.body.data.shape_keys.key_blocks)
    drivers = person.body.data.shape_keys.animation_data
    assert drivers is None or not any("Pose" in curve.data_path for curve in drivers.drivers)
    bpy.context.view_layer.update()
    assert np.abs(common.world_vertices(person.body) - wild[0]).max() < 1e-4
    assert np.abs(common.world_vertices(person.surface) - wild[1]).max() < 1e-3
    assert bpy.ops.munet.apply_pose(pose="PHOTO") == {"FINISHED"}
    bpy.context.view_layer.update()
    for mesh, before in zip((person.body, person.surface), photo, strict=True):
        assert np.abs(common.world_vertices(mesh) - before).max() < 1e-4, mesh.name
    assert not bpy.ops.munet.update_person.poll()
    older = common.part("people")
    assert not older.is_newer(person.rig)
    person.rig["munet_schema"] = 99
    assert older.is_newer(person.rig)
