"""Exports in a Blender of its own: the same files, nothing left behind, whatever goes wrong."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import common

PATIENCE = 200.0


@contextmanager
def aside(*program: str) -> Iterator[None]:
    """Let the operators export in another Blender inside the ``with`` block: this Python, or ``program``."""
    module = common.part("operators.export")
    usual, module.blender_program = module.blender_program, lambda: list(program) or [sys.executable]
    try:
        yield
    finally:
        module.blender_program = usual


def export(form: str, path: Path, **options: object) -> None:
    """Export with an operator; where it goes on in another Blender, wait for that."""
    session, pump = common.part("session").current(), common.part("pump")
    session.failure = None
    operator = getattr(bpy.ops.munet, f"export_{form}")
    assert operator(filepath=str(path), **options) == {"FINISHED"}
    if "export" in session.tools:
        session.tools["export"].join(PATIENCE)
        assert session.tools["export"].finished
        pump._tell_of_export(session)
        assert session.failure is None, session.failure
    assert path.is_file()


def left_in(folder: Path) -> list[str]:
    """Return what exports have left in the folder of a file, and of temporary files."""
    left = [path.name for path in folder.iterdir() if path.name.startswith(".munet")]
    return left + [path.name for path in Path(bpy.app.tempdir).glob("munet-export-*")]


def ended(folder: Path, name: str, seconds: float = 0.0) -> str:
    """Begin an export that does not succeed, cancel it after some seconds; returns its failure."""
    session = common.part("session").current()
    path = folder / name
    assert bpy.ops.munet.export_gltf(filepath=str(path)) == {"FINISHED"}
    task = session.tools["export"]
    if seconds:
        time.sleep(seconds)
        assert bpy.ops.munet.cancel_export() == {"FINISHED"}
    task.join(PATIENCE)
    assert task.finished
    assert not path.exists()
    assert not left_in(folder), left_in(folder)
    del session.tools["export"]
    return str(task.failure or "")


def check_aside(folder: Path) -> None:
    """A name in Chinese; a file that is there stays if the other Blender fails, hangs, dies or is cancelled."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    person = common.insert(common.people(35))[0]
    # What the artist has posed without a key is exported as it is seen, an action or not.
    bone = person.rig.pose.bones["thigh.L"]
    bone.keyframe_insert("rotation_quaternion", frame=1)
    bone.rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    bpy.context.view_layer.update()
    place = folder / "导出 ü"
    place.mkdir()
    offset = [float(value) for value in person.rig.location]
    expected = common.world_vertices(person.surface) - offset
    with aside():
        export("gltf", place / "人 ü.glb")
    assert not left_in(place), left_in(place)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.gltf(filepath=str(place / "人 ü.glb"), bone_heuristic="BLENDER")
    bpy.context.view_layer.update()
    mesh = next(obj for obj in bpy.data.objects if obj.type == "MESH" and obj.vertex_groups)
    found = common.world_vertices(mesh)
    assert abs(found.min(axis=0) - expected.min(axis=0)).max() < 2e-4, (found.min(axis=0), expected.min(axis=0))
    assert abs(found.max(axis=0) - expected.max(axis=0)).max() < 2e-4
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    common.insert(common.people(35))
    hang = [sys.executable, "-c", "import os; os.read(0, 1)"]
    with aside(*hang):
        assert ended(folder, "cancelled.glb", 0.5) == ""
        limits = common.part("exporting.aside")
        limits.LIMIT_SECONDS, usual = 1.0, limits.LIMIT_SECONDS
        assert "1 s" in ended(folder, "late.glb")
        limits.LIMIT_SECONDS = usual
    with aside(sys.executable, "-c", "print('no room'); raise SystemExit(3)"):
        assert "no room" in ended(folder, "dead.glb")
    with aside("/nowhere/blender"):
        assert "could not be written" in ended(folder, "none.glb")
    assert threading.active_count() < 20
