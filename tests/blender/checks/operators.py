"""The operators against a backend that behaves and misbehaves."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import bpy
import common
from again import check_rerun
from photo_list import PNG, failing, photos, states, use_backend


def check_batch(folder: Path) -> None:
    """Failures of all kinds cost only their own photo; each has a sentence."""
    use_backend("--mode", "by-name")
    assert not bpy.ops.munet.reconstruct.poll()
    photos(folder, "normal.png", "crash.png", "nobody.png", "text.jpg", "two.png", "exit.png", "memory.png", "last.png")
    assert bpy.ops.munet.reconstruct() == {"FINISHED"}
    done, failed = "DONE", "FAILED"
    assert states() == [done, failed, failed, failed, done, failed, failed, done], states()
    messages = [image.message for image in bpy.context.window_manager.munet.images]
    assert "Nobody was found" in messages[2], messages[2]
    assert all(len(messages[i]) > 20 for i in (1, 2, 3, 5, 6)), messages
    rigs = [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]
    assert len(rigs) == 4, rigs
    assert bpy.context.scene.camera is not None


def check_ways_in(folder: Path) -> None:
    """Dropped files, a packed picture and a painted one come into the list."""
    window, pictures = bpy.context.window_manager.munet, common.part("picture")
    window.images.clear()
    (folder / "dropped one.png").write_bytes(PNG)
    files = [{"name": "dropped one.png"}, {"name": "dropped one.png"}]
    assert bpy.ops.munet.add_images("INVOKE_DEFAULT", directory=str(folder), files=files) == {"FINISHED"}
    assert [image.name for image in window.images] == ["dropped one.png"]
    handler = bpy.types.MUNET_FH_photos
    assert handler.bl_import_operator == "munet.add_images"
    for kind, taken in (("VIEW_3D", True), ("IMAGE_EDITOR", False)):
        assert handler.poll_drop(SimpleNamespace(area=SimpleNamespace(type=kind))) is taken
    on_disk = bpy.data.images.load(str(folder / "dropped one.png"))
    assert pictures.picture_file(on_disk) == folder / "dropped one.png"
    on_disk.pack()
    assert pictures.picture_file(on_disk).read_bytes() == PNG
    painted = bpy.data.images.new("a/b", 3, 2)
    painted.pixels[:4] = (1.0, 0.0, 0.0, 1.0)
    again = bpy.data.images.load(str(pictures.picture_file(painted)))
    assert tuple(again.size) == (3, 2)
    assert list(again.pixels[:8]) == [1, 0, 0, 1, 0, 0, 0, 1]
    floats = bpy.data.images.new("hdr", 3, 2, float_buffer=True)
    assert "hdr" in failing(lambda: pictures.picture_file(floats))
    assert not bpy.ops.munet.add_shown_image.poll()


def check_one_photo(folder: Path) -> None:
    """One photo is done again alone, or cancelled while the others go on; people are chosen by number."""
    use_backend("--mode", "by-name", "--grace", "0.5")
    window, session = bpy.context.window_manager.munet, common.part("session").current()
    photos(folder, "nobody.png", "normal.png")
    assert bpy.ops.munet.reconstruct_image(index=1) == {"FINISHED"}
    assert states() == ["NEW", "DONE"]
    assert "Nobody" in failing(lambda: bpy.ops.munet.reconstruct_image(index=0))
    assert states() == ["FAILED", "DONE"]
    window.images[1].persons = "first"
    assert "first" in failing(lambda: bpy.ops.munet.reconstruct_image(index=1))
    assert not bpy.ops.munet.cancel_image.poll()
    check_people(folder)
    photos(folder, "hang.png", "normal.png", "two.png")
    paths = [Path(image.path) for image in window.images]
    place = common.fake_backend("--mode", "by-name", "--grace", "0.5")
    session.manager.close()
    session.batch = common.part("backend_manager.batch").Batch.of(paths, {}, place, {paths[1]: (0,)})
    insert = common.part("insert")
    common.wait_for(lambda: session.batch.job is not None, 30, lambda: insert.advance(bpy.context, session))
    for index in (2, 0):
        assert bpy.ops.munet.cancel_image(index=index) == {"FINISHED"}
    session.batch.again(paths[2])
    session.batch.again(paths[1])
    common.part("pump").run_to_end(bpy.context, session)
    assert states() == ["CANCELLED", "DONE", "DONE"], states()
    assert [entry.persons for entry in session.batch.entries] == [(), (0,), ()]


def check_people(folder: Path) -> None:
    """Everybody in a photo gets a check box and a picture; who is not ticked is left out, nobody is refused."""
    window, properties = bpy.context.window_manager.munet, common.part("properties")
    photos(folder, "two.png")
    image, rigs = window.images[0], len(bpy.data.armatures)
    assert bpy.ops.munet.find_people(index=0) == {"FINISHED"}
    assert states() == ["NEW"]
    assert [person.use for person in image.people] == [True, True]
    assert all(person.name in common.part("thumbnails")._collections[-1] for person in image.people)
    assert len(bpy.data.armatures) == rigs
    assert properties.chosen_people(image) == ()
    image.people[0].use = False
    assert properties.chosen_people(image) == (1,)
    common.part("panels.main")._draw_active(MagicMock(), window)
    image.people[1].use = False
    assert "ticked" in failing(lambda: bpy.ops.munet.reconstruct_image(index=0))


def check_clip(folder: Path) -> None:
    """One numbered picture stands for its sequence; a clip gives a person with an action; no clip is explained."""
    use_backend("--mode", "by-name")
    for number in range(1, 4):
        (folder / f"walk_{number:03d}.png").write_bytes(PNG)
    files, actions = [{"name": "walk_002.png"}], len(bpy.data.actions)
    assert bpy.ops.munet.reconstruct_sequence(directory=str(folder), files=files, frame_start=5) == {"FINISHED"}
    assert len(bpy.data.actions) == actions + 1
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (5, 7)
    assert bpy.context.object.get("munet_clip") == folder.name
    (folder / "alone.png").write_bytes(PNG)
    lone = [{"name": "alone.png"}]
    assert "no clip" in failing(lambda: bpy.ops.munet.reconstruct_sequence(directory=str(folder), files=lone))


def check_drawing(folder: Path) -> None:
    """Each state is drawn with its button; every photo has a small picture (without a window all are icon 0)."""
    window, module, main = bpy.context.window_manager.munet, common.part("thumbnails"), common.part("panels.main")
    photos(folder, *(f"draw{index}.png" for index in range(7)))
    (folder / "draw6.png").unlink()
    for state, image in zip(main._ICONS, window.images, strict=True):
        image.status, row = state, MagicMock()
        main.MUNET_UL_images.draw_item(None, bpy.context, row, None, image, 0, None, "", 0)
        drawn = row.row.return_value
        assert drawn.label.call_args_list[0].kwargs["icon_value"] == module.thumbnail(image.path)
        called = [call.args[0] for call in drawn.operator.call_args_list]
        busy, ended = state in {"WAITING", "RUNNING", "RECEIVED"}, state in {"FAILED", "CANCELLED"}
        assert called == ["munet.cancel_image"] * busy + ["munet.reconstruct_image"] * ended, (state, called)
    main._draw_active(MagicMock(), window)
    check_panel_parts(window)
    main.draw_image_menu(MagicMock(), bpy.context)
    assert sum("draw" in Path(key).name for key in module._collections[-1]) == 7
    module.close_thumbnails()
    assert not module._collections
    module.open_thumbnails()


def check_panel_parts(window: object) -> None:
    """The first steps are shown until they are closed; progress has three bars; a failure offers its fix."""
    guide, progress = common.part("panels.guide"), common.part("panels.progress")
    session = common.part("session").current()
    preferences = common.part("preferences").preferences_of(bpy.context)
    drawn = SimpleNamespace(
        region=SimpleNamespace(width=300),
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0), addons=bpy.context.preferences.addons),
        window_manager=bpy.context.window_manager,
    )
    preferences.show_guide, layout = True, MagicMock()
    guide.draw_guide(layout, drawn, session)
    assert layout.box.called
    assert bpy.ops.munet.close_guide() == {"FINISHED"}
    hidden = MagicMock()
    guide.draw_guide(hidden, drawn, session)
    assert not hidden.box.called
    batch_module, job_module = common.part("backend_manager.batch"), common.part("backend.client.jobs")
    paths, running = [Path(image.path) for image in window.images], batch_module.EntryState.RUNNING
    session.batch = batch_module.Batch.of(paths, {}, common.fake_backend())
    session.batch.entries[0].state = running
    session.batch.job = job_module.Job("1", "a", "running", 0, "body", 2, 6, 0.4)
    layout = MagicMock()
    progress.draw_progress(layout, session)
    bars = [call.kwargs for call in layout.column.return_value.progress.call_args_list]
    assert [round(bar["factor"], 2) for bar in bars] == [0.06, 0.4, 0.33], bars
    assert bars[2]["text"].endswith("(3/6)"), bars
    session.batch, session.failure = None, common.part("errors").AddonError("NO_BACKEND", "None.", hint="Look.")
    layout = MagicMock()
    common.part("panels.failure").draw_failure(layout, drawn, session)
    assert "preferences.addon_show" in str(layout.mock_calls)
    session.failure = None


def check_interactive(folder: Path) -> None:
    """The timer's step inserts the result and never waits; a hung photo can be cancelled."""
    session, pump, insert = common.part("session").current(), common.part("pump"), common.part("insert")
    batch_module = common.part("backend_manager.batch")
    place = common.fake_backend("--mode", "by-name", "--grace", "0.5")
    paths = [folder / name for name in ("hang.png", "normal.png")]
    for path in paths:
        path.write_bytes(PNG)
    session.manager.close()
    session.batch = batch_module.Batch.of(paths, {}, place)
    longest = 0.0

    def step() -> None:
        nonlocal longest
        began = time.perf_counter()
        insert.advance(bpy.context, session)
        if not any(entry.state.name in {"RECEIVED", "DONE"} for entry in session.batch.entries):
            longest = max(longest, time.perf_counter() - began)

    common.wait_for(lambda: session.batch.job is not None and session.batch.job.fraction > 0.2, 30, step)
    session.cancel()
    common.wait_for(lambda: session.batch.finished, 30, step)
    assert [entry.state.name for entry in session.batch.entries] == ["CANCELLED", "CANCELLED"]
    assert longest < 0.25, longest
    session.batch = batch_module.Batch.of(paths[1:], {}, place)
    pump.run_to_end(bpy.context, session)
    assert session.batch.entries[0].state.name == "DONE", session.batch.entries[0].failure


def check_waits_for_object_mode(folder: Path) -> None:
    """A result waits until the user leaves Edit Mode."""
    session, insert = common.part("session").current(), common.part("insert")
    path = folder / "normal.png"
    session.batch = common.part("backend_manager.batch").Batch.of([path], {}, common.fake_backend("--mode", "by-name"))
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    received = common.part("backend_manager.batch").EntryState.RECEIVED
    common.wait_for(
        lambda: session.batch.entries[0].state is received, 30, lambda: insert.advance(bpy.context, session)
    )
    insert.advance(bpy.context, session)
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")
    common.wait_for(lambda: session.batch.finished, 30, lambda: insert.advance(bpy.context, session))


def check_bad_backends(folder: Path) -> None:
    """Backends that can not be used give readable reasons."""
    session = common.part("session").current()
    expected = {"version": "version", "bad-token": "refused", "no-start": "environment", "die": "stopped"}
    for mode, word in expected.items():
        session.manager.close()
        use_backend("--mode", mode)
        photos(folder, "normal.png")
        text = failing(bpy.ops.munet.reconstruct)
        assert word in text.lower(), (mode, text)
        assert states() == ["FAILED"]
    session.manager.close()
    place = common.part("backend_manager.discovery").BackendPlace(python="/nowhere/python")
    common.part("operators.backend").backend_place = lambda _context: place
    assert "preferences" in failing(bpy.ops.munet.start_backend)


def check_start_stop(_folder: Path) -> None:
    """The backend starts and stops by its buttons."""
    session = common.part("session").current()
    session.manager.close()
    use_backend("--mode", "normal")
    assert bpy.ops.munet.start_backend() == {"FINISHED"}
    assert session.manager.state.value == "ready"
    assert not bpy.ops.munet.start_backend.poll()
    assert bpy.ops.munet.stop_backend() == {"FINISHED"}
    assert session.manager.state.value == "stopped"
    assert not bpy.ops.munet.stop_backend.poll()


def check_command_line(folder: Path) -> None:
    """The command writes scenes, says what failed and returns 1 for it."""
    session, cli = common.part("session").current(), common.part("cli")
    session.manager.close()
    cli.backend_place = lambda _context: common.fake_backend("--mode", "by-name")
    for name in ("two.png", "nobody.png", "other/two.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(PNG)
    out, words = folder / "out", [str(folder / name) for name in ("two.png", "nobody.png", "other")]
    assert cli._run(["reconstruct", *words, "--out", str(out), "--formats", "blend"]) == 1
    written = [path.relative_to(out).as_posix() for path in sorted(out.rglob("*.*"))]
    assert written == ["two/scene.blend", "two-2/scene.blend"], written
    bpy.ops.wm.open_mainfile(filepath=str(out / "two" / "scene.blend"))
    assert sum(obj.type == "ARMATURE" for obj in bpy.data.objects) == 2
    assert bpy.context.scene.render.resolution_x == 640
    assert cli._run(["reconstruct", words[0], "--out", str(out), "--formats", "abc"]) == 2
    (folder / "nothing").mkdir()
    assert cli._run(["reconstruct", str(folder / "nothing"), "--out", str(out)]) == 2
    cli.backend_place = lambda _context: common.fake_backend("--mode", "no-start")
    assert cli._run(["reconstruct", words[0], "--out", str(out)]) == 3


def check() -> None:
    """Run all of it with one folder of photos, or with --brief what depends on the version of Blender."""
    ways = (check_batch, check_ways_in, check_one_photo, check_clip, check_rerun, check_drawing)
    brief = (*ways, check_interactive, check_waits_for_object_mode, check_command_line)
    chosen = brief if "--brief" in sys.argv else (*brief, check_bad_backends, check_start_stop)
    with tempfile.TemporaryDirectory() as name:
        for one in chosen:
            began = time.perf_counter()
            one(Path(name))
            common.say(f"ok {one.__name__} {time.perf_counter() - began:.1f} s")


common.run(check)
