"""The parts of the built extension that need no Blender."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import synthetic
from PIL import Image
from scipy.spatial.transform import Rotation
from ui_texts import ui_texts

import build_addon

Extension = Callable[[str], ModuleType]


def test_both_frames_agree_on_a_body_before_the_camera(extension: Extension) -> None:
    frames = extension("importer.frames")
    body = np.random.default_rng(0).normal(size=(20, 3))
    camera = body * [1, -1, -1]
    assert np.allclose(frames.points_from_camera(camera), frames.points_from_body(body))
    assert np.allclose(frames.points_from_body(np.array([0.0, 0.0, 1.0])), [0, -1, 0])


def test_rotations_match_scipy(extension: Extension) -> None:
    frames = extension("importer.frames")
    vectors = np.random.default_rng(1).normal(size=(50, 3)) * 2
    vectors[0], vectors[1] = 0, [np.pi, 0, 0]
    assert np.allclose(frames.matrices_from_axis_angle(vectors), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)


def test_a_bone_local_rotation_is_the_same_turn_seen_from_the_bone(extension: Extension) -> None:
    frames = extension("importer.frames")
    rest = Rotation.random(10, random_state=2).as_matrix()
    turn = Rotation.random(10, random_state=3).as_matrix()
    assert np.allclose(rest @ frames.bone_local(rest, turn), turn @ rest)


def test_png_is_read_back_by_pillow(extension: Extension) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 51, 3), dtype=np.uint8)
    data = extension("importer.png").encode_png(pixels)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone_as_pillow_does(extension: Extension, orientation: int) -> None:
    from PIL import ImageOps

    exif = extension("importer.exif")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    image, tags, stream = Image.fromarray(pixels), Image.Exif(), io.BytesIO()
    tags[0x0112] = orientation
    image.save(stream, "JPEG", exif=tags, quality=95)
    assert exif.exif_orientation(stream.getvalue()) == orientation
    stored = Image.open(stream)
    expected = np.asarray(ImageOps.exif_transpose(stored))
    assert np.array_equal(exif.upright(np.asarray(stored), orientation), expected)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0II", b"\x89PNG", b"\xff" * 40])
def test_exif_of_anything_else_is_upright(extension: Extension, data: bytes) -> None:
    assert extension("importer.exif").exif_orientation(data) == 1


def test_quads_take_the_uvs_of_their_triangles(extension: Extension) -> None:
    arrays, facts = synthetic.random_person(0)
    character = extension("importer.character").read_character(arrays, facts)
    shape = extension("importer.topology").polygons(character.body)
    assert len(shape.starts) == len(character.body.quads)
    per_vertex = {(int(v), *uv) for v, uv in zip(shape.corners, shape.uv.round(5).tolist(), strict=True)}
    corners = zip(character.body.faces.reshape(-1), character.body.uv.reshape(-1, 2).round(5).tolist(), strict=True)
    assert per_vertex <= {(int(v), *uv) for v, uv in corners}


def test_triangles_without_quads_stay_triangles(extension: Extension) -> None:
    arrays, facts = synthetic.random_person(0)
    arrays["body_quads"] = arrays["body_quads"][:10]
    character = extension("importer.character").read_character(arrays, facts)
    shape = extension("importer.topology").polygons(character.body)
    assert len(shape.starts) == 10 + len(arrays["body_faces"]) - 20
    assert len(shape.corners) == 40 + 3 * (len(arrays["body_faces"]) - 20)


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda arrays: arrays.pop(name)


def _changed(name: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda arrays: arrays.update({name: change(arrays[name])})


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_without("texture"), "texture"),
        (_changed("body_weights", lambda a: a[:-1]), "body_weights"),
        (_changed("surface_faces", lambda a: a + 10**6), "surface_faces"),
        (_changed("body_vertices", lambda a: a * np.nan), "body_vertices"),
        (_changed("bone_parents", lambda a: a[::-1].copy()), "bone_parents"),
        (_changed("body_quads", lambda a: np.concatenate([a, a])), "body_quads"),
    ],
)
def test_bad_results_are_refused_with_the_reason(
    extension: Extension, spoil: Callable[[dict[str, Any]], Any], word: str
) -> None:
    arrays, facts = synthetic.random_person(0)
    spoil(arrays)
    with pytest.raises(extension("errors").AddonError, match=word) as caught:
        extension("importer.character").read_character(arrays, facts)
    assert caught.value.code == "BAD_RESULT"


def test_a_file_that_is_no_result_is_refused(extension: Extension, tmp_path: Path) -> None:
    (tmp_path / "person_0.npz").write_bytes(b"nothing")
    with pytest.raises(extension("errors").AddonError, match="person_0"):
        extension("importer.character").load_character(tmp_path / "person_0.npz")


def test_every_bone_has_a_name_of_its_own_for_artists(extension: Extension) -> None:
    names = synthetic.skeleton().names
    styles = [extension("rigs").bone_style(name) for name in names]
    assert len({style.name for style in styles}) == 54
    assert all(style.name.endswith(".L") == name.startswith("left_") for style, name in zip(styles, names, strict=True))
    left, right = (extension("rigs").bone_style(f"{side}_thumb1") for side in ("left", "right"))
    assert left.name[:-1] == right.name[:-1]


def test_no_bone_name_means_another_bone_in_another_scheme(extension: Extension) -> None:
    rigs, owners = extension("rigs"), {}
    for scheme in rigs.SCHEMES:
        names = {smpl: rigs.bone_name(smpl, scheme.key) for smpl in synthetic.skeleton().names}
        assert len(set(names.values())) == 54, scheme.key
        assert all("{" not in name for name in names.values())
        for smpl, name in names.items():
            assert owners.setdefault(name, smpl) == smpl, (scheme.key, name)


def test_translations_belong_to_texts_that_exist() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in build_addon.SOURCE.rglob("*.py"))
    for path in (build_addon.SOURCE / "locale").glob("*.json"):
        words = json.loads(path.read_text(encoding="utf-8"))
        assert [word for word in words if f'"{word}"' not in texts and f'"""{word}"""' not in texts] == []
        assert all(words.values())


def test_every_text_of_the_panels_has_its_chinese() -> None:
    path = build_addon.SOURCE / "locale" / "zh_HANS.json"
    words = json.loads(path.read_text(encoding="utf-8"))
    assert sorted(ui_texts(build_addon.SOURCE) - words.keys()) == []


def test_normal_maps_hold_the_direction_of_the_full_normals(extension: Extension) -> None:
    module = extension("rigging.normal_map")
    corners = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]) * 0.5 + 0.25

    def plane(normal: list[float], tangent: list[float]) -> object:
        return module.Corners(corners, np.tile([*normal, *tangent, -1.0], (2, 3, 1)))

    flat = plane([0, 0, 1], [1, 0, 0])
    tilted = module.normal_map(plane([0.6, 0, 0.8], [0.8, 0, -0.6]), flat, 64)
    assert tilted[32, 32].tolist() == [204, 128, 230]
    assert tilted[12, 32].tolist() == [204, 128, 230]
    assert tilted[0, 0].tolist() == [128, 128, 255]
    upward = module.normal_map(plane([0, 0.6, 0.8], [1, 0, 0]), flat, 64)
    assert upward[32, 32].tolist() == [128, 51, 230]
    folds = np.tile([0.6, 0.0, 0.8], (64, 64, 1))
    assert module.normal_map(flat, flat, 64, folds)[32, 32].tolist() == [204, 128, 230]
    assert module.normal_map(flat, flat, 64)[32, 32].tolist() == [128, 128, 255]


def test_rasterised_values_are_linear_over_the_atlas(extension: Extension) -> None:
    module = extension("rigging.normal_map")
    uv = np.array([[[0.1, 0.1], [0.9, 0.2], [0.3, 0.8]]])
    picture, covered = module.rasterise(module.Corners(uv, uv), 100)
    places = np.argwhere(covered)[:, ::-1] / 100 + 0.005
    assert np.allclose(picture[covered], places, atol=1e-6)
    assert abs(covered.sum() / 1e4 - 0.27) < 0.01


def test_the_shipped_zip_holds_the_client_and_nothing_of_the_backend(extension_zip: Path) -> None:
    names = zipfile.ZipFile(extension_zip).namelist()
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "backend/client/client.py"} <= set(names)
    assert not any(name.startswith(("backend/broker", "backend/worker", "munet")) for name in names)
    wheels = [name for name in names if name.startswith("wheels/")]
    tags = [name.split("-", 2)[2] for name in wheels if "pyzmq-27.3.0" in name]
    assert sorted(tag.rpartition("-")[0] for tag in tags) == ["cp311-cp311", "cp312-abi3"]
    assert f"wheels/{build_addon.PYTHONS_WHEEL}" in wheels
    assert len(wheels) == 3


def test_the_full_edition_brings_a_backend_and_the_platform_edition_nothing(
    extension_zip: Path, platform_zip: Path
) -> None:
    full = zipfile.ZipFile(extension_zip)
    facts = json.loads(full.read("bundle/backend.json"))
    assert {f"bundle/{facts['wheel']}", "bundle/requirements.txt", "installer/install.py"} <= set(full.namelist())
    build_addon.validate(platform_zip)
    names = zipfile.ZipFile(platform_zip).namelist()
    assert not [name for name in names if name.startswith(("bundle/", "installer/")) or "install.py" in name]
    sources = {name: zipfile.ZipFile(platform_zip).read(name).decode() for name in names if name.endswith(".py")}
    assert [name for name, text in sources.items() if '"pip"' in text or "import pip" in text] == []
    assert "INSTALLER: bool = False" in sources["edition.py"]
    again = extension_zip.parent / "repository"
    again.mkdir()
    (again / extension_zip.name).write_bytes(extension_zip.read_bytes())
    entry = json.loads(build_addon.write_index(again).read_text())["data"][0]
    assert (entry["id"], entry["archive_url"]) == ("munet", f"./{extension_zip.name}")
    assert {"3.11", "3.13", "3.14"} <= set(entry["python_versions"])


def test_the_same_sources_give_the_same_zip(extension_zip: Path, tmp_path: Path) -> None:
    again = build_addon.build_zip([build_addon.this_platform()], tmp_path)
    assert again.read_bytes() == extension_zip.read_bytes()


def test_blenders_validator_accepts_the_zip(extension_zip: Path) -> None:
    build_addon.validate(extension_zip)


def test_a_folder_without_a_backend_is_reported(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUNET_ENVS", raising=False)
    discovery = extension("backend_manager.discovery")
    for place in (discovery.BackendPlace(), discovery.BackendPlace(folder=str(tmp_path))):
        with pytest.raises(extension("errors").AddonError) as caught:
            discovery.launch_options(place)
        assert caught.value.code == "NO_BACKEND"
        assert "preferences" in caught.value.hint


def test_photos_are_read_from_the_clipboard(extension: Extension, tmp_path: Path) -> None:
    folder, one = tmp_path / "a b", tmp_path / "ä 1.JPG"
    folder.mkdir()
    for path in (one, folder / "2.png", folder / "no.txt"):
        path.write_bytes(b"")
    text = f'"{one}"\n{folder}\n{one.as_uri()}\r\n/gone/3.png\nrelative.png\n{folder / "no.txt"}\n\n'
    assert extension("inputs").photos_in_text(text) == [one, folder / "2.png", one]
    assert extension("inputs").photos_in_text("") == []


def test_every_photo_gets_a_folder_of_its_own_and_nothing_is_overwritten(extension: Extension, tmp_path: Path) -> None:
    (tmp_path / "Anna").mkdir()
    names = ("Anna.jpg", "b/anna.png", "b/anna.png", "..png", "\u00e4" * 125 + ".jpg", "c/-x.jpg")
    photos = [tmp_path / name for name in names]
    made = list(extension("inputs").result_folders(photos, tmp_path))
    assert [photo for photo, _ in made] == list(dict.fromkeys(photos))
    assert [folder.name for _, folder in made] == ["Anna-2", "anna", "photo", "\u00e4" * 100, "-x"]
    again = extension("inputs").result_folders(photos[:2], tmp_path, overwrite=True)
    assert [folder.name for _, folder in again] == ["Anna", "anna-2"]


def test_people_are_read_as_numbers(extension: Extension) -> None:
    read = extension("inputs").person_indices
    assert read("") == ()
    assert read(" 3, 1 3") == (2, 0)
    for text in ("0", "-1", "a", "1.5", "101"):
        with pytest.raises(extension("errors").AddonError, match=text):
            read(text)


def test_chosen_people_and_the_device_go_with_the_photo(extension: Extension) -> None:
    batch, place = extension("backend_manager.batch").Batch, extension("backend_manager.discovery").BackendPlace
    one, two = Path("/one.png"), Path("/two.png")
    made = batch.of([one, two], {"preset": "draft", "max_persons": 2}, place(device="cpu"), {two: (4, 0)})
    plain, chosen = (made._settings_of(entry) for entry in made.entries)
    assert plain == {"preset": "draft", "max_persons": 2, "device": "cpu"}
    assert chosen == {**plain, "max_persons": 5, "persons": [4, 0]}
    assert "device" not in batch.of([one], {}, place())._settings_of(made.entries[0])


def test_a_missing_photo_costs_only_itself(extension: Extension, tmp_path: Path) -> None:
    batch_module, manager_module = extension("backend_manager.batch"), extension("backend_manager.manager")

    class Ready(manager_module.Manager):
        running = True

        def pump(self) -> None:
            """Nothing happens."""

    batch = batch_module.Batch.of([tmp_path / "gone.jpg"], {}, extension("backend_manager.discovery").BackendPlace())
    batch.step(Ready())
    assert batch.entries[0].state.name == "FAILED"
    assert "gone.jpg" in batch.entries[0].failure.detail


def _wait(condition: Callable[[], bool], *managers: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, [manager.state for manager in managers]
        for manager in managers:
            manager.pump()
        time.sleep(0.02)


def _shared_place(extension: Extension, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MUNET_RUNTIME_DIR", str(folder))
    return extension("backend_manager.discovery").BackendPlace(
        folder=str(build_addon.ROOT),
        python=sys.executable,
        module="tests.backend.fake_backend",
        idle_minutes=0.01,
        share=True,
        device="cpu",
    )


def test_two_blenders_share_a_backend_that_ends_after_the_last(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, alive = (
        _shared_place(extension, tmp_path, monkeypatch),
        extension("backend.protocol.processes").process_alive,
    )
    module = extension("backend_manager.manager")
    first, second = module.Manager(), module.Manager()
    first.start(place)
    _wait(lambda: first.running, first)
    second.start(place)
    _wait(lambda: second.running, first, second)
    pid = first.welcome["pid"]
    assert second.welcome["pid"] == pid
    assert second.log_file == first.log_file
    first.close()
    job = second.submit(b"\x89PNG", "normal.png", {"device": "cpu"})
    _wait(lambda: job.finished, second)
    assert job.state == "done", job.error
    second.close()
    _wait(lambda: not alive(pid))
    assert not list(tmp_path.glob("*.json"))


def test_a_backend_that_does_not_answer_is_not_shared(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, module = _shared_place(extension, tmp_path, monkeypatch), extension("backend_manager.manager")
    monkeypatch.setattr(module, "JOIN_SECONDS", 0.3)
    runfile = extension("backend.protocol.runfile")
    dead = runfile.RunFile("127.0.0.1", 9, os.getpid(), 1, runfile.new_token(), time.time())
    runfile.write_run_file(dead, tmp_path / "dead.json")
    manager = module.Manager()
    manager.start(place)
    _wait(lambda: manager.running, manager)
    assert manager.welcome["pid"] != dead.pid
    assert manager.log_file is not None
    manager.close()
    assert manager.state.name == "STOPPED"


def test_a_dead_backend_is_started_again_for_the_next_photo(extension: Extension, tmp_path: Path) -> None:
    batch_module, manager_module = extension("backend_manager.batch"), extension("backend_manager.manager")
    modes = iter(("die", "normal"))

    class Unlucky(manager_module.Manager):
        def start(self, place: Any) -> None:
            """Start a backend that dies, and a good one the next time."""
            super().start(dataclasses.replace(place, arguments=("--mode", next(modes))))

    paths = [tmp_path / f"normal{i}.png" for i in range(2)]
    for path in paths:
        path.write_bytes(b"\x89PNG")
    place = extension("backend_manager.discovery").BackendPlace(
        folder=str(build_addon.ROOT), python=sys.executable, module="tests.backend.fake_backend"
    )
    manager, batch = Unlucky(), batch_module.Batch.of(paths, {}, place)
    end = time.monotonic() + 60
    while not batch.finished and time.monotonic() < end:
        batch.step(manager)
        entry = batch.current
        if entry is not None and entry.state.name == "RECEIVED":
            entry.finish(batch_module.EntryState.DONE)
        time.sleep(0.02)
    manager.close()
    assert [entry.state.name for entry in batch.entries] == ["FAILED", "DONE"]
    assert batch.entries[0].failure.code == "BACKEND_GONE"
    assert manager.state.name == "STOPPED"
