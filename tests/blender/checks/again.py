"""A person reconstructed again in its place."""

from __future__ import annotations

from pathlib import Path

import bpy
import common
from photo_list import failing, photos, use_backend


def altered_person(folder: Path) -> tuple[object, object]:
    """Reconstruct somebody and do to it what artists do; returns the rig, and the surface's vertices from it before."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    use_backend("--mode", "by-name")
    photos(folder, "normal.png")
    assert bpy.ops.munet.reconstruct() == {"FINISHED"}
    rig = bpy.context.object
    surface = next(child for child in rig.children if "clothed" in child.name)
    shown = common.world_vertices(surface) - rig.location
    place = bpy.data.collections.new("My Heroes")
    bpy.context.scene.collection.children.link(place)
    place.objects.link(surface)
    rig.name, surface.name, surface.data.name, rig.location = "Hero", "Hero Coat", "Coat", (1.0, 2.0, 3.0)
    surface.modifiers.new("Smooth More", "SUBSURF").levels = 2
    paint = bpy.data.materials.new("Painted")
    surface.data.materials[0] = paint
    rig.pose.bones["forearm.L"].constraints.new("LIMIT_ROTATION").name = "Mine"
    rig.pose.bones["thigh.L"].rotation_quaternion = (0.9, 0.1, 0.0, 0.0)
    rig.pose.bones["thigh.L"].keyframe_insert("rotation_quaternion", frame=1)
    assert bpy.ops.munet.rename_bones(scheme="MIXAMO") == {"FINISHED"}
    surface.data.vertices[0].co.x += 5.0
    return rig, shown


def check_rerun(folder: Path) -> None:
    """A person is exchanged in its place: mesh and bones are new, what the artist made stays, in one undo step."""
    rig, shown = altered_person(folder)
    surface = bpy.data.objects["Hero Coat"]
    action, numbers = rig.animation_data.action, (len(bpy.data.objects), len(bpy.data.collections))
    heads, meshes = [bone.head_local.copy() for bone in rig.data.bones], len(bpy.data.meshes)
    with common.part("importer.armature").editing(bpy.context, rig):
        rig.data.edit_bones[5].head.x += 0.3
    assert bpy.ops.munet.reconstruct_again.poll()
    assert bpy.ops.munet.reconstruct_again(keep_materials=True) == {"FINISHED"}
    rig = bpy.data.objects["Hero"]
    surface = bpy.data.objects["Hero Coat"]
    assert bpy.context.object == rig
    found = (len(bpy.data.objects), len(bpy.data.collections), len(bpy.data.meshes))
    assert found == (*numbers, meshes), (found, numbers, meshes)
    assert tuple(rig.location) == (1.0, 2.0, 3.0)
    assert rig.animation_data.action == action
    assert rig.pose.bones["mixamorig:LeftForeArm"].constraints["Mine"].type == "LIMIT_ROTATION"
    moved = [(bone.head_local - head).length for bone, head in zip(rig.data.bones, heads, strict=True)]
    assert max(moved) < 1e-5, max(moved)
    assert surface.parent == rig
    assert surface.data.name == "Coat"
    assert {c.name for c in surface.users_collection} == {"normal 1", "My Heroes"}
    assert surface.modifiers["Smooth More"].levels == 2
    assert {m.object for m in surface.modifiers if m.type == "ARMATURE"} == {rig}
    assert surface.data.materials[0].name == "Painted"
    assert max(abs(vertex.co.x) for vertex in surface.data.vertices) < 3.0
    assert "mixamorig:LeftForeArm" in surface.vertex_groups
    body = common.part("people").shaped_body(rig)
    assert body is not None
    drivers = body.data.shape_keys.animation_data
    targets = [t.id for d in (drivers.drivers if drivers else ()) for v in d.driver.variables for t in v.targets]
    assert set(targets) <= {rig, body.data.shape_keys}
    check_rerun_refusals(folder, rig, shown)


def check_rerun_refusals(folder: Path, rig: object, shown: object) -> None:
    """The copy behind the camera serves where the file is gone; without both a message says so.

    Without what the artist made the person is exactly as it was when it was new.
    """
    (folder / "normal.png").unlink()
    rig.animation_data_clear()
    rig.pose.bones["mixamorig:LeftForeArm"].constraints.remove(
        rig.pose.bones["mixamorig:LeftForeArm"].constraints["Mine"]
    )
    bpy.data.objects["Hero Coat"].modifiers.remove(bpy.data.objects["Hero Coat"].modifiers["Smooth More"])
    assert bpy.ops.munet.reconstruct_again() == {"FINISHED"}
    rig = bpy.data.objects["Hero"]
    surface = bpy.data.objects["Hero Coat"]
    assert surface.data.materials[0].name != "Painted"
    away = abs(common.world_vertices(surface) - rig.location - shown).max()
    assert away < 1e-4, away
    rig["munet_camera"].data.background_images.clear()
    assert "not there any more" in failing(bpy.ops.munet.reconstruct_again)
    rig["munet_clip"] = "walk"
    assert not bpy.ops.munet.reconstruct_again.poll()
