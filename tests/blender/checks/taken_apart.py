"""People that an artist has taken apart: every button works, or is grey with the reason, or says what is wrong."""

from __future__ import annotations

import bmesh
import bpy
import common
from photo_list import failing
from posing import person_with_correctives


def _edit_bones(rig: bpy.types.Object, *unwanted: str) -> None:
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name in unwanted:
        rig.data.edit_bones.remove(rig.data.edit_bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")


def check_taken_apart() -> None:
    """Constraints, a camera, keys, a material and bones go, one after the other; faces get many corners."""
    _, person = person_with_correctives(51)
    rig, munet = person.rig, bpy.ops.munet
    munet.toggle_ik()
    for bone in rig.pose.bones:
        for constraint in list(bone.constraints):
            bone.constraints.remove(constraint)
    _edit_bones(rig, "ik_hand.L")
    assert munet.apply_pose(pose="A") == {"FINISHED"}
    assert munet.toggle_ik() == {"FINISHED"}
    assert not any("munet_ik" in bone for bone in rig.data.bones)
    person.body.shape_key_remove(person.body.data.shape_keys.key_blocks["Shape003"])
    assert munet.fit_rig_to_shape() == {"FINISHED"}
    _join_faces(person.surface.data)
    assert munet.make_light(faces=200, size="1024") == {"FINISHED"}
    person.surface.data.materials.clear()
    assert "Principled" in failing(munet.make_light)
    for collection in list(person.camera.users_collection):
        collection.objects.unlink(person.camera)
    for operator in (munet.look_through_camera, munet.photo_overlay):
        assert not operator.poll()
    rig.hide_set(True)
    bpy.context.view_layer.objects.active = person.surface
    assert not munet.toggle_ik.poll()
    rig.hide_set(False)
    _edit_bones(rig, "hand.L")
    for operator in (munet.apply_pose, munet.fit_rig_to_shape, munet.add_pose_assets, munet.toggle_ik):
        assert "Bones of this person were deleted" in failing(operator)
    rig["munet_bone_names"] = "broken"
    assert "could not be done" in failing(munet.add_pose_assets)


def _join_faces(mesh: bpy.types.Mesh) -> None:
    """Give one face of ``mesh`` more corners than four."""
    work = bmesh.new()
    work.from_mesh(mesh)
    edge = next(edge for edge in work.edges if len(edge.link_faces) == 2 and not edge.is_boundary)
    bmesh.ops.dissolve_edges(work, edges=[edge])
    assert max(len(face.verts) for face in work.faces) > 4
    work.to_mesh(mesh)
    work.free()


def check_a_control_rig_selected() -> None:
    """Who selects the control rig has selected the person it moves; poses are its own then."""
    _, person = person_with_correctives(52)
    controls = bpy.data.objects.new("controls", bpy.data.armatures.new("controls"))
    bpy.context.scene.collection.objects.link(controls)
    rig_of = common.part("people").rig_of
    assert rig_of(controls) is None
    person.rig["munet_control_rig"] = controls
    assert rig_of(controls) == person.rig
    bpy.context.view_layer.objects.active = controls
    assert bpy.ops.munet.stand_on_floor.poll()
    assert not bpy.ops.munet.apply_pose.poll()
    assert not bpy.ops.munet.fit_rig_to_shape.poll()
