"""Try the extension as a new user would, in the window of a full Blender, with a screenshot of every step.

    blender --factory-startup --python scripts/blender_tour.py -- --zip dist/munet-0.1.0-linux_x64.zip \
        --wheels WHEEL_FOLDER --photos examples --motion walk.bvh --out OUT

Installs the zip, installs the backend from the folder of wheels (interrupted once), takes two photos, cancels once,
reconstructs, poses, animates, exports FBX and glb, undoes, saves and opens the file, switches the extension off and on,
closes. Writes tour.json: what happened, seconds, the longest times the window stood still in each step, how long the
main thread worked at a stretch (what other programs do not change), and tracebacks; prints both times as a table.
Steps that begin with "blender_" are Blender's own work, to compare with.
Use folders that nothing else uses: settings go to BLENDER_USER_RESOURCES, which should be an empty one.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from mathutils import Euler

sys.path.insert(0, str(Path(__file__).resolve().parent))
from _tour_mouse import can_drag
from _tour_report import Report

PACKAGE = "bl_ext.user_default.munet"
PHOTOS = ("standing-jacket.jpg", "astronaut.png")
DRAGS = 3


def part(name: str) -> Any:  # noqa: ANN401 a module of the installed extension
    """A module of the installed extension."""
    return importlib.import_module(f"{PACKAGE}.{name}")


class Tour(Report):
    """The steps, one after another, while the window lives."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options.out)
        self.options = options
        self._steps = self.steps()

    def go(self) -> float | None:
        """Take the next step; close Blender after the last one or a failure."""
        try:
            return next(self._steps)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001 the report holds whatever went wrong
            self.facts["errors"].append(traceback.format_exc())
        self.report()
        bpy.ops.wm.quit_blender()
        return None

    def steps(self) -> Iterator[float]:
        """The tour."""
        for step in (
            self.blender_installs_zip,
            self.enable_extension,
            self.install_backend,
            self.drop_photos,
            self.cancel,
            self.reconstruct,
            self.pose,
            self.animate,
            self.blender_draws,
            self.export,
            self.undo,
            self.switch_off,
            self.blender_undoes_alone,
            self.switch_on,
            self.undo_again,
            self.save,
            self.open,
            self.switch_off,
            self.blender_opens_alone,
            self.blender_is_dragged_over_alone,
            self.switch_on,
            self.stop,
        ):
            self.step = step.__name__
            start = time.monotonic()
            yield from step()
            self.facts["steps"].setdefault(self.step, {})["seconds"] = round(time.monotonic() - start, 1)

    def in_view(self) -> Any:  # noqa: ANN401 Blender's context manager
        """Work in the 3D view."""
        window = bpy.context.window_manager.windows[0]
        area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
        region = next(region for region in area.regions if region.type == "WINDOW")
        return bpy.context.temp_override(window=window, area=area, region=region)

    def wait(self, done: Any, what: str) -> Iterator[float]:  # noqa: ANN401 a function without arguments
        """Let the window live until something is so."""
        start = time.monotonic()
        while not done():
            if time.monotonic() - start > self.options.patience:
                raise TimeoutError(what)
            yield 0.2

    @property
    def session(self) -> Any:  # noqa: ANN401 of the extension
        """The extension's session."""
        return part("session").current()

    @property
    def state(self) -> str:
        """Of the backend."""
        return str(self.session.manager.state.value)

    def blender_installs_zip(self) -> Iterator[float]:
        """Install the zip; called by a script, Blender's operator waits for it."""
        bpy.ops.extensions.package_install_files(
            repo="user_default", filepath=str(self.options.zip), enable_on_install=False
        )
        yield 1.0

    def enable_extension(self) -> Iterator[float]:
        """Switch the extension on and open the panel."""
        bpy.ops.preferences.addon_enable(module=PACKAGE)
        yield 1.0
        area = next(a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D")
        area.spaces[0].show_region_ui = True
        yield 1.0
        next(region for region in area.regions if region.type == "UI").active_panel_category = "MuNet"
        for thing in list(bpy.data.objects):
            bpy.data.objects.remove(thing)
        area.spaces[0].shading.color_type = "TEXTURE"
        yield 1.0
        self.note(state=self.state)
        self.shot("extension-installed")

    def install_backend(self) -> Iterator[float]:
        """Install the backend from wheels, interrupted once."""
        preferences = part("preferences").preferences_of(bpy.context)
        preferences.install_folder = str(self.out / "backend")
        preferences.models_folder = str(self.options.models or self.out / "models")
        preferences.wheel_folder = str(self.options.wheels)
        yield 0.5
        bpy.ops.munet.install_backend()
        manager = self.session.manager
        yield from self.wait(lambda: self.state != "installing" or manager.task.fraction > 0.05, "the installation")
        yield 0.3
        self.shot("backend-installing")
        bpy.ops.munet.cancel_installation()
        yield from self.wait(lambda: self.state != "installing", "the installation to be cancelled")
        self.note(cancelled=self.state)
        yield 1.0
        self.shot("installation-cancelled")
        bpy.ops.munet.install_backend()
        yield from self.wait(lambda: self.state != "installing", "the installation")
        yield 1.0
        self.note(state=self.state, failure=str(self.session.manager.failure))
        self.shot("backend-installed")

    def drop_photos(self) -> Iterator[float]:
        """Drag the photos from a file manager onto the view; without one, call the operator of the drop."""
        if can_drag():
            yield from self.drag_photos()
        else:
            with self.in_view():
                files = [{"name": name} for name in PHOTOS]
                bpy.ops.munet.add_images(directory=str(self.options.photos), files=files)
        yield 1.5
        self.note(by_mouse=can_drag())
        self.note(photos=[image.name for image in bpy.context.window_manager.munet.images])
        self.shot("photos-added")

    def drag(self) -> subprocess.Popen[bytes]:
        """Let the mouse drag both photos over the 3D view and choose MuNet where Blender asks who shall take them."""
        script = Path(__file__).resolve().with_name("_tour_mouse.py")
        pictures = [str(self.out / f"{name}.png") for name in ("dragging", "dropped")]
        return subprocess.Popen([sys.executable, str(script), str(self.out / "photos"), "480", "700", *pictures])

    def drag_photos(self) -> Iterator[float]:
        """Drag both photos with the mouse, until they have arrived."""
        folder = self.out / "photos"
        folder.mkdir()
        for name in PHOTOS:
            shutil.copy2(self.options.photos / name, folder)
        pictures = [self.next_shot(name) for name in ("dragging", "dropped")]
        for _ in range(DRAGS):
            hand = self.drag()
            yield from self.wait(lambda: hand.poll() is not None, "the mouse")  # noqa: B023 it ends in this turn
            yield 1.0
            if len(bpy.context.window_manager.munet.images) == len(PHOTOS):
                for picture in pictures:
                    (self.out / picture.name.partition("-")[2]).replace(picture)
                return
            self.note(dragged_again=True)
        raise RuntimeError("the photos that were dropped did not arrive")

    def cancel(self) -> Iterator[float]:
        """Cancel a run that has begun."""
        bpy.ops.munet.reconstruct()
        yield from self.wait(lambda: self.state == "busy" or not self.session.working, "the run to begin")
        yield 1.5
        self.shot("working")
        bpy.ops.munet.cancel_reconstruction()
        yield from self.wait(lambda: not self.session.working, "the run to be cancelled")
        yield 1.0
        self.note(photos=[image.status for image in bpy.context.window_manager.munet.images])
        self.shot("cancelled")

    def reconstruct(self) -> Iterator[float]:
        """Reconstruct both photos."""
        bpy.ops.munet.reconstruct()
        yield from self.wait(lambda: not self.session.working, "the people")
        yield 2.0
        with self.in_view():
            bpy.context.region_data.view_rotation = Euler((1.4, 0.0, 0.35)).to_quaternion()
            bpy.ops.view3d.view_all()
        yield 2.0
        statuses = [image.status for image in bpy.context.window_manager.munet.images]
        self.note(photos=statuses, failure=str(self.session.failure), rigs=[rig.name for rig in self.rigs()])
        if not self.rigs():
            raise RuntimeError(f"expected people, found {statuses}, {self.session.failure}")
        self.shot("reconstructed")

    def rigs(self) -> list[bpy.types.Object]:
        """The people's armatures."""
        return [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]

    def activate(self, rig: bpy.types.Object) -> None:
        """Select one armature alone."""
        for thing in bpy.context.view_layer.objects:
            thing.select_set(thing == rig)
        bpy.context.view_layer.objects.active = rig

    def pose(self) -> Iterator[float]:
        """T-pose, and back to the photo's; an undo step each, as a click on the button gives."""
        rig = self.rigs()[0]
        self.activate(rig)
        with self.in_view():
            bpy.ops.munet.apply_pose("EXEC_DEFAULT", True, pose="REST")
            yield 3.0
        self.shot("t-pose")
        with self.in_view():
            bpy.ops.munet.apply_pose("EXEC_DEFAULT", True, pose="PHOTO")
        yield 1.0

    def animate(self) -> Iterator[float]:
        """Bring a motion onto the rig and play it."""
        self.activate(self.rigs()[0])
        with self.in_view():
            bpy.ops.munet.import_motion("EXEC_DEFAULT", True, filepath=str(self.options.motion))
        yield from self.wait(lambda: self.session.work is None, "the motion")
        yield 1.0
        scene = bpy.context.scene
        action = self.rigs()[0].animation_data.action
        first, last = (int(value) for value in action.frame_range)
        scene.frame_end = last
        for frame in range(first, min(first + 100, last), 2):
            scene.frame_set(frame)
            yield 0.02
        scene.frame_set((first + last) // 2)
        yield 1.0
        self.note(frames=[first, last])
        self.shot("animated")

    def blender_draws(self) -> Iterator[float]:
        """Select the other rig and this one again, which is drawn anew and changes nothing else."""
        for rig in (self.rigs()[-1], self.rigs()[0]) * 2:
            self.activate(rig)
            yield 1.0

    def export(self) -> Iterator[float]:
        """Write FBX and glb."""
        self.activate(self.rigs()[0])
        for name, function in (("person.glb", bpy.ops.munet.export_gltf), ("person.fbx", bpy.ops.munet.export_fbx)):
            path = self.out / name
            with self.in_view():
                function(filepath=str(path), pose="ANIMATION")
            yield from self.wait(path.is_file, path.name)
            yield 2.0
            self.note(**{name: path.stat().st_size})
            yield 1.0
        self.shot("exported")

    def undo(self) -> Iterator[float]:
        """Take steps back until one person is gone; the other stays."""
        yield from self.back_and_forth("undone")

    def undo_again(self) -> Iterator[float]:
        """Take the same steps back with the extension once more, what Blender has to read in having been read."""
        yield from self.back_and_forth("")

    def blender_undoes_alone(self) -> Iterator[float]:
        """Take the same steps back without the extension."""
        yield from self.back_and_forth("")

    def back_and_forth(self, picture: str) -> Iterator[float]:
        """Take steps back until one person is gone, and forth again."""
        before = len(self.rigs())
        count = 0
        while len(self.rigs()) == before and count < 12:
            with self.in_view():
                bpy.ops.ed.undo()
            count += 1
            yield 0.5
        self.note(steps=count, before=before, after=len(self.rigs()))
        yield 1.0
        if picture:
            self.shot(picture)
        for _ in range(count):
            with self.in_view():
                bpy.ops.ed.redo()
            yield 0.3
        self.note(redone=len(self.rigs()))

    def save(self) -> Iterator[float]:
        """Save the scene."""
        bpy.ops.wm.save_as_mainfile(filepath=str(self.out / "scene.blend"))
        yield 1.0

    def opened(self) -> Iterator[float]:
        """Open the scene twice: what was in memory before the first time is not the same."""
        for _ in range(2):
            bpy.ops.wm.open_mainfile(filepath=str(self.out / "scene.blend"))
            yield 3.0

    def open(self) -> Iterator[float]:
        """Open the scene again."""
        yield from self.opened()
        self.note(rigs=[rig.name for rig in self.rigs()], state=self.state)
        self.shot("opened-again")

    def switch_off(self) -> Iterator[float]:
        """Switch the extension off."""
        bpy.ops.preferences.addon_disable(module=PACKAGE)
        yield 2.0
        self.shot_once("switched-off")

    def blender_opens_alone(self) -> Iterator[float]:
        """Open the scene without the extension."""
        yield from self.opened()

    def blender_is_dragged_over_alone(self) -> Iterator[float]:
        """Drag the photos over the window, without the extension."""
        if can_drag():
            hand = self.drag()
            yield from self.wait(lambda: hand.poll() is not None, "the mouse")
        yield 1.0

    def switch_on(self) -> Iterator[float]:
        """Switch the extension on again."""
        bpy.ops.preferences.addon_enable(module=PACKAGE)
        yield 3.0
        self.note(state=self.state)
        self.shot_once("switched-on")

    def stop(self) -> Iterator[float]:
        """Start the backend once more, so that closing has to end it."""
        bpy.ops.munet.start_backend()
        yield from self.wait(lambda: self.state in {"ready", "failed"}, "the backend")
        yield 1.0
        self.note(state=self.state)


def main() -> None:
    """Begin the tour as soon as the window is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, required=True, help="the built extension")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of wheels of everything the backend needs")
    parser.add_argument("--photos", type=Path, required=True, help=f"folder of {' and '.join(PHOTOS)}")
    parser.add_argument("--motion", type=Path, required=True, help="a BVH file")
    parser.add_argument("--out", type=Path, required=True, help="empty folder for pictures, report and backend")
    parser.add_argument("--patience", type=float, default=1200.0, help="most seconds to wait for one thing")
    parser.add_argument("--models", type=Path, help="folder of model files that are there already")
    options = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])
    for name in ("zip", "wheels", "photos", "motion", "out"):
        setattr(options, name, getattr(options, name).resolve())
    options.out.mkdir(parents=True, exist_ok=True)
    bpy.context.preferences.view.show_splash = False
    tour = Tour(options)
    bpy.app.timers.register(tour.beat, first_interval=1.0, persistent=True)
    bpy.app.timers.register(tour.go, first_interval=2.0, persistent=True)


main()
