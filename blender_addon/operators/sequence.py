"""The operator that turns a video or numbered pictures into a person with its motion."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, IntProperty, StringProperty

from ..backend_manager.batch import Clip, Entry, Kind
from ..errors import AddonError
from ..inputs import IMAGE_ENDINGS, VIDEO_ENDINGS, clip_at
from ..language import failure_text
from .reconstruct import begin

_GLOB = ";".join(f"*{ending}" for ending in (*VIDEO_ENDINGS, *IMAGE_ENDINGS))
_MOST = 1_000_000


class MUNET_OT_reconstruct_sequence(bpy.types.Operator):
    """Turn the person in a video, or in numbered pictures, into a rigged, dressed person with keyed motion"""

    bl_idname = "munet.reconstruct_sequence"
    bl_label = "Reconstruct Video or Sequence"

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})
    filter_glob: StringProperty(default=_GLOB, options={"HIDDEN"})
    first: IntProperty(name="First Frame", description="First frame of the file to use, from 0", min=0, max=_MOST)
    last: IntProperty(name="Last Frame", description="Last frame of the file to use; 0 means all", min=0, max=_MOST)
    step: IntProperty(
        name="Every",
        description="Use every so many-th frame; the motion between is filled in",
        default=1,
        min=1,
        max=100,
    )
    fps: FloatProperty(
        name="Frame Rate of File", description="0 takes what the file states", default=0.0, min=0.0, max=1000.0
    )
    smoothing: FloatProperty(
        name="Smoothing",
        description="0 keeps the motion as measured, 1 makes it very smooth",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    plant_feet: BoolProperty(name="Hold Feet", description="Feet that rest on the ground slide less", default=True)
    person: IntProperty(
        name="Person", description="Whom to follow, 1 is the largest in the first frame", default=1, min=1, max=32
    )
    still: IntProperty(
        name="Texture from Frame",
        description="Frame of the file that clothes and texture come from; -1 takes the best one",
        default=-1,
        min=-1,
        max=_MOST,
    )
    frame_start: IntProperty(name="Start Frame", description="Frame of the first key", default=1)
    follow: BoolProperty(
        name="Scene Follows",
        description="Give the scene the frame rate, the length and the camera of the clip",
        default=True,
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the files, unless they were dropped."""
        if self.files:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the options beside the file list."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for names in (("first", "last", "step", "fps"), ("smoothing", "plant_feet"), ("person", "still")):
            column = layout.column(align=True)
            for name in names:
                column.prop(self, name)
        layout.prop(self, "frame_start")
        layout.prop(self, "follow")

    def _clip_settings(self) -> dict[str, Any]:
        """Return the fields of the backend's clip settings."""
        names = ("first", "last", "step", "fps", "smoothing", "plant_feet", "still")
        return {**{name: getattr(self, name) for name in names}, "person": self.person - 1}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the clip at the end of what is being worked on; in background mode return when it is done."""
        folder = Path(bpy.path.abspath(self.directory))
        try:
            files, name = clip_at([folder / file.name for file in self.files if file.name])
        except AddonError as error:
            self.report({"ERROR"}, failure_text(error))
            return {"CANCELLED"}
        clip = Clip(files, name, self._clip_settings(), self.frame_start, self.follow)
        return begin(self, context, [Entry(files[0], kind=Kind.SEQUENCE, clip=clip)])


class MUNET_FH_clips(bpy.types.FileHandler):
    """Videos dropped onto a 3D view."""

    bl_idname = "MUNET_FH_clips"
    bl_label = "MuNet: Reconstruct Motion"
    bl_import_operator = "munet.reconstruct_sequence"
    bl_file_extensions = ";".join(VIDEO_ENDINGS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Take videos in 3D views alone."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (MUNET_OT_reconstruct_sequence, MUNET_FH_clips)
