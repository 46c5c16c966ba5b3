"""Properties of the window manager: what the panel shows and no file keeps."""
# ruff: noqa: N801 - Blender prescribes the names of classes

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from ..errors import AddonError
from ..inputs import person_indices

_STATUS = (
    ("NEW", "Not Done", "Not reconstructed yet"),
    ("WAITING", "Waiting", "Waits for the photos before it"),
    ("RUNNING", "Running", "Is being reconstructed"),
    ("RECEIVED", "Received", "Waits to be inserted; leave Edit Mode"),
    ("DONE", "Done", "Is in the scene"),
    ("FAILED", "Failed", "Could not be reconstructed"),
    ("CANCELLED", "Cancelled", "Was cancelled"),
)
_PRESETS = (
    ("draft", "Draft", "Texture of 1024 pixels and half the refinement: to try out photos"),
    ("standard", "Standard", "Texture of 2048 pixels"),
    ("high", "High", "Texture of 4096 pixels and twice the refinement: the best there is, takes longest"),
)


class MUNET_PG_person(bpy.types.PropertyGroup):
    """One of the people found in a photo; ``name`` is the key of the small picture."""

    use: BoolProperty(name="Person", description="Reconstruct this person", default=True)


class MUNET_PG_image(bpy.types.PropertyGroup):
    """One photo of the list."""

    path: StringProperty(name="Path", subtype="FILE_PATH")
    status: EnumProperty(name="Status", items=_STATUS)
    message: StringProperty(name="Message")
    persons: StringProperty(
        name="Only People",
        description="Which people of this photo, for instance 1, 3; 1 is the largest, empty means all",
    )
    people: CollectionProperty(type=MUNET_PG_person)


class MUNET_PG_window(bpy.types.PropertyGroup):
    """The list of photos and the options."""

    images: CollectionProperty(type=MUNET_PG_image)
    active_image: IntProperty(name="Active photo", min=0)
    preset: EnumProperty(name="Quality", items=_PRESETS, default="standard")
    keep_materials: BoolProperty(
        name="Keep Materials", description="Keep the materials of the old meshes instead of the new texture"
    )
    max_persons: IntProperty(
        name="People", description="How many people of a photo to reconstruct, largest first", default=8, min=1, max=32
    )


# Functions instead of methods: Blender 4.2 crashes at its exit after a property group with methods was unregistered.
def job_settings(window: MUNET_PG_window) -> dict[str, Any]:
    """Return the settings of a job."""
    return {"preset": window.preset, "max_persons": window.max_persons}


def chosen_people(image: MUNET_PG_image) -> tuple[int, ...]:
    """Return the indices of the people to reconstruct, by their check boxes or else by number; empty means all.

    Raises:
        AddonError: BAD_PERSONS: nobody is ticked, or the text is no list of numbers.
    """
    if not image.people:
        return person_indices(image.persons)
    chosen = tuple(index for index, person in enumerate(image.people) if person.use)
    if not chosen:
        raise AddonError("BAD_PERSONS", "Nobody in this photo is ticked.", detail=image.name, hint="Tick a person.")
    return chosen if len(chosen) < len(image.people) else ()


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
