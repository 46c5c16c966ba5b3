"""Measure for how long the window of a full Blender stands still while the extension works.

    BLENDER_USER_RESOURCES=EMPTY_FOLDER blender --factory-startup --python scripts/measure_freezes.py -- \
        --zip dist/munet-0.1.0-linux_x64.zip --result person_0.npz --clip clip/person_0.npz --motion walk.bvh --out OUT

A timer looks every 20 ms at the clock and at the processor time of the main thread; the longest time between two looks
is how long the window stood still. What the extension's own code took of it, what Blender took to evaluate the scene,
and the rest (drawing, Blender's own) are told apart. Plain things of Blender's own, as large as a person, are measured
first: what they cost, nobody can avoid. Needs no backend: ``--result`` and ``--clip`` are results that have just been
received (scripts/reconstruct.py). Writes freezes.json and prints a table, one line a step:

    wall   the longest time between two looks, beyond the 20 ms
    cpu    the most processor time of the main thread between two looks: the honest number on a busy computer
    ours   the most processor time our code took at once, on the main thread
    graph  the most time Blender took to evaluate the scene at once
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np

PACKAGE = "bl_ext.user_default.munet"
BEAT = 0.02
PATIENCE = 600.0
SIDE = 116
"""A grid of Blender's own with this many faces along a side is as large as a person's clothes."""


def part(name: str) -> Any:  # noqa: ANN401 a module of the extension
    """A module of the extension."""
    return importlib.import_module(f"{PACKAGE}.{name}")


class Probe:
    """Looks at the clock on the main thread."""

    def __init__(self) -> None:
        self.step = "start"
        self.found: dict[str, dict[str, float]] = {}
        self._ours, self._graph, self._graph_start = 0.0, 0.0, 0.0
        self._wall, self._cpu = time.monotonic(), time.thread_time()
        bpy.app.handlers.depsgraph_update_pre.append(self._begin_graph)
        bpy.app.handlers.depsgraph_update_post.append(self._end_graph)

    def _begin_graph(self, *_unused: object) -> None:
        self._graph_start = time.monotonic()

    def _end_graph(self, *_unused: object) -> None:
        self._graph = max(self._graph, time.monotonic() - self._graph_start)

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Count what is done inside as the extension's."""
        start = time.thread_time()
        try:
            yield
        finally:
            self._ours = max(self._ours, time.thread_time() - start)

    def beat(self) -> float:
        """Note what has been since the last look."""
        wall, cpu = time.monotonic(), time.thread_time()
        values = {
            "wall": wall - self._wall - BEAT,
            "cpu": cpu - self._cpu,
            "ours": self._ours,
            "graph": self._graph,
        }
        kept = self.found.setdefault(self.step, dict.fromkeys(values, 0.0))
        for name, value in values.items():
            kept[name] = max(kept[name], round(value, 3))
        self._wall, self._cpu, self._ours, self._graph = wall, cpu, 0.0, 0.0
        return BEAT


class Measurement:
    """The steps, one after another, while the window lives."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.probe, self.failures = options, Probe(), []  # type: ignore[var-annotated]
        self.seconds: dict[str, float] = {}
        self._steps = self.steps()

    def go(self) -> float | None:
        """Take the next step; close Blender after the last one or a failure."""
        try:
            return next(self._steps)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001 the report holds whatever went wrong
            self.failures.append(traceback.format_exc())
        self.report()
        bpy.ops.wm.quit_blender()
        return None

    def report(self) -> None:
        """Write the numbers."""
        facts = {"blender": bpy.app.version_string, "steps": self.probe.found, "seconds": self.seconds}
        text = json.dumps({**facts, "errors": self.failures}, indent=1)
        (self.options.out / "freezes.json").write_text(text, encoding="utf-8")
        lines = [f"{'':34}{'wall':>8}{'cpu':>8}{'ours':>8}{'graph':>8}{'all':>8}"]
        for step, values in self.probe.found.items():
            numbers = "".join(f"{values[name]:8.3f}" for name in ("wall", "cpu", "ours", "graph"))
            lines.append(f"{step:34}{numbers}{self.seconds.get(step, 0.0):8.1f}")
        sys.stdout.write("\n".join([*lines, *self.failures]) + "\n")

    def steps(self) -> Iterator[float]:
        """Everything that is measured."""
        self.install()
        yield 1.0
        for name, step in (
            ("nothing", self.nothing),
            ("Blender: a grid", self.grid),
            ("Blender: a grid with a picture", self.picture),
            ("insert a person", lambda: self.insert(self.options.result, "one.jpg")),
            ("insert another one", lambda: self.insert(self.options.result, "two.jpg")),
            ("insert three at once", lambda: self.insert(self.options.result, "many.jpg", 3)),
            ("again in place", self.again),
            ("insert a clip", lambda: self.insert(self.options.clip, "clip.mp4", clip=True)),
            ("insert from a file", self.from_file),
            ("insert with a turned photo", self.turned),
            ("T-pose", lambda: self.operator("apply_pose", pose="REST")),
            ("A-pose", lambda: self.operator("apply_pose", pose="A")),
            ("pose of the photo", lambda: self.operator("apply_pose", pose="PHOTO")),
            ("poses to library", lambda: self.operator("add_pose_assets")),
            ("person to library", lambda: self.operator("add_person_asset")),
            ("feet on the floor", lambda: self.operator("stand_on_floor")),
            ("shadow floor", lambda: self.operator("shadow_floor")),
            ("shadow floor away", lambda: self.operator("shadow_floor")),
            ("apply shape", self.shape),
            ("bone names", lambda: self.operator("rename_bones", scheme="MIXAMO")),
            ("bone names back", lambda: self.operator("rename_bones", scheme="BLENDER")),
            ("fit rig to shape", lambda: self.operator("fit_rig_to_shape")),
            ("hide covered skin", lambda: self.operator("hide_covered_skin")),
            ("show covered skin", lambda: self.operator("hide_covered_skin")),
            ("IK controls", lambda: self.operator("toggle_ik")),
            ("IK controls away", lambda: self.operator("toggle_ik")),
            ("light version", lambda: self.operator("make_light")),
            ("light version shown, full shown", lambda: self.operator("show_light")),
            ("Rigify", self.rigify),
            ("Rigify away", lambda: self.operator("control_rig")),
            ("import motion", lambda: self.operator("import_motion", filepath=str(self.options.motion))),
            ("bake correctives", self.bake),
            ("correctives live", lambda: self.operator("pose_correctives", mode="ON")),
            ("export glb", lambda: self.export("gltf", "person.glb")),
            ("export fbx", lambda: self.export("fbx", "person.fbx")),
            ("export fbx, animated", lambda: self.export("fbx", "animated.fbx", pose="ANIMATION")),
            ("export glb, animated", lambda: self.export("gltf", "animated.glb", pose="ANIMATION")),
            ("export obj", lambda: self.export("obj", "person.obj")),
            ("undo", lambda: self.operator("undo", home=bpy.ops.ed)),
        ):
            if self.options.only and not any(word in name for word in self.options.only):
                continue
            self.probe.beat()
            self.probe.step = name
            start = time.monotonic()
            yield from step()
            self.seconds[name] = round(time.monotonic() - start, 2)
            self.probe.beat()
            self.probe.step = "between"
            self.save_picture(name)
            self.report()
            yield 0.5

    def save_picture(self, name: str) -> None:
        """Take a picture of the whole window, where the program is there that can."""
        if self.options.pictures:
            import subprocess

            path = self.options.out / f"{name.replace(' ', '-').replace(':', '')}.png"
            subprocess.run(["import", "-window", "root", str(path)], check=False)
            self.probe.beat()

    def install(self) -> None:
        """Switch the extension on, and count what its timer does as its own."""
        home = Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default" / "munet"
        with zipfile.ZipFile(self.options.zip) as packed:
            packed.extractall(home)
        importlib.invalidate_caches()
        bpy.ops.preferences.addon_enable(module=PACKAGE)
        area = next(a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D")
        area.spaces[0].show_region_ui = True
        area.spaces[0].shading.color_type = "TEXTURE"
        area.spaces[0].region_3d.view_distance = 6.0
        pump = part("pump")
        tick = pump._tick  # noqa: SLF001 its time is what is measured

        def counted() -> float | None:
            with self.probe.ours():
                return tick()  # type: ignore[no-any-return]

        pump._tick = counted  # noqa: SLF001

    def in_view(self) -> Any:  # noqa: ANN401 Blender's context manager
        """Work in the 3D view."""
        window = bpy.context.window_manager.windows[0]
        area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
        region = next(region for region in area.regions if region.type == "WINDOW")
        return bpy.context.temp_override(window=window, area=area, region=region)

    def settle(self, busy: Callable[[], bool] = lambda: False) -> Iterator[float]:
        """Let the window live until the extension has nothing to do, and draw what it has made."""
        start = time.monotonic()
        while busy() or part("session").current().changing:
            if time.monotonic() - start > PATIENCE:
                raise TimeoutError(self.probe.step)
            yield 0.05
        yield 1.0

    def nothing(self) -> Iterator[float]:
        """The window as it is, drawn again and again."""
        for _ in range(20):
            for area in bpy.context.window_manager.windows[0].screen.areas:
                area.tag_redraw()
            yield 0.1

    def grid(self) -> Iterator[float]:
        """A mesh as large as a person's clothes, by Blender's own operator, drawn for the first time."""
        with self.in_view():
            bpy.ops.mesh.primitive_grid_add(x_subdivisions=SIDE, y_subdivisions=SIDE, size=3.0)
        yield 1.0

    def picture(self) -> Iterator[float]:
        """The same with a picture as large as a person's texture, drawn for the first time."""
        image = bpy.data.images.new("plain", 2048, 2048)
        image.generated_type = "COLOR_GRID"
        material = bpy.data.materials.new("plain")
        material.use_nodes = True
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        bpy.context.object.data.materials.append(material)
        yield 1.0
        bpy.data.objects.remove(bpy.context.object)
        yield 0.5

    def received(self, path: Path, count: int = 1) -> Any:  # noqa: ANN401 of the extension
        """A result as it comes from the backend."""
        with np.load(path, allow_pickle=False) as stored:
            values = {name: stored[name] for name in stored.files}
        arrays = {name: value for name, value in values.items() if value.ndim}
        facts = {name: value.item() for name, value in values.items() if not value.ndim}
        arrays.pop("warnings", None)
        persons = tuple(SimpleNamespace(arrays=arrays, facts=facts) for _ in range(count))
        return SimpleNamespace(persons=persons, versions={"backend": "1"}, warnings=())

    def put(self, path: Path, name: str, count: int, **options: Any) -> None:  # noqa: ANN401 of an entry
        """Let a result arrive."""
        batch, session = part("backend_manager.batch"), part("session").current()
        entry = batch.Entry(Path(name), **options)
        entry.data = self.options.photo.read_bytes() if self.options.photo else b""
        entry.result, entry.state = self.received(path, count), batch.EntryState.RECEIVED
        session.batch = batch.Batch([entry], {}, part("backend_manager.discovery").BackendPlace())
        part("pump").start_pump()

    def insert(self, path: Path | None, name: str, count: int = 1, *, clip: bool = False) -> Iterator[float]:
        """A received result comes into the scene."""
        if path is not None:
            kind = part("backend_manager.batch").Clip((), name, {}) if clip else None
            self.put(path, name, count, clip=kind)
            yield from self.settle()
            self.note_failure()

    def note_failure(self) -> None:
        """Fail if the extension did."""
        failed = [entry.failure for entry in part("session").current().batch.entries if entry.failure]
        if failed:
            raise RuntimeError(str(failed[0]))

    def from_file(self) -> Iterator[float]:
        """A person of a file of scripts/reconstruct.py."""
        path = self.options.result
        with self.in_view(), self.probe.ours():
            bpy.ops.munet.import_result("EXEC_DEFAULT", directory=str(path.parent), files=[{"name": path.name}])
        yield from self.settle()

    def turned(self) -> Iterator[float]:
        """A person of a photo that its EXIF turns."""
        if self.options.turned is not None:
            usual, self.options.photo = self.options.photo, self.options.turned
            yield from self.insert(self.options.result, "turned.jpg")
            self.options.photo = usual

    def shape(self) -> Iterator[float]:
        """Another identity by the interface for scripts: keys of the body, joints, clothes."""
        rig = next(thing for thing in bpy.data.objects if "munet_bone_names" in thing)
        with self.in_view(), self.probe.ours():
            part("api").Person(rig).apply_shape([1.5, -1.0])
        yield from self.settle()

    def again(self) -> Iterator[float]:
        """A received result takes the place of a person."""
        rig = next(thing for thing in bpy.data.objects if thing.type == "ARMATURE")
        self.put(self.options.result, "one.jpg", 1, replaces=rig.name)
        yield from self.settle()
        self.note_failure()

    def operator(self, name: str, home: Any = None, **options: Any) -> Iterator[float]:  # noqa: ANN401
        """Press a button."""
        rigs = [thing for thing in bpy.data.objects if "munet_bone_names" in thing]
        if bpy.context.object not in rigs:
            bpy.context.view_layer.objects.active = rigs[0]
        with self.in_view(), self.probe.ours():
            getattr(home or bpy.ops.munet, name)("EXEC_DEFAULT", **options)
        yield from self.settle()

    def rigify(self) -> Iterator[float]:
        """The control rig by Blender's own add-on."""
        bpy.ops.preferences.addon_enable(module="rigify")
        self.probe.beat()
        yield 0.5
        self.probe.found.pop(self.probe.step, None)
        yield from self.operator("control_rig")
        if not any("munet_control_rig" in thing for thing in bpy.data.objects):
            raise RuntimeError(str(part("session").current().failure))

    def bake(self) -> Iterator[float]:
        """Correctives of 100 frames to keyframes."""
        bpy.context.scene.frame_end = bpy.context.scene.frame_start + 99
        yield from self.operator("pose_correctives", mode="BAKE")

    def export(self, form: str, name: str, **options: str) -> Iterator[float]:
        """Write a file, wait until it is there."""
        path = self.options.out / name
        yield from self.operator(f"export_{form}", filepath=str(path), **options)
        if not path.is_file():
            raise FileNotFoundError(path)


def main() -> None:
    """Begin as soon as the window is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, required=True, help="the built extension")
    parser.add_argument("--result", type=Path, required=True, help="person_0.npz of a photo")
    parser.add_argument("--clip", type=Path, help="person_0.npz of a clip")
    parser.add_argument("--photo", type=Path, help="the photo of the result")
    parser.add_argument("--turned", type=Path, help="a large photo that its EXIF turns")
    parser.add_argument("--motion", type=Path, required=True, help="a long BVH file")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report and what is exported")
    parser.add_argument("--only", nargs="+", help="steps whose names hold one of these words")
    parser.add_argument("--pictures", action="store_true", help="take a picture of the window after every step")
    options = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])
    for name in ("zip", "result", "clip", "photo", "turned", "motion", "out"):
        if getattr(options, name) is not None:
            setattr(options, name, getattr(options, name).resolve())
    options.out.mkdir(parents=True, exist_ok=True)
    bpy.context.preferences.view.show_splash = False
    measurement = Measurement(options)
    bpy.app.timers.register(measurement.probe.beat, first_interval=1.0, persistent=True)
    bpy.app.timers.register(measurement.go, first_interval=2.0, persistent=True)


main()
