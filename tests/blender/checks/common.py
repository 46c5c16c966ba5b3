"""What every check inside Blender needs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy  # isort: skip - makes the next one importable
import addon_utils
import numpy as np

MODULE = "bl_ext.user_default.munet"
ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(Path(__file__).resolve().parents[1]))


def say(text: str) -> None:
    """Tell the test outside."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def part(name: str) -> ModuleType:
    """Import a module of the installed extension."""
    import importlib

    return importlib.import_module(f"{MODULE}.{name}")


def enable() -> None:
    """Enable the installed extension."""
    assert addon_utils.enable(MODULE, default_set=True) is not None, f"{MODULE} can not be enabled"


def run(check: Callable[[], None], *, needs_extension: bool = True) -> None:
    """Run ``check`` in an empty scene with the extension enabled, and take it out again before the exit."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if needs_extension:
        enable()
    try:
        check()
        say("CHECK PASSED")
    finally:
        addon_utils.disable(MODULE, default_set=True)


def people(*seeds: int, **options: Any) -> list[Any]:
    """Return synthetic people as the importer wants them."""
    import synthetic

    read_character = part("importer.character").read_character
    return [read_character(*synthetic.random_person(seed, **options)) for seed in seeds]


def insert(characters: list[Any], name: str = "photo.png", data: bytes = b"") -> list[Any]:
    """Bring people into the scene."""
    scene, photo = part("importer.scene"), part("importer.photo")
    origin = scene.Origin(photo.Photo(name, data), {"preset": "draft"}, "1.2.3")
    return scene.import_people(bpy.context, characters, origin)


def show_all() -> None:
    """Make every collection visible, because Blender does not deform what nobody can see."""

    def show(layer: bpy.types.LayerCollection) -> None:
        layer.hide_viewport = False
        for child in layer.children:
            show(child)

    show(bpy.context.view_layer.layer_collection)


def world_vertices(obj: bpy.types.Object) -> np.ndarray:
    """Return the vertices (V, 3) of ``obj`` as Blender shows them."""
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world)
    return flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def fake_backend(*arguments: str) -> Any:
    """Return the place of the fake backend, run by this Blender's Python."""
    return part("backend_manager.discovery").BackendPlace(
        folder=str(ROOT),
        python=sys.executable,
        module="tests.backend.fake_backend",
        arguments=arguments,
    )


def wait_for(condition: Callable[[], bool], seconds: float, step: Callable[[], None]) -> None:
    """Call ``step`` until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        step()
        time.sleep(0.02)
