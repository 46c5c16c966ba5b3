"""The backend manager's user interface: states, preferences, tools, and the words for what is not allowed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import bpy
import common
import numpy as np


def failing(call: object, **options: object) -> str:
    """Call an operator that must fail and return what it told."""
    try:
        call(**options)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("the operator should have failed")


def drawing() -> SimpleNamespace:
    """Return a context to draw with where there is no window."""
    return SimpleNamespace(
        region=SimpleNamespace(width=300),
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0), addons=bpy.context.preferences.addons),
        window_manager=bpy.context.window_manager,
    )


def shown(module: str, function: str, *arguments: object) -> str:
    """Return what a part of the panel draws."""
    layout = MagicMock()
    getattr(common.part(module), function)(layout, *arguments)
    return str(layout.mock_calls)


def check_not_installed(folder: Path) -> None:
    """Nothing is installed: the panel offers it, the network is not used without the user's leave."""
    session, module = common.part("session").current(), common.part("preferences")
    preferences, state = module.preferences_of(bpy.context), common.part("backend_manager.states").State
    preferences.install_folder = str(folder / "backend")
    assert session.manager.state is state.NOT_INSTALLED, session.manager.state
    text = shown("panels.backend_state", "draw_offer", drawing(), session)
    assert "munet.install_backend" in text, text
    assert "Install the backend first" in failing(bpy.ops.munet.start_backend)
    assert not bpy.app.online_access
    for operator in (bpy.ops.munet.install_backend, bpy.ops.munet.fetch_models):
        assert "Allow Online Access" in failing(operator)
    assert session.failure.code == "OFFLINE"
    assert "munet.allow_online" in shown("panels.failure", "draw_failure", drawing(), session)
    preferences.wheel_folder = str(folder)
    assert "not complete" in failing(bpy.ops.munet.install_backend)
    assert session.manager.state is state.FAILED
    assert "wheel" in session.manager.failure.title
    assert (folder / "backend" / "install.log").is_file() or (folder / "backend").is_dir()
    assert bpy.ops.munet.remove_backend() == {"FINISHED"}
    assert not (folder / "backend").exists()
    assert session.manager.state is state.NOT_INSTALLED
    assert not bpy.ops.munet.remove_backend.poll()
    assert not bpy.ops.munet.cancel_installation.poll()
    preferences.wheel_folder, session.failure = "", None


def check_existing(folder: Path) -> None:
    """An environment of the user's own is chosen, checked and started; what it says about itself is shown."""
    session, module = common.part("session").current(), common.part("preferences")
    preferences, state = module.preferences_of(bpy.context), common.part("backend_manager.states").State
    preferences.backend_python = sys.executable
    assert preferences.source == "EXISTING"
    assert session.manager.state is state.STOPPED
    assert "no MuNet backend" in failing(bpy.ops.munet.check_backend)
    preferences.backend_folder = str(common.ROOT)
    assert bpy.ops.munet.check_backend() == {"FINISHED"}
    assert "protocol 1" in session.tools["check"].result
    preferences.body_file = str(folder / "SMPL_FEMALE.pkl")
    Path(preferences.body_file).write_bytes(b"no body")
    assert module.backend_place(bpy.context).body_file == preferences.body_file
    for source in ("OWN", "EXISTING", "REMOTE"):
        preferences.source = source
        text = shown("panels.preference_parts", "draw_preferences", preferences, drawing())
        wanted = {"OWN": "install_folder", "EXISTING": "backend_python", "REMOTE": "server_key"}[source]
        assert wanted in text
        assert "wm.url_open" in text
        assert "0.1.0" in text or "protocol" in text or source != "EXISTING"
    preferences.source = "EXISTING"
    session.manager.start(common.fake_backend())
    session.manager.wait_running()
    common.wait_for(lambda: session.manager.status.get("version") == "fake", 20, session.manager.pump)
    text = shown("panels.backend_state", "draw_state", drawing(), session)
    assert "Ready" in text, text
    assert bpy.ops.munet.stop_backend() == {"FINISHED"}


def check_key(_folder: Path) -> None:
    """A key of the user's own is made once and never overwritten."""
    preferences = common.part("preferences").preferences_of(bpy.context)
    assert bpy.ops.munet.make_key() == {"FINISHED"}
    public, secret = common.part("backend.protocol").read_key_file(Path(preferences.key_file))
    assert len(public) == len(secret) == 40
    assert "key already" in failing(bpy.ops.munet.make_key)
    Path(preferences.key_file).unlink()
    preferences.endpoint = "gpu.local:1"
    assert preferences.source == "REMOTE"
    place = common.part("preferences").backend_place(bpy.context)
    assert (place.endpoint, place.python, place.folder) == ("gpu.local:1", "", "")


def check_results_are_kept(folder: Path) -> None:
    """A result is saved beside being inserted, and Import Result reads it."""
    session, insert = common.part("session").current(), common.part("insert")
    preferences = common.part("preferences").preferences_of(bpy.context)
    preferences.results_folder, photo = str(folder / "kept"), folder / "two.png"
    photo.write_bytes((common.ROOT / "examples" / "astronaut.png").read_bytes())
    place = common.fake_backend("--mode", "by-name")
    for _ in range(2):
        session.batch = common.part("backend_manager.batch").Batch.of([photo], {}, place)
        common.part("pump").run_to_end(bpy.context, session)
        session.tools["keep"].join(60)
    assert session.batch.entries[0].state.name == "DONE", session.batch.entries[0].failure
    found = {path.relative_to(folder / "kept").as_posix() for path in (folder / "kept").rglob("*.*")}
    assert found == {f"{name}/person_{index}.npz" for name in ("two", "two-2") for index in range(2)}, found
    with np.load(folder / "kept" / "two" / "person_0.npz") as kept:
        assert kept["texture"].shape == (512, 512, 3)
        assert "texture_png" not in kept
    before = len(bpy.data.objects)
    files = [{"name": "person_0.npz"}, {"name": "person_1.npz"}]
    assert bpy.ops.munet.import_result(directory=str(folder / "kept" / "two"), files=files) == {"FINISHED"}
    assert len(bpy.data.objects) > before
    preferences.results_folder = ""
    assert insert._keep("", session.batch.entries[0]) is None
    session.manager.close()


def check() -> None:
    """Run all of it with one folder."""
    for name in ("MUNET_FOLDER", "MUNET_PYTHON", "MUNET_RUN_FILE"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_STATE_HOME"] = name
        for one in (check_not_installed, check_existing, check_results_are_kept, check_key):
            began = time.perf_counter()
            one(Path(name))
            common.say(f"ok {one.__name__} {time.perf_counter() - began:.1f} s")
    common.say(json.dumps({"version": bpy.app.version_string}))


common.run(check)
