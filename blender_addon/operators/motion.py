"""The operator that brings motion onto a rig."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..people import rig_of
from ..steps import Beside, Steps
from .doing import do_in_steps, the_person
from .polling import on_person, without_control_rig, without_ik

if TYPE_CHECKING:
    from ..motion.keys import MotionOptions

_STEPS = 65

_UP = (
    ("AUTO", "Automatic", "The axis along which the trunk lies"),
    ("Y", "Y Up", "As most BVH files and SMPL poses have it"),
    ("Z", "Z Up", "As AMASS files have it"),
    ("-Y", "Y Down", "As poses before a camera have it"),
)
_SAMPLING = (
    ("SCENE", "Scene Frames", "One key on every frame of the scene, at the speed of the file"),
    ("FILE", "File Samples", "One key for every sample of the file, also between the frames of the scene"),
)
_FLOOR = (
    ("CLIP", "Feet on the Floor", "Move the clip as a whole, so that who stands stands on the floor and jumps stay"),
    ("FRAME", "Always on the Floor", "Put the lowest point on the floor in every frame"),
    ("FILE", "As in the File", "Keep the heights of the file"),
)
_TRAVEL = (
    ("START", "From Here", "Begin where the person stands"),
    ("IN_PLACE", "In Place", "Leave out the way over the floor, for cycles in games"),
    ("FILE", "As in the File", "Keep the places of the file"),
)


class MUNET_OT_import_motion(bpy.types.Operator):
    """Animate the person with a BVH file (CMU, Mixamo, Rokoko and others) or SMPL poses (AMASS npz, npz, json)"""

    bl_idname = "munet.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER"}  # noqa: RUF012

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.bvh;*.npz;*.json", options={"HIDDEN"})
    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})
    frame_start: IntProperty(name="Start Frame", description="Frame of the first key", default=1)
    fps: FloatProperty(
        name="Frame Rate of File", description="0 takes what the file states", default=0.0, min=0.0, max=1000.0
    )
    sampling: EnumProperty(name="Set Keys", description="Where keys are set", items=_SAMPLING)
    up: EnumProperty(name="Up Axis", description="Which way is up in the file", items=_UP)
    floor: EnumProperty(name="Floor Level", description="How high the person is", items=_FLOOR)
    travel: EnumProperty(name="Way", description="Where the person goes", items=_TRAVEL)
    scale: FloatProperty(
        name="Way Scale",
        description="Factor on the way of the hips; BVH files are fitted to the length of the legs before",
        default=1.0,
        min=0.001,
        max=1000.0,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Allow it on a person whose bones no controls hold."""
        if not on_person(cls, context, "OBJECT", "POSE"):
            return False
        rig = rig_of(context.object)
        return without_ik(cls, rig) and without_control_rig(cls, rig)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the options beside the file list."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("frame_start", "sampling", "fps", "up", "floor", "travel", "scale"):
            layout.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file and key the rig."""
        from ..motion.keys import MotionOptions

        options = MotionOptions(
            fps=self.fps,
            up=self.up,
            start=self.frame_start,
            sampling=self.sampling,
            scale=self.scale,
            floor=self.floor,
            travel=self.travel,
        )
        rig, render = rig_of(context.object), context.scene.render
        path, rate = Path(bpy.path.abspath(self.filepath)), render.fps / render.fps_base
        return do_in_steps(
            self, "key", _importing(rig.name, path, options, rate), expected=_STEPS, modes=("OBJECT", "POSE")
        )


def _importing(rig_name: str, path: Path, options: MotionOptions, rate: float) -> Callable[[], Steps[str]]:
    """Return what reads the file and keys the rig in steps; they return what is to be told."""
    from ..motion.keys import adding_motion, reader

    def begin() -> Steps[str]:
        rig = the_person(rig_name)
        clip = yield Beside(reader(path, rig, options))
        action = yield from adding_motion(rig, clip, options, rate)
        last = round(action.frame_range[1])
        return " ".join((f"{action.name}: frames {options.start} to {last}.", *clip.notes))

    return begin


CLASSES = (MUNET_OT_import_motion,)
