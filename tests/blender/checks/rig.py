"""The rig in use: correctives in any pose, poses, names, clothes that follow the identity."""

from __future__ import annotations

import time
from typing import Any

import bpy  # isort: skip - makes the next one importable
import bmesh
import common
import numpy as np
import synthetic
from older import check_older_person
from posing import error, person_with_correctives, put, random_pose
from rig_controls import (
    check_a_pose,
    check_fingers_and_toes,
    check_floor_and_photo,
    check_ik,
    check_ik_of_straight_limbs,
    check_light_version,
)
from taken_apart import check_a_control_rig_selected, check_taken_apart

MILLIMETRE = 1e-3


def check_correctives() -> None:
    """In any pose the body equals NumPy's skinning with correctives; off, baked and on again do what they say."""
    character, person = person_with_correctives(31)
    assert [key.name for key in person.body.data.shape_keys.key_blocks][-1] == "Shape009"
    drivers = person.body.animation_data.drivers
    assert len(drivers) == 24
    assert all(curve.driver.type == "AVERAGE" for curve in drivers)
    for seed in range(3):
        put(person, random_pose(seed))
        assert error(character, person, random_pose(seed)) < 0.1 * MILLIMETRE
    assert bpy.ops.munet.pose_correctives(mode="OFF") == {"FINISHED"}
    assert error(character, person, random_pose(2)) > 5 * MILLIMETRE
    assert bpy.ops.munet.pose_correctives(mode="BAKE") == {"FINISHED"}
    assert len(drivers) == 0
    keys = person.body.data.shape_keys.key_blocks
    assert sum(key.name.startswith("Pose") for key in keys) == 54
    assert error(character, person, random_pose(2)) < 0.1 * MILLIMETRE
    assert bpy.ops.munet.pose_correctives(mode="ON") == {"FINISHED"}
    put(person, random_pose(7))
    assert error(character, person, random_pose(7)) < 0.1 * MILLIMETRE


def check_baked_animation() -> None:
    """Correctives baked to keyframes follow the animation without drivers."""
    character, person = person_with_correctives(32)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 3
    for frame in range(1, 4):
        put(person, random_pose(frame))
        for bone in person.rig.pose.bones:
            bone.keyframe_insert("rotation_quaternion", frame=frame)
    assert bpy.ops.munet.pose_correctives(mode="BAKE") == {"FINISHED"}
    assert len(person.body.animation_data.drivers) == 0
    assert person.body.data.shape_keys.animation_data.action is not None
    for frame in (3, 1, 2):
        scene.frame_set(frame)
        assert error(character, person, random_pose(frame)) < 0.1 * MILLIMETRE, frame


def check_correctives_after_fitting() -> None:
    """A rig fitted to another identity has other axes; the correctives are turned with them."""
    character, person = person_with_correctives(33)
    shape = np.zeros(10)
    shape[[1, 5]] = 2.5, -2.0
    keys = person.body.data.shape_keys.key_blocks
    keys["Shape001"].value, keys["Shape005"].value = shape[1], shape[5]
    assert bpy.ops.munet.fit_rig_to_shape() == {"FINISHED"}
    put(person, random_pose(5))
    found = error(character, person, random_pose(5), shape)
    assert found < 0.1 * MILLIMETRE, found


def check_corrected_clothes() -> None:
    """Clothes that lie on the skin bend as the body does, in any pose, after fitting and under other bone names."""
    arrays, facts = synthetic.random_person(41, correctives=True)
    character = common.part("importer.character").read_character(synthetic.in_its_skin(arrays), facts)
    person = common.insert([character])[0]
    common.show_all()
    for seed in (1, 2):
        put(person, random_pose(seed))
        assert error(character, person, random_pose(seed), mesh=person.surface) < 0.1 * MILLIMETRE
        assert bpy.ops.munet.rename_bones(scheme="UNREAL") == {"FINISHED"}
    keys, shape = person.body.data.shape_keys.key_blocks, np.zeros(10)
    keys["Shape002"].value = shape[2] = 2.0
    assert bpy.ops.munet.fit_rig_to_shape() == {"FINISHED"}
    put(person, random_pose(3))
    assert error(character, person, random_pose(3), shape, person.surface) < 0.1 * MILLIMETRE
    assert bpy.ops.munet.pose_correctives(mode="OFF") == {"FINISHED"}
    assert error(character, person, random_pose(3), shape, person.surface) > 5 * MILLIMETRE
    assert bpy.ops.munet.apply_pose(pose="PHOTO") == {"FINISHED"}
    assert bpy.ops.munet.pose_correctives(mode="ON") == {"FINISHED"}


def check_names() -> None:
    """Every scheme and back: groups, drivers, poses and pose assets go on working."""
    character, person = person_with_correctives(34)
    put(person, random_pose(1))
    before = [bone.name for bone in person.rig.data.bones]
    assert bpy.ops.munet.add_pose_assets() == {"FINISHED"}
    schemes = {"MIXAMO": "mixamorig:LeftUpLeg", "UNREAL": "thigh_l", "HUMANOID": "leftUpperLeg", "SMPL": "left_hip"}
    for scheme, thigh in {**schemes, "BLENDER": "thigh.L"}.items():
        assert bpy.ops.munet.rename_bones(scheme=scheme) == {"FINISHED"}
        names = {bone.name for bone in person.rig.data.bones}
        assert len(names) == 54
        assert thigh in names, (scheme, names)
        for mesh in (person.body, person.surface):
            assert {group.name for group in mesh.vertex_groups} >= names, scheme
        put(person, random_pose(3))
        assert error(character, person, random_pose(3)) < 0.1 * MILLIMETRE, scheme
        check_assets_fit(person)
    assert [bone.name for bone in person.rig.data.bones] == before


def check_assets_fit(person: Any) -> None:
    """The pose assets put the rig into the poses that the buttons give."""
    for key, label in (("PHOTO", "As in Photo"), ("REST", "T-Pose"), ("A", "A-Pose")):
        assert bpy.ops.munet.apply_pose(pose=key) == {"FINISHED"}
        bpy.context.view_layer.update()
        expected = common.world_vertices(person.surface)
        put(person, random_pose(9))
        action = next(a for a in bpy.data.actions if a.name.endswith(label))
        assert action.asset_data is not None
        person.rig.pose.apply_pose_from_action(action)
        bpy.context.view_layer.update()
        assert np.abs(common.world_vertices(person.surface) - expected).max() < 0.01 * MILLIMETRE, label


def check_clothes_follow() -> None:
    """One set of sliders changes body and clothes, and the fitted rig poses both."""
    character, person = person_with_correctives(36)
    still, shape = common.world_vertices(person.surface), np.zeros(10)
    shape[[0, 3]] = 1.5, -2.0
    keys = person.body.data.shape_keys.key_blocks
    keys["Shape000"].value, keys["Shape003"].value = shape[0], shape[3]
    bpy.context.view_layer.update()
    assert np.linalg.norm(common.world_vertices(person.surface) - still, axis=1).mean() > MILLIMETRE
    bpy.context.view_layer.objects.active = person.surface
    assert bpy.ops.munet.fit_rig_to_shape() == {"FINISHED"}
    assert bpy.ops.munet.apply_pose(pose="REST") == {"FINISHED"}
    bpy.context.view_layer.update()
    arrays = character.arrays
    directions, sure = near_body_dirs(arrays)
    moved = arrays["surface_rest_vertices"] + directions @ shape
    expected = (moved - arrays["bone_heads"][0] - arrays["joint_shape_dirs"][0].astype(float) @ shape)[:, [0, 2, 1]]
    hips = np.array(person.rig.matrix_world @ person.rig.pose.bones["hips"].head)
    difference = common.world_vertices(person.surface) - hips - expected * [1, -1, 1]
    assert sure.mean() > 0.5
    assert np.abs(difference[sure]).max() < 0.1 * MILLIMETRE


def near_body_dirs(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the identity's directions (S, 3, 10) of the four body vertices next to each of the clothes'.

    And for which (S,) there is no fifth that is as near as the fourth.
    """
    gaps = arrays["surface_vertices"][:, None] - arrays["body_vertices"][None]
    distance = np.linalg.norm(gaps, axis=2)
    order = np.argsort(distance, axis=1)[:, :5]
    near = np.take_along_axis(distance, order, axis=1)
    share = 1 / (near[:, :4] + 1e-4) ** 2
    share /= share.sum(axis=1, keepdims=True)
    directions = np.einsum("sk,skab->sab", share, arrays["body_shape_dirs"].astype(float)[order[:, :4]])
    return directions, near[:, 4] - near[:, 3] > 1e-5


def sphere(divisions: int, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (V, 3) and triangles (F, 3) of an icosphere."""
    work = bmesh.new()
    bmesh.ops.create_icosphere(work, subdivisions=divisions, radius=radius)
    vertices = np.array([vertex.co for vertex in work.verts])
    faces = np.array([[vertex.index for vertex in face.verts] for face in work.faces])
    work.free()
    return vertices, faces


def check_dense_clothes() -> None:
    """What walks over the body to the vertices next to a dense surface finds what comparing all with all finds."""
    (body, faces), (points, skin_faces) = sphere(3, 1.0), sphere(5, 1.05)
    body, points = body * [1.0, 0.5, 2.0], points * [1.0, 0.5, 2.0]
    near = common.part("rigging.near").near_vertices(points, skin_faces, body, faces)
    distance = np.linalg.norm(points[:, None] - body[None], axis=2)
    chosen = np.take_along_axis(distance, near.index, axis=1)
    assert (chosen[:, 0] < distance.min(axis=1) + 1e-9).mean() > 0.99
    assert np.abs(near.share.sum(axis=1) - 1).max() < 1e-9
    assert np.linalg.norm(near.blend(body) - points, axis=1).mean() < 0.2
    gathered = near.gather(body[near.index[:, 0]], len(body))
    assert np.nanmax(np.abs(gathered - body)) < 1e-9


def check_same_topology_and_mask() -> None:
    """Clothes with the body's topology take its directions; what they cover, and no head or hand, can be hidden."""
    arrays, facts = synthetic.random_person(37, rings=6, still=True)
    for name in ("faces", "quads", "uv", "weights"):
        arrays[f"surface_{name}"] = arrays[f"body_{name}"]
    bones = arrays["body_weights"].argmax(axis=1)
    names = [str(name) for name in arrays["bone_names"]]
    axis = arrays["bone_heads"] + (arrays["bone_tails"] - arrays["bone_heads"]) / 2
    spread = np.isin(bones, [names.index("left_knee"), names.index("head")])[:, None] * 0.5
    for name, centre in (("rest_vertices", axis), ("vertices", axis * [1, -1, -1] + arrays["translation"])):
        arrays[f"surface_{name}"] = (arrays[f"body_{name}"] + spread * (arrays[f"body_{name}"] - centre[bones])).astype(
            "f4"
        )
    character = common.part("importer.character").read_character(arrays, facts)
    assert np.allclose(common.part("rigging.wardrobe").surface_shape_dirs(character, None), arrays["body_shape_dirs"])
    person = common.insert([character])[0]
    common.show_all()
    covered = np.array([point.value for point in person.body.data.attributes["covered_skin"].data])
    assert covered[bones == names.index("left_knee")].mean() > 0.5
    assert not covered[
        np.isin(bones, [names.index("head"), names.index("right_wrist"), names.index("right_knee")])
    ].any()
    assert bpy.ops.munet.hide_covered_skin() == {"FINISHED"}
    assert len(common.world_vertices(person.body)) == (~covered).sum()
    assert bpy.ops.munet.hide_covered_skin() == {"FINISHED"}
    assert len(common.world_vertices(person.body)) == len(covered)
    assert len(person.body.vertex_groups) == 54


def check_bad_correctives() -> None:
    """Half a list of correctives and bones that do not exist are refused."""
    read = common.part("importer.character").read_character
    error_type = common.part("errors").AddonError
    for spoil in (lambda a: a.pop("pose_dirs"), lambda a: a.update(pose_dirs_bones=a["pose_dirs_bones"] + 60)):
        arrays, facts = synthetic.random_person(1, correctives=True)
        spoil(arrays)
        reason = ""
        try:
            read(arrays, facts)
        except error_type as failure:
            reason = str(failure)
        assert "pose_dirs" in reason, reason


def check_speed() -> None:
    """Correctives of a full-size body cost little at import and at each frame."""
    character = common.people(6, rings=21, texture=2048, correctives=True)[0]
    began = time.perf_counter()
    person = common.insert([character])[0]
    common.say(f"import with correctives {time.perf_counter() - began:.2f} s")
    common.show_all()
    bpy.context.view_layer.update()
    began = time.perf_counter()
    for step in range(10):
        person.rig.pose.bones["shin.L"].rotation_quaternion.x = step / 10
        bpy.context.view_layer.update()
    common.say(f"a frame {(time.perf_counter() - began) * 100:.1f} ms")


def check() -> None:
    """Run all of it, each in an empty scene."""
    for one in (
        check_correctives,
        check_baked_animation,
        check_correctives_after_fitting,
        check_corrected_clothes,
        check_names,
        check_fingers_and_toes,
        check_a_pose,
        check_ik,
        check_clothes_follow,
        check_dense_clothes,
        check_same_topology_and_mask,
        check_light_version,
        check_older_person,
        check_ik_of_straight_limbs,
        check_floor_and_photo,
        check_bad_correctives,
        check_taken_apart,
        check_a_control_rig_selected,
        check_speed,
    ):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        began = time.perf_counter()
        one()
        common.say(f"ok {one.__name__} {time.perf_counter() - began:.1f} s")


common.run(check)
