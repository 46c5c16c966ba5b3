"""The Python interface and, unless --brief, the sample scripts that use it."""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy
import common
import numpy as np

PNG = b"\x89PNG and so on"
SCRIPTS = common.ROOT / "examples" / "scripts"


def use_backend(*arguments: str) -> None:
    """Let the interface use the fake backend."""
    place = common.fake_backend(*arguments)
    common.part("api.work").backend_place = lambda _context: place


def photos(folder: Path, *names: str) -> list[Path]:
    """Write files that claim to be photos."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
    return [folder / name for name in names]


def code_of(function: Any, *arguments: Any, **options: Any) -> str:
    """Return the code of the failure, which must say what to do."""
    try:
        function(*arguments, **options)
    except common.part("errors").AddonError as error:
        return error.code if error.hint else f"{error.code} without a fix"
    return "nothing"


def result_folder(folder: Path, *seeds: int) -> Path:
    """Write results as scripts/reconstruct.py does."""
    import synthetic

    folder.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seeds):
        arrays, facts = synthetic.random_person(seed)
        np.savez(folder / f"person_{index}.npz", **arrays, **{k: np.asarray(v) for k, v in facts.items()})
    (folder / "report.json").write_text('{"photo": "beach.jpg", "settings": {"preset": "draft"}, "version": "1.2"}')
    return folder


def check_reconstruct(folder: Path) -> None:
    """A result for each photo, files where they are wanted, progress that grows; one failure costs one photo."""
    api = common.part("api")
    use_backend("--mode", "by-name")
    told: list[tuple[Path, float, str]] = []
    paths = photos(folder, "two.png", "nobody.png", "other/two.png")
    settings = api.Settings(preset="draft", max_persons=2)
    made = api.reconstruct(
        paths, folder / "out", settings, formats=("glb", "blend"), progress=lambda *news: told.append(news)
    )
    assert [result.photo for result in made] == paths
    assert [len(result.people) for result in made] == [2, 0, 2]
    assert made[1].error.code == "NO_PERSON"
    assert made[1].error.hint
    assert made[0].collection.name == "two"
    assert made[0].warnings == ("This is a synthetic character.",)
    assert {path.parent.name for path in made[2].files} == {"two-2"}
    assert all(path.is_file() for result in made for path in result.files)
    assert len(made[0].files) == 4
    fractions = [news[1] for news in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.5
    assert made[0].people[0].origin["settings"] == {"preset": "draft", "max_persons": 2, "texture_size": 0, "seed": 0}
    assert len(api.people()) == 4
    person = api.reconstruct(*photos(folder, "normal.png"))[0].people[0]
    assert api.reconstruct_again(person, settings).armature == person.armature
    assert len(api.people()) == 5
    assert code_of(api.reconstruct, paths[0], folder / "out", formats=("stl",)) == "BAD_VALUE"
    assert code_of(api.reconstruct, paths[1], strict=True) == "NO_PERSON"
    assert code_of(api.reconstruct, []) == "BAD_VALUE"


def check_clip(folder: Path) -> None:
    """A numbered picture stands for its sequence and gives a person with an action."""
    api = common.part("api")
    use_backend("--mode", "normal")
    pictures = photos(folder, *(f"walk/{number:03d}.png" for number in range(1, 4)))
    person = api.reconstruct_clip(pictures[0], frame_start=5, smoothing=0.2)
    assert person.armature.animation_data.action
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (5, 7)
    assert code_of(api.reconstruct_clip, pictures[0], speed=2.0) == "BAD_VALUE"
    assert code_of(api.reconstruct_clip, photos(folder, "alone/still.png")) == "BAD_CLIP"
    assert code_of(api.reconstruct_again, person) == "NO_PHOTO"


def check_without_waiting(folder: Path) -> None:
    """Results come one by one; the work can be cancelled, and only one runs at a time."""
    api = common.part("api")
    use_backend("--mode", "by-name", "--grace", "0.5")
    done: list[Any] = []
    work = api.start(photos(folder, "normal.png", "hang.png", "slow.png"), done=done.append)
    assert not work.finished
    assert code_of(api.start, folder / "normal.png") == "BUSY"
    results = iter(work)
    assert next(results).people
    common.wait_for(lambda: work.fraction > 0.4, 30, work.step)
    work.cancel()
    rest = list(results)
    assert [result.error.code for result in rest] == ["CANCELLED", "CANCELLED"]
    assert [result.photo for result in done] == [result.photo for result in work.results]
    assert work.finished

    def refuse(*_news: object) -> None:
        raise KeyError("mine")

    try:
        api.reconstruct(folder / "slow.png", progress=refuse)
    except KeyError:
        assert not common.part("session").current().working
    else:
        raise AssertionError("the exception was swallowed")
    api.stop_backend()
    assert common.part("session").current().manager.state.value == "stopped"


def check_person(folder: Path) -> None:
    """A handle reaches every object and does what the buttons do."""
    api = common.part("api")
    first, second = api.load_people(result_folder(folder / "beach", 11, 12))
    assert (first.name, second.name) == ("beach 1", "beach 2")
    assert first.origin["photo"] == "beach.jpg"
    objects = (first.body, first.surface, first.camera)
    assert [obj.name for obj in objects] == ["beach 1 body", "beach 1 clothed", "beach camera"]
    for thing in (first.armature, first.surface, first.collection):
        assert api.Person(thing).armature == first.armature
    lone = api.load_person(folder / "beach" / "person_1.npz")
    assert lone.armature.location.x > 1.0
    assert code_of(api.Person, bpy.data.objects.new("cube", None)) == "NO_PERSON"
    assert code_of(api.load_person, folder / "nowhere") == "NOBODY"
    assert first.light is None
    light = first.make_light(400, 64)
    assert (first.light, first.surface.name) == (light, "beach 1 clothed")
    assert first.export(folder / "light.glb", part="LIGHT")[0].is_file()
    first.armature.location.z = 3.0
    assert abs(first.stand_on_floor() + 3.0) < 0.5
    first.hide_covered_skin()
    for mode in ("OFF", "BAKE", "ON"):
        second.set_correctives(mode)
    before = first.bones["left_elbow"].bone.head_local.copy()
    first.apply_shape([4.0, -3.0])
    assert first.shape[:3] == (4.0, -3.0, 0.0)
    assert (first.bones["left_elbow"].bone.head_local - before).length > 1e-3
    first.rename_bones("MIXAMO")
    assert first.bones["left_elbow"].name == "mixamorig:LeftForeArm"
    for wrong in ([9.0], [0.0] * 11):
        assert code_of(first.apply_shape, wrong) == "BAD_VALUE"
    for wrong in ("SIT", np.zeros((5, 3)), {"tail": [0, 0, 1]}, {"neck": [0, 0, np.nan]}):
        assert code_of(first.set_pose, wrong) == "BAD_VALUE"
    assert code_of(first.rename_bones, "ROMAN") == "BAD_VALUE"
    assert code_of(first.apply_motion, folder / "absent.bvh") == "NO_FILE"
    assert code_of(first.apply_motion, folder / "absent.bvh", speed=2.0) == "BAD_VALUE"
    assert code_of(first.export, folder / "a.stl") == "BAD_VALUE"
    assert first.export(folder / "person.usdz" if bpy.app.build_options.usd else folder / "person.obj")[0].is_file()


def check_poses(folder: Path) -> None:
    """SMPL's axis-angles put the vertices where independent skinning puts them."""
    import synthetic

    api = common.part("api")
    person = api.load_person(result_folder(folder / "posed", 13))
    arrays, _ = synthetic.random_person(13)
    pose = np.random.default_rng(4).normal(0, 0.4, (24, 3))
    person.set_pose(pose)
    whole = np.zeros((54, 3))
    whole[:24] = pose
    rest, weights = arrays["surface_rest_vertices"].astype(float), arrays["surface_weights"]
    posed, _ = synthetic.skin(rest, weights, synthetic.skeleton(), whole)
    difference = common.world_vertices(person.surface) - posed[:, [0, 2, 1]] * [1, -1, 1]
    assert np.ptp(difference, axis=0).max() < 1e-4
    person.set_pose({"left_elbow": pose[18], "neck": pose[12]})
    turned = [name for name, bone in person.bones.items() if abs(bone.rotation_quaternion.w) < 1 - 1e-6]
    assert sorted(turned) == ["left_elbow", "neck"]


def run_script(name: str, *words: object) -> None:
    """Run a sample script as Blender does."""
    arguments, sys.argv = sys.argv, ["blender", "--", *map(str, words)]
    try:
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    finally:
        sys.argv = arguments


def check_sample_scripts(folder: Path) -> None:
    """Each does what it says."""
    import clips

    use_backend("--mode", "by-name")
    library = folder / "people.blend"
    run_script("photos_to_library", *photos(folder, "two.png", "normal.png"), "--library", library, "--preset", "draft")
    with bpy.data.libraries.load(str(library), assets_only=True) as (inside, _):
        assert sorted(inside.collections) == ["normal 1", "two 1", "two 2"]
    angles = np.zeros((6, len(clips.CMU), 3))
    angles[:, 3, 0] = np.linspace(0, 40, 6)
    (folder / "walk.bvh").write_text(clips.bvh(angles, np.zeros((6, 3)), seconds=0.1))
    run_script("motion_to_fbx", folder / "normal.png", folder / "walk.bvh", folder / "walker.fbx")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.fbx(filepath=str(folder / "walker.fbx"))
    (rig,) = (obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    assert "upperarm_l" in rig.data.bones
    assert rig.animation_data.action.frame_range[1] - rig.animation_data.action.frame_range[0] == 15
    result = result_folder(folder / "round", 14)
    run_script("turntable", result, folder / "pictures", "--frames", 2, "--size", 48, "--samples", 1)
    assert [path.name for path in sorted((folder / "pictures").iterdir())] == ["0001.png", "0002.png"]
    picture = bpy.data.images.load(str(folder / "pictures" / "0001.png"))
    pixels = np.empty(48 * 48 * 4, dtype=np.float32)
    picture.pixels.foreach_get(pixels)
    assert pixels.reshape(-1, 4)[:, :3].std(axis=0).max() > 0.02


def check() -> None:
    """Run all of it, or with --brief what depends on the version of Blender."""
    brief = (check_person, check_poses)
    others = (check_reconstruct, check_clip, check_without_waiting, check_sample_scripts)
    chosen = brief if "--brief" in sys.argv else (*brief, *others)
    with tempfile.TemporaryDirectory() as name:
        for one in chosen:
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            began = time.perf_counter()
            one(Path(name))
            common.say(f"ok {one.__name__} {time.perf_counter() - began:.1f} s")


common.run(check)
sys.stdout.flush()
# The bpy modules of 4.2 and 4.5 can crash in their own clean-up after an export to glTF.
os._exit(0)
