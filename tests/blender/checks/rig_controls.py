"""What artists do with the rig: fingers, A-pose, IK, floor and photo, light version. Run by rig.py."""

from __future__ import annotations

import bpy
import common
import numpy as np
import synthetic
from mathutils import Quaternion
from posing import error, person_with_correctives, put

MILLIMETRE = 1e-3


def check_fingers_and_toes() -> None:
    """A finger, a thumb and the toes bend alone: what they do not hold stays where it is, in body and clothes."""
    _, person = person_with_correctives(46)
    bpy.ops.munet.pose_correctives(mode="OFF")
    for name in ("f_index.02.L", "thumb.01.R", "toe.L"):
        bone = person.rig.pose.bones[name]
        moving = {bone.name, *(child.name for child in bone.children_recursive)}
        before = {mesh: common.world_vertices(mesh) for mesh in (person.body, person.surface)}
        bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((1, 0, 0), 0.6)
        bpy.context.view_layer.update()
        for mesh, vertices in before.items():
            held = {group.index for group in mesh.vertex_groups if group.name in moving}
            weight = np.array([sum(g.weight for g in v.groups if g.group in held) for v in mesh.data.vertices])
            way = np.linalg.norm(common.world_vertices(mesh) - vertices, axis=1)
            assert way[weight.argmax()] > MILLIMETRE, (name, mesh.name)
            assert way[weight == 0].max() < 1e-6, (name, mesh.name)


def check_a_pose() -> None:
    """In the A-pose both hands are below the shoulders by as much as beside them, and the person stands."""
    _, person = person_with_correctives(35)
    assert bpy.ops.munet.apply_pose(pose="A") == {"FINISHED"}
    bpy.context.view_layer.update()
    for side in "LR":
        posed, still = person.rig.pose.bones, person.rig.data.bones
        arm = posed[f"forearm.{side}"].head - posed[f"upper_arm.{side}"].head
        at_rest = still[f"forearm.{side}"].head_local - still[f"upper_arm.{side}"].head_local
        assert abs(arm.angle(at_rest) - np.pi / 4) < 0.1
        assert arm.z < -0.5 * arm.length


def check_ik() -> None:
    """IK keeps the pose when it comes and goes, pulls the hand, and follows the pose buttons."""
    character, person = person_with_correctives(38)
    pose = np.random.default_rng(2).normal(0, 0.4, (54, 3))
    put(person, pose)
    assert bpy.ops.munet.toggle_ik() == {"FINISHED"}
    assert len(person.rig.data.bones) == 62
    found = error(character, person, pose)
    assert found < MILLIMETRE, found
    bones = person.rig.pose.bones
    for key in ("REST", "A", "PHOTO"):
        assert bpy.ops.munet.apply_pose(pose=key) == {"FINISHED"}
        bpy.context.view_layer.update()
        expected = common.part("rigging.poses").pose_rotations(person.rig, key)
        local = person.rig.convert_space(
            pose_bone=bones["forearm.L"], matrix=bones["forearm.L"].matrix, from_space="POSE", to_space="LOCAL"
        )
        still = np.array(bones["forearm.L"].bone.matrix_local.to_3x3())
        assert np.abs(still @ np.array(local.to_3x3()) @ still.T - expected["left_elbow"]).max() < 5e-3, key
    control = bones["ik_hand.L"]
    control.location += (bones["upper_arm.L"].head - bones["hand.L"].head).normalized() * 0.1
    wanted = control.matrix_basis.copy()
    bpy.context.view_layer.update()
    assert (bones["hand.L"].head - control.head).length < MILLIMETRE
    assert control.matrix_basis == wanted
    before = common.world_vertices(person.surface)
    assert bpy.ops.munet.toggle_ik() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert len(person.rig.data.bones) == 54
    assert np.abs(common.world_vertices(person.surface) - before).max() < 0.1 * MILLIMETRE


def check_light_version() -> None:
    """Fewer faces near the same surface, on the same rig, with its keys, correctives and a normal map; swapped."""
    arrays, facts = synthetic.random_person(42, rings=12, correctives=True)
    character = common.part("importer.character").read_character(synthetic.in_its_skin(arrays), facts)
    person = common.insert([character])[0]
    common.show_all()
    triangles = 2 * len(person.surface.data.polygons)
    assert not bpy.ops.munet.show_light.poll()
    for share in (0.8, 0.5):
        assert bpy.ops.munet.make_light(faces=int(triangles * share), size="1024") == {"FINISHED"}
        lights = [obj for obj in bpy.data.objects if obj.get("munet_light")]
        assert len(lights) == 1
        light = lights[0]
        assert abs(len(light.data.polygons) - triangles * share) < 0.05 * triangles
    assert max(len(vertex.groups) for vertex in light.data.vertices) <= 4
    assert light.data.uv_layers[0].name == "UVMap"
    image = next(n.image for n in light.active_material.node_tree.nodes if n.name == "Light Version")
    assert image.packed_file is not None
    assert (image.colorspace_settings.name, tuple(image.size)) == ("Non-Color", (1024, 1024))
    person.body.data.shape_keys.key_blocks["Shape001"].value = 2.0
    put(person, np.random.default_rng(4).normal(0, 0.3, (54, 3)))
    full = common.world_vertices(person.surface)
    found = common.world_vertices(light)
    far = np.array([np.linalg.norm(full - point, axis=1).min() for point in found[::7]])
    assert np.median(far) < 0.02, np.median(far)
    assert (person.surface.visible_get(), light.visible_get()) == (False, True)
    assert bpy.ops.munet.show_light() == {"FINISHED"}
    assert (person.surface.visible_get(), light.visible_get()) == (True, False)
    module = common.part("people")
    assert not module.light_version_stale(person.rig)
    person.rig["munet_settings"] = '{"preset": "high"}'
    assert module.light_version_stale(person.rig)
    faces, size = module.light_version_options(person.rig)
    assert (faces, size) == (int(triangles * 0.5), 1024)
    assert bpy.ops.munet.make_light(faces=faces, size=str(size)) == {"FINISHED"}
    assert not module.light_version_stale(person.rig)


def check_floor_and_photo() -> None:
    """Feet on the floor in any pose, a floor that comes and goes, the photo behind, over and off."""
    data = common.part("importer.png").encode_png(np.full((900, 600, 3), 90, dtype=np.uint8))
    person = common.insert(common.people(44), "photo.png", data)[0]
    common.show_all()
    person.rig.pose.bones["thigh.L"].rotation_quaternion = (0.8, 0.5, 0.2, 0.1)
    bpy.context.view_layer.update()
    assert bpy.ops.munet.add_person_asset() == {"FINISHED"}
    home = person.rig.users_collection[0]
    assert (home.asset_data is not None, tuple(home.preview.image_size)) == (True, (256, 256))
    shown = np.array(home.preview.image_pixels_float).reshape(256, 256, 4)
    assert abs(shown[128, 128, :3] - 90 / 255).max() < 0.01
    assert shown[128, 10, 3] == 0.0
    assert bpy.ops.munet.shadow_floor() == {"FINISHED"}
    floor = next(obj for obj in bpy.data.objects if obj.name.endswith("floor"))
    assert floor.is_shadow_catcher
    assert abs(floor.location.z - common.world_vertices(person.surface)[:, 2].min()) < 1e-5
    assert bpy.ops.munet.shadow_floor() == {"FINISHED"}
    assert not any(obj.name.endswith("floor") for obj in bpy.data.objects)
    person.rig.location.z += 0.7
    assert bpy.ops.munet.stand_on_floor() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert abs(common.world_vertices(person.surface)[:, 2].min()) < 1e-5
    camera = person.camera.data
    for mode, shown, depth in (("OVER", True, "FRONT"), ("OFF", False, "FRONT"), ("BEHIND", True, "BACK")):
        assert bpy.ops.munet.photo_overlay(mode=mode) == {"FINISHED"}
        assert (camera.show_background_images, camera.background_images[0].display_depth) == (shown, depth)
    camera.background_images.clear()
    assert not bpy.ops.munet.photo_overlay.poll()


def check_ik_of_straight_limbs() -> None:
    """With straight legs and arms IK moves nothing by a millimetre; lifted, knees bend ahead and elbows back."""
    _, person = person_with_correctives(43, still=True)
    for key in ("PHOTO", "REST", "A"):
        assert bpy.ops.munet.apply_pose(pose=key) == {"FINISHED"}
        bpy.context.view_layer.update()
        before = common.world_vertices(person.surface)
        assert bpy.ops.munet.toggle_ik() == {"FINISHED"}
        bpy.context.view_layer.update()
        moved = np.linalg.norm(common.world_vertices(person.surface) - before, axis=1).max()
        assert moved < MILLIMETRE, (key, moved)
        for side in ("left", "right"):
            for upper, lower, end in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
                bones = {b.bone["munet_smpl_name"]: b for b in person.rig.pose.bones if "munet_smpl_name" in b.bone}
                start, joint, tip = (bones[f"{side}_{name}"] for name in (upper, lower, end))
                control = next(b for b in person.rig.pose.bones if b.bone.get("munet_ik") == f"{side}_{end}")
                matrix, goal = control.matrix.copy(), control.matrix.copy()
                goal.translation += (start.head - tip.head) * 0.3
                control.matrix = goal
                bpy.context.view_layer.update()
                assert (tip.head - control.head).length < MILLIMETRE, (key, side, end)
                line = (tip.head - start.head).normalized()
                bend = (joint.head - start.head) - line * (joint.head - start.head).dot(line)
                hinge = start.matrix.to_3x3().col[0]
                assert bend.length > 0.1
                assert abs(bend.normalized().dot(hinge)) < np.sin(np.radians(10)), (key, side, lower)
                assert bend.dot(start.matrix.to_3x3().col[2]) > 0, (key, side, lower)
                control.matrix = matrix
                bpy.context.view_layer.update()
        assert bpy.ops.munet.toggle_ik() == {"FINISHED"}
