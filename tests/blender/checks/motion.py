"""Motion from files lands on the rig exactly, and nothing else of the scene changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy

import common  # isort: skip - makes the next ones importable
import clips
import numpy as np
import synthetic
from mathutils import Matrix, Vector

FOLDER = Path(sys.argv[1])
MILLIMETRE = 1e-3


def person_in_scene(seed: int = 3) -> tuple[object, object]:
    """Return a fresh character and its objects; the scene runs at 20 frames a second."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.scene.render.fps = 20
    character = common.people(seed)[0]
    return character, common.insert([character])[0]


def expected(character: object, pose: np.ndarray) -> np.ndarray:
    """Return the surface (V, 3) in Blender's axes by the independent skinning."""
    arrays = character.arrays
    posed, _ = synthetic.skin(
        arrays["surface_rest_vertices"].astype(float), arrays["surface_weights"], synthetic.skeleton(), pose
    )
    return posed[:, [0, 2, 1]] * [1, -1, 1]


def whole(pose: np.ndarray) -> np.ndarray:
    """Return SMPL-H axis-angles (52, 3) as those of the 54 bones, palms still."""
    full = np.zeros((54, 3))
    full[:22], full[24:] = pose[:22], pose[22:]
    return full


def check_smpl_poses() -> None:
    """Every frame of y-up, z-up and y-down files against independent skinning; the way and the keys too."""
    poses, way = clips.smooth_poses(5, 12, 52), np.random.default_rng(5).normal(0, 0.3, (12, 3))
    quarter = synthetic.rotation_matrices(np.array([[np.pi / 2, 0.0, 0.0], [np.pi, 0.0, 0.0]]))
    for up, turn in (("Y", np.eye(3)), ("Z", quarter[0]), ("-Y", quarter[1])):
        character, person = person_in_scene()
        start = np.zeros(3)
        stored = poses.copy()
        roots = turn @ synthetic.rotation_matrices(poses[:, 0])
        stored[:, 0] = axis_angles(roots)
        path = FOLDER / f"amass{up}.npz"
        np.savez(path, poses=stored.reshape(12, -1), trans=way @ turn.T, mocap_frame_rate=20.0)
        assert bpy.ops.munet.import_motion(filepath=str(path), floor="FILE", frame_start=5) == {"FINISHED"}
        for frame in (0, 6, 11):
            bpy.context.scene.frame_set(5 + frame)
            found = common.world_vertices(person.surface)
            difference = found - expected(character, whole(poses[frame]))
            assert np.ptp(difference, axis=0).max() < 0.1 * MILLIMETRE, (up, frame, np.ptp(difference, axis=0))
            moved = difference[0] - (way[frame] - way[0] * [1, 0, 1])[[0, 2, 1]] * [1, -1, 1]
            start = moved if frame == 0 else start
            assert np.abs(moved - start).max() < 0.1 * MILLIMETRE, (up, frame, moved)
        check_keys(person.rig.animation_data.action)


def axis_angles(matrices: np.ndarray) -> np.ndarray:
    """Return axis-angles (F, 3) of rotation matrices by mathutils."""
    turns = [Matrix(m.tolist()).to_quaternion() for m in matrices]
    return np.array([np.array(q.axis) * q.angle for q in turns])


def check_keys(action: bpy.types.Action) -> None:
    """Straight lines, and no quaternion jumps to the other sign."""
    curves = common.part("compat").all_curves(action)
    values: dict[str, list[np.ndarray]] = {}
    for curve in curves:
        flat = np.empty(2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get("co", flat)
        assert {point.interpolation for point in curve.keyframe_points} == {"LINEAR"}
        assert curve.group is not None
        values.setdefault(curve.data_path, []).append(np.resize(flat[1::2], 12))
    turns = [np.array(parts) for path, parts in values.items() if path.endswith("rotation_quaternion")]
    assert len(turns) == 54
    assert all((turn[:, 1:] * turn[:, :-1]).sum(axis=0).min() > 0.5 for turn in turns)
    assert sum(path.endswith("location") for path in values) == 1


def check_floor_and_rates() -> None:
    """A slower file fills the scene's frames; feet stand on the floor; fingers a file lacks stay as in the photo."""
    _, person = person_in_scene()
    fingers = person.rig.pose.bones["f_index.02.L"].rotation_quaternion.copy()
    poses = np.zeros((5, 22, 3))
    poses[:, 16, 2] = np.linspace(0, -1.2, 5)
    (FOLDER / "still.json").write_text(
        json.dumps({"fps": 10, "global_orient": poses[:, 0].tolist(), "body_pose": poses[:, 1:].tolist()})
    )
    assert bpy.ops.munet.import_motion(filepath=str(FOLDER / "still.json")) == {"FINISHED"}
    assert person.rig.animation_data.action.frame_range[:] == (1.0, 9.0)
    bpy.context.scene.frame_set(4)
    assert abs(common.world_vertices(person.surface)[:, 2].min()) < 0.02
    bones = person.rig.pose.bones
    assert (bones["f_index.02.L"].rotation_quaternion - fingers).magnitude < 1e-5
    assert abs(bones["upper_arm.L"].rotation_quaternion.angle - 1.2 * 3 / 8) < 1e-5
    assert bpy.ops.munet.import_motion(filepath=str(FOLDER / "still.json"), sampling="FILE") == {"FINISHED"}
    assert len([a for a in bpy.data.actions if a.name.startswith("still")]) == 2


def person_in_motion(count: int) -> tuple[object, object]:
    """Insert a person with a motion of ``count`` frames at 10 a second; returns character and person."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    arrays, facts = synthetic.random_person(5)
    random = np.random.default_rng(2)
    poses = arrays["pose"][None] + np.cumsum(random.normal(0, 0.1, (count, 24, 3)), axis=0)
    poses[2] = arrays["pose"]
    way = arrays["translation"] + np.cumsum(random.normal(0, 0.05, (count, 3)), axis=0)
    arrays |= {
        "pose_sequence": poses.astype(np.float32),
        "translation_sequence": way.astype(np.float32),
        "frame_sequence": np.arange(0, 2 * count, 2, dtype=np.int32),
    }
    character = common.part("importer.character").read_character(arrays, {**facts, "fps": 10.0, "still": 2})
    return character, common.insert([character], name="clip")[0]


def check_sequence() -> None:
    """In every frame of a clip the person stands before the camera as the backend says; the scene follows the clip."""
    sequence, count = common.part("sequence"), 6
    character, person = person_in_motion(count)
    assert sequence.has_motion(character)
    photo = FOLDER / "frame_0007.png"
    photo.write_bytes((common.ROOT / "examples" / "astronaut.png").read_bytes())
    files = (photo, FOLDER / "frame_0008.png")
    sequence.insert_motion(bpy.context, person, character, "clip", sequence.ClipPlace(files, start=11))
    scene, arrays = bpy.context.scene, character.arrays
    assert scene.render.fps / scene.render.fps_base == 20.0
    assert (scene.frame_start, scene.frame_end) == (11, 21)
    assert scene.camera == person.camera
    background = person.camera.data.background_images[0]
    assert (background.image.source, background.image_user.frame_offset) == ("SEQUENCE", 6)
    bpy.context.view_layer.update()
    view = np.linalg.inv(np.array(person.camera.matrix_world))
    for frame in range(count):
        scene.frame_set(11 + 2 * frame)
        found = common.world_vertices(person.surface) @ view[:3, :3].T + view[:3, 3]
        pose = arrays["bone_rotations"].astype(float)
        pose[:24] = arrays["pose_sequence"][frame]
        rest = arrays["surface_rest_vertices"].astype(float)
        posed, _ = synthetic.skin(rest, arrays["surface_weights"], synthetic.skeleton(), pose)
        wanted = posed + arrays["translation_sequence"][frame] * [1, -1, -1]
        assert np.abs(found - wanted).max() < 0.3 * MILLIMETRE, (frame, np.abs(found - wanted).max())
    check_keys_of_clip(person)


def check_keys_of_clip(person: object) -> None:
    """Most of the time the lowest point is on the floor; the photo's pose fits the moved camera."""
    lowest = []
    for frame in range(11, 22):
        bpy.context.scene.frame_set(frame)
        lowest.append(common.world_vertices(person.surface)[:, 2].min())
    assert abs(np.percentile(lowest, 30)) < 0.03, lowest
    assert person.rig.animation_data.action.name == "clip"
    assert np.allclose(person.rig["munet_root_head"][2], person.rig.pose.bones[0].head.z, atol=1.0)


def check_bvh() -> None:
    """Limbs point where the file's point, though its rest pose differs; known way; unknown names are explained."""
    _, person = person_in_scene()
    rng = np.random.default_rng(1)
    angles, way = rng.uniform(-40, 40, (3, len(clips.CMU), 3)), rng.normal(0, 20, (3, 3)) + np.array([0, 90, 0])
    path = FOLDER / "clip.bvh"
    path.write_text(clips.bvh(angles, way))
    assert bpy.ops.munet.import_motion(filepath=str(path)) == {"FINISHED"}
    limbs = {
        "thigh.L": ("LeftUpLeg", "LeftLeg"),
        "shin.R": ("RightLeg", "RightFoot"),
        "upper_arm.L": ("LeftArm", "LeftForeArm"),
        "forearm.R": ("RightForeArm", "RightHand"),
    }
    for frame in range(3):
        bpy.context.scene.frame_set(1 + frame)
        points = clips.bvh_points(angles[frame])
        for bone, (start, end) in limbs.items():
            x, y, z = points[end] - points[start]
            pose_bone = person.rig.pose.bones[bone]
            cosine = (pose_bone.tail - pose_bone.head).normalized().dot(Vector((x, -z, y)).normalized())
            assert cosine > 0.9999, (frame, bone, cosine)
    strange = FOLDER / "strange.bvh"
    strange.write_text(clips.bvh(angles, way, names={"LeftForeArm": "Elbow_l", "Head": "Skull"}))
    refuse(strange, "LeftForeArm", "Head", "CMU")
    mixamo = {"LowerBack": "mixamorig:Spine", "Spine": "mixamorig:Spine1", "Spine1": "mixamorig:Spine2"}
    names = {name: f"mixamorig:{name}" for name in clips.CMU} | mixamo
    (FOLDER / "mixamo.bvh").write_text(clips.bvh(angles, way, names=names))
    assert bpy.ops.munet.import_motion(filepath=str(FOLDER / "mixamo.bvh")) == {"FINISHED"}


def refuse(path: Path, *words: str) -> None:
    """The operator must refuse ``path``, say why, and leave the scene as it is."""
    actions = len(bpy.data.actions)
    said = "accepted"
    try:
        bpy.ops.munet.import_motion(filepath=str(path))
    except RuntimeError as error:
        said = str(error)
    assert all(word in said for word in words), said
    assert len(bpy.data.actions) == actions


def check_refusals() -> None:
    """Whatever is no motion is refused with the reason."""
    person_in_scene()
    np.savez(FOLDER / "pickle.npz", poses=np.array([{}], dtype=object))
    refuse(FOLDER / "pickle.npz", "pickle")
    np.savez(FOLDER / "other.npz", betas=np.zeros(10))
    refuse(FOLDER / "other.npz", "poses", "betas")
    np.savez(FOLDER / "rate.npz", poses=np.zeros((4, 72)), trans=np.zeros((4, 3)))
    refuse(FOLDER / "rate.npz", "mocap_framerate")
    np.savez(FOLDER / "joints.npz", poses=np.zeros((4, 30)), fps=30)
    refuse(FOLDER / "joints.npz", "found 10")
    np.savez(FOLDER / "way.npz", poses=np.zeros((4, 72)), trans=np.zeros((3, 3)), fps=30)
    refuse(FOLDER / "way.npz", "(4, 3)")
    (FOLDER / "text.bvh").write_text("HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\n}\nMOTION\nFrames: 3\n")
    refuse(FOLDER / "text.bvh", "BVH")
    (FOLDER / "text.json").write_text("[1, 2")
    refuse(FOLDER / "text.json", "text.json")
    refuse(FOLDER / "missing.npz", "missing.npz")


def check_scene_is_kept() -> None:
    """Frame, range, rate, selection, mode and the artist's own action stay."""
    _, person = person_in_scene()
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 3, 77
    scene.frame_set(9)
    person.rig.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=1)
    mine = person.rig.animation_data.action.name
    bpy.context.view_layer.objects.active = person.surface
    person.surface.select_set(True)
    before = (scene.frame_current, scene.frame_start, scene.frame_end, scene.render.fps, bpy.context.object.name)
    np.savez(FOLDER / "plain.npz", poses=np.zeros((4, 72)), fps=30)
    assert bpy.ops.munet.import_motion(filepath=str(FOLDER / "plain.npz")) == {"FINISHED"}
    after = (scene.frame_current, scene.frame_start, scene.frame_end, scene.render.fps, bpy.context.object.name)
    assert before == after, (before, after)
    assert {obj.name for obj in bpy.context.selected_objects} == {person.rig.name, person.surface.name}
    assert bpy.data.actions[mine].use_fake_user
    bpy.context.view_layer.objects.active = person.rig
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.munet.import_motion(filepath=str(FOLDER / "plain.npz")) == {"FINISHED"}
    assert bpy.context.mode == "POSE"


def check() -> None:
    """Run all of it."""
    for one in (
        check_smpl_poses,
        check_floor_and_rates,
        check_sequence,
        check_bvh,
        check_refusals,
        check_scene_is_kept,
    ):
        one()
        common.say(f"ok {one.__name__}")


common.run(check)
