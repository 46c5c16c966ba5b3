"""Properties of the window manager: what the panel shows and no file keeps."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path
from typing import Any

import bpy
from bpy.props import CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

_STATUS = (
    ("NEW", "New", "Not reconstructed yet"),
    ("WAITING", "Waiting", "Waits for the photos before it"),
    ("RUNNING", "Running", "Is being reconstructed"),
    ("RECEIVED", "Received", "Waits to be inserted; leave Edit Mode"),
    ("DONE", "Done", "Is in the scene"),
    ("FAILED", "Failed", "Could not be reconstructed"),
    ("CANCELLED", "Cancelled", "Was cancelled"),
)
_PRESETS = (
    ("draft", "Draft", "Half the texture and half the refinement"),
    ("standard", "Standard", "2048 pixels of texture"),
    ("high", "High", "4096 pixels of texture and twice the refinement"),
)


class MUNET_PG_image(bpy.types.PropertyGroup):
    """One photo of the list."""

    path: StringProperty(name="Path", subtype="FILE_PATH")
    status: EnumProperty(name="Status", items=_STATUS)
    message: StringProperty(name="Message")
    persons: StringProperty(
        name="Only People",
        description="Which people of this photo, for instance 1, 3; 1 is the largest, empty means all",
    )


class MUNET_PG_window(bpy.types.PropertyGroup):
    """The list of photos and the options."""

    images: CollectionProperty(type=MUNET_PG_image)
    active_image: IntProperty(name="Active photo", min=0)
    preset: EnumProperty(name="Quality", items=_PRESETS, default="standard")
    max_persons: IntProperty(
        name="People", description="How many people of a photo to reconstruct, largest first", default=8, min=1, max=32
    )


# Functions instead of methods: Blender 4.2 crashes at its exit after a property group with methods was unregistered.
def job_settings(window: MUNET_PG_window) -> dict[str, Any]:
    """Return the settings of a job."""
    return {"preset": window.preset, "max_persons": window.max_persons}


def add_image(window: MUNET_PG_window, path: Path) -> bool:
    """Append a photo unless it is in the list; return whether it was appended."""
    if any(image.path == str(path) for image in window.images):
        return False
    image = window.images.add()
    image.name, image.path = path.name, str(path)
    window.active_image = len(window.images) - 1
    return True


def add_properties() -> None:
    """Hang the properties on the window manager."""
    bpy.types.WindowManager.munet = PointerProperty(type=MUNET_PG_window)


def remove_properties() -> None:
    """Take the properties away."""
    del bpy.types.WindowManager.munet
