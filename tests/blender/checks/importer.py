"""The importer puts Blender's vertices on the backend's, and everything else where an artist looks for it."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import bpy
import common
import numpy as np
import synthetic
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from stepping import check_steps

MILLIMETRE = 1e-3


def targets(characters: list[Any], index: int, name: str) -> np.ndarray:
    """Return where ``name`` of a person must lie in Blender: level with the ground, feet of all people on the floor.

    Up is turned by mathutils, not by the product's own formula.
    """
    up = Vector(characters[0].arrays["up_cam"])
    level = np.array(Vector((up.x, up.z, -up.y)).rotation_difference(Vector((0, 0, 1))).to_matrix())

    def turn(points: np.ndarray) -> np.ndarray:
        return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1) @ level.T

    keys = ("body_vertices", "surface_vertices")
    lowest = min(turn(c.arrays[key])[:, 2].min() for c in characters for key in keys)
    hips = turn(characters[0].arrays["joints"])[0]
    return turn(characters[index].arrays[name]) - np.array([hips[0], hips[1], lowest])


def check_accuracy() -> None:
    """Evaluated vertices of both meshes against independent NumPy skinning, random people, poses and correctives."""
    for seed in range(4):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        characters = common.people(seed, correctives=seed % 2 == 1)
        person = common.insert(characters)[0]
        common.show_all()
        for obj, name in ((person.body, "body_vertices"), (person.surface, "surface_vertices")):
            error = np.abs(common.world_vertices(obj) - targets(characters, 0, name)).max()
            assert error < 0.1 * MILLIMETRE, (seed, name, error)
    common.say(f"accuracy {error:.2e} m")


def check_two_people() -> None:
    """People of one photo keep their places towards each other and stand on one floor."""
    characters = common.people(11, 12)
    people = common.insert(characters)
    common.show_all()
    heights = []
    for index, person in enumerate(people):
        vertices = common.world_vertices(person.surface)
        assert np.abs(vertices - targets(characters, index, "surface_vertices")).max() < 0.1 * MILLIMETRE
        heights += [vertices[:, 2].min(), common.world_vertices(person.body)[:, 2].min()]
    assert abs(min(heights)) < 0.1 * MILLIMETRE
    assert people[0].rig.location.xy.length < 1e-6
    names = [c.name for c in people[0].rig.users_collection + people[1].rig.users_collection]
    assert len(set(names)) == 2, names
    later = common.insert(common.people(13))[0]
    assert later.rig.location.x >= max(person.rig.location.x for person in people) + 1.0


def check_rig() -> None:
    """Bones: names, sides, tree, lengths, mirror symmetry; hips above the origin; T-pose on the floor."""
    character = common.people(3)[0]
    person = common.insert([character])[0]
    bones = person.rig.data.bones
    assert len(bones) == 54
    assert bones["thigh.L"]["munet_smpl_name"] == "left_hip"
    assert bones["shin.L"].parent.name == "thigh.L"
    assert bones["shin.L"].use_connect
    assert bones["f_index.01.R"].parent.name == "palm.R"
    assert bones["thigh.L"].head_local.x > 0 > bones["thigh.R"].head_local.x
    skeleton = synthetic.skeleton()
    for name, head, tail in zip(skeleton.names, skeleton.heads, skeleton.tails, strict=True):
        bone = next(b for b in bones if b["munet_smpl_name"] == name)
        assert abs(bone.length - np.linalg.norm(tail - head)) < MILLIMETRE, name
    for left in (b for b in bones if b.name.endswith(".L")):
        right = bones[left.name[:-1] + "R"]
        mirrored = np.array(right.matrix_local)[:3, 1:3] * np.array([[-1], [1], [1]])
        assert np.allclose(np.array(left.matrix_local)[:3, 1:3], mirrored, atol=1e-4), left.name
    assert all(bone.name in person.surface.vertex_groups for bone in bones)
    assert {c.name for c in person.rig.data.collections} == {"Body", "Fingers"}
    bpy.context.view_layer.objects.active = person.surface
    assert bpy.ops.munet.apply_pose(pose="REST") == {"FINISHED"}
    common.show_all()
    rest = common.world_vertices(person.body)
    assert abs(rest[:, 2].min()) < MILLIMETRE
    assert person.body.data.shape_keys.key_blocks["PhotoPose"].value == 0.0
    assert bpy.ops.munet.apply_pose(pose="PHOTO") == {"FINISHED"}
    assert np.abs(common.world_vertices(person.body) - targets([character], 0, "body_vertices")).max() < MILLIMETRE


def check_identity() -> None:
    """After a change of the shape keys the fitted rig deforms the body as if it had been made with it."""
    character = common.people(14)[0]
    person = common.insert([character])[0]
    shape = np.zeros(10)
    shape[[0, 4]] = 2.0, -1.5
    keys = person.body.data.shape_keys.key_blocks
    keys["Shape000"].value, keys["Shape004"].value = shape[0], shape[4]
    for _ in range(2):
        assert bpy.ops.munet.fit_rig_to_shape() == {"FINISHED"}
    arrays, bones = character.arrays, synthetic.skeleton()
    rest = arrays["body_rest_vertices"] + arrays["body_corrective"] + arrays["body_shape_dirs"].astype(float) @ shape
    bones = dataclasses.replace(bones, heads=bones.heads + arrays["joint_shape_dirs"].astype(float) @ shape)
    posed, _ = synthetic.skin(rest, arrays["body_weights"], bones, arrays["bone_rotations"].astype(float))
    changed = {**arrays, "body_vertices": posed * [1, -1, -1] + arrays["translation"]}
    expected = targets([dataclasses.replace(character, arrays=changed)], 0, "body_vertices")
    common.show_all()
    difference = common.world_vertices(person.body) - expected
    assert np.abs(difference - difference[0]).max() < 0.1 * MILLIMETRE, np.abs(difference - difference[0]).max()
    assert np.abs(difference[0]).max() < 0.1


def check_meshes() -> None:
    """Quads, UVs, weights, keys, material, modifier, hidden body."""
    character = common.people(5)[0]
    person = common.insert([character])[0]
    mesh = person.body.data
    assert len(mesh.polygons) == len(character.body.quads)
    assert all(len(polygon.vertices) == 4 for polygon in mesh.polygons[:50])
    assert all(polygon.use_smooth for polygon in mesh.polygons[:50])
    corner = mesh.polygons[7].loop_start
    vertex = mesh.loops[corner].vertex_index
    triangle = character.body.faces[14].tolist()
    assert np.allclose(mesh.uv_layers[0].data[corner].uv, character.body.uv[14, triangle.index(vertex)], atol=1e-6)
    for vertex in (0, 100, 2000):
        expected = {i: w for i, w in enumerate(character.body.weights[vertex].tolist()) if w > 0}
        found = {group.group: group.weight for group in mesh.vertices[vertex].groups}
        assert found.keys() == expected.keys()
        assert len(found) <= 4
        assert all(abs(found[i] - expected[i]) < 1e-5 for i in found)
    keys = mesh.shape_keys.key_blocks
    assert [key.name for key in keys] == ["Basis", *(f"Shape{i:03d}" for i in range(10)), "PhotoPose"]
    assert (keys["Shape003"].slider_min, keys["Shape003"].slider_max) == (-5.0, 5.0)
    moved = np.array(keys["Shape003"].data[42].co) - np.array(keys["Basis"].data[42].co)
    direction = character.arrays["body_shape_dirs"][42, :, 3].astype(float)
    assert np.allclose(moved, [direction[0], -direction[2], direction[1]], atol=1e-6)
    image = next(n.image for n in person.surface.data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE")
    assert tuple(image.size) == (256, 256)
    assert image.packed_file is not None
    assert image.colorspace_settings.name == "sRGB"
    pixels = np.empty(256 * 256 * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    picture = (pixels.reshape(256, 256, 4)[::-1, :, :3] * 255).round().astype(np.uint8)
    assert np.array_equal(picture, character.arrays["texture"])
    assert person.body.parent is person.rig
    assert person.surface.modifiers[0].object is person.rig
    assert not person.body.visible_get()
    assert person.surface.visible_get()


def check_camera() -> None:
    """Joints seen through Blender's camera land on their pixels of the photo."""
    for seed in (7, 8):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        character = common.people(seed)[0]
        person = common.insert([character])[0]
        common.part("importer.camera").look_through(bpy.context.scene, person.camera)
        bpy.context.view_layer.update()
        width, height = character.image_size
        pixels = character.arrays["joints"] @ character.arrays["camera_matrix"].T
        pixels = pixels[:, :2] / pixels[:, 2:]
        for joint, (x, y) in zip(targets([character], 0, "joints"), pixels, strict=True):
            seen = world_to_camera_view(bpy.context.scene, person.camera, Vector(joint))
            assert abs(seen.x * width - x) < 0.5, (seed, seen.x * width, x)
            assert abs((1 - seen.y) * height - y) < 0.5, (seed, (1 - seen.y) * height, y)


def check_turned_photo() -> None:
    """A photo with an EXIF rotation stands upright behind the person: its red half is above."""
    turned_photo()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    camera = common.part("importer.camera")
    usual = camera.blender_program, camera.upright_png
    camera.blender_program, camera.upright_png, camera.LARGE = lambda: [sys.executable], None, 1
    try:
        turned_photo()
    finally:
        camera.blender_program, camera.upright_png = usual
    asset, data = common.part("rigging.asset"), Path(sys.argv[1]).read_bytes()
    small = common.part("steps").run_through(asset.squaring_elsewhere(data, [sys.executable]))
    image, fresh = (common.part("importer.material").pack_image("photo", data) for _ in range(2))
    pixels = image.size[0] * image.size[1]
    for limit, large in ((pixels, False), (pixels - 1, True)):
        asset.LARGE = limit
        assert asset._is_large(image, b"") == asset._is_large(fresh, data) == large
    assert asset._is_large(fresh, b"another format") != fresh.has_data
    assert np.abs(small - asset.squared(image)).max() < 1e-3


def turned_photo() -> None:
    """Insert a person with the photo, which is turned."""
    data = Path(sys.argv[1]).read_bytes()
    person = common.insert(common.people(9), "turned.jpg", data)[0]
    image = person.camera.data.background_images[0].image
    assert tuple(image.size) == synthetic.IMAGE_SIZE, tuple(image.size)
    pixels = np.empty(4 * image.size[0] * image.size[1], dtype=np.float32)
    image.pixels.foreach_get(pixels)
    rows = pixels.reshape(image.size[1], image.size[0], 4).mean(axis=1)
    assert rows[-50, 0] > 0.8
    assert rows[50, 0] < 0.2


def check_provenance() -> None:
    """Custom properties tell where a result came from."""
    character = common.people(9)[0]
    person = common.insert([character], data=b"not an image")[0]
    for obj in (person.rig, person.body, person.surface):
        assert obj["munet_schema"] == 1
        assert obj["munet_version"] == "1.2.3"
        assert obj["munet_body_model"] == "synthetic 0"
        assert np.allclose(list(obj["munet_betas"]), character.arrays["betas"])
        assert len(obj["munet_photo_sha256"]) == 64
        assert json.loads(obj["munet_settings"]) == {"preset": "draft"}
    assert person.rig["munet_warnings"] == "a warning"
    assert person.camera.data.background_images[0].image.packed_file is not None


def check_failure_leaves_nothing() -> None:
    """A result that can not be imported takes everything back and touches nothing of the user's."""
    mine = bpy.data.objects.new("mine", bpy.data.meshes.new("mine"))
    bpy.context.scene.collection.objects.link(mine)
    mine.location = (1, 2, 3)
    kinds = ("objects", "meshes", "armatures", "images", "collections")
    before = {kind: len(getattr(bpy.data, kind)) for kind in kinds}
    characters = common.people(1, 2)
    broken = characters[1].arrays
    broken["texture"] = None
    try:
        common.insert(characters)
    except AttributeError:
        pass
    else:
        raise AssertionError("a broken result was imported")
    after = {kind: len(getattr(bpy.data, kind)) for kind in before}
    assert after == before, (before, after)
    assert tuple(bpy.data.objects["mine"].location) == (1, 2, 3)


def check_undo() -> None:
    """One undo takes back one result."""
    bpy.ops.ed.undo_push(message="before")
    before = len(bpy.data.objects)
    common.insert(common.people(4))
    bpy.ops.ed.undo_push(message="result")
    assert len(bpy.data.objects) == before + 4
    bpy.ops.ed.undo()
    assert len(bpy.data.objects) == before, [o.name for o in bpy.data.objects]
    bpy.ops.ed.redo()
    assert len(bpy.data.objects) == before + 4


def check_files_and_words_of_a_result() -> None:
    """Pictures that come as files are packed as they are; warnings are said in the language of Blender."""
    arrays, facts = synthetic.random_person(8)
    encode, folds = common.part("importer.png").encode_png, arrays["texture"][:64, :64].copy()
    texture, normals = (np.frombuffer(encode(pixels), np.uint8) for pixels in (arrays.pop("texture"), folds))
    arrays |= {"texture_png": texture, "normal_map_png": normals}
    told = {
        "warnings": ["The legs lie outside.", "No code."],
        "warning_codes": ['{"code": "PART_OUTSIDE", "part": "legs"}', ""],
    }
    person = common.insert([common.part("importer.character").read_character(arrays, facts | told)])[0]
    packed = [n.image.packed_file for n in person.surface.data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE"]
    assert {file.data for file in packed} == {texture.tobytes(), normals.tobytes()}
    texts, codes = (person.rig[f"munet_{name}"].split("\n") for name in ("warnings", "warning_codes"))
    language = common.part("language")
    assert language.warning_texts(texts, codes) == language.warning_texts(texts, ()) == told["warnings"]
    with mock.patch.object(language, "_locale", return_value="zh_HANS"):
        assert "双腿" in language.warning_texts(texts, codes)[0]
        assert language.warning_texts(texts, codes)[1] == "No code."


def check_speed() -> None:
    """A full-size person is in the scene within two seconds of one processor."""
    character = common.people(6, rings=21, texture=2048)[0]
    began = time.process_time()
    common.insert([character])
    seconds = time.process_time() - began
    common.say(f"import of {len(character.body.vertices_cam)} + {len(character.surface.vertices_cam)}: {seconds:.2f} s")
    assert seconds < 2.0


def check() -> None:
    """Run all of it, each in an empty scene."""
    for one in (
        check_accuracy,
        check_two_people,
        check_rig,
        check_identity,
        check_meshes,
        check_camera,
        check_turned_photo,
        check_provenance,
        check_failure_leaves_nothing,
        check_undo,
        check_steps,
        check_files_and_words_of_a_result,
        check_speed,
    ):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        one()
        common.say(f"ok {one.__name__}")


if __name__ == "__main__":
    common.run(check)
