"""The preferences of the extension."""
# ruff: noqa: N801 - Blender prescribes the names of classes

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from .backend_manager.discovery import BackendPlace, place_from_environment

_DEVICES = (
    ("auto", "Automatic", "The fastest device there is"),
    ("cpu", "Processor", "Works everywhere"),
    ("cuda", "NVIDIA", "A graphics card with CUDA"),
    ("mps", "Apple", "The graphics of Apple silicon"),
)


class MUNET_AP_preferences(bpy.types.AddonPreferences):
    """Where the backend is and how it runs."""

    bl_idname = __package__

    backend_folder: StringProperty(
        name="MuNet folder",
        description="Folder of MuNet with the backend's environment; run `python scripts/reconstruct.py` there once",
        subtype="DIR_PATH",
    )
    backend_python: StringProperty(
        name="Python",
        description="Python interpreter the backend is installed in; empty takes the one of the MuNet folder",
        subtype="FILE_PATH",
    )
    run_file: StringProperty(
        name="Run file",
        description="Use a backend that is already running and published this file; empty starts an own one",
        subtype="FILE_PATH",
    )
    share: BoolProperty(
        name="Share backend",
        description="Use a backend that another Blender on this computer has started; off always starts an own one",
        default=True,
    )
    device: EnumProperty(name="Device", description="What the backend computes on", items=_DEVICES)
    idle_minutes: FloatProperty(
        name="Idle minutes",
        description="The backend ends by itself after this long without a client",
        default=10.0,
        min=0.5,
        max=1440.0,
    )

    show_guide: BoolProperty(name="First steps", description="Show the first steps in the panel", default=True)

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "backend_folder")
        layout.prop(self, "backend_python")
        layout.prop(self, "device")
        layout.prop(self, "idle_minutes")
        layout.prop(self, "share")
        layout.prop(self, "run_file")
        layout.prop(self, "show_guide")


def preferences_of(context: bpy.types.Context) -> MUNET_AP_preferences | None:
    """Return the preferences of the extension, None while Blender does not hold any."""
    addon = context.preferences.addons.get(__package__)
    return addon.preferences if addon is not None else None


def backend_place(context: bpy.types.Context) -> BackendPlace:
    """Return where the user's preferences, or else the environment, say the backend is."""
    preferences = preferences_of(context)
    if preferences is None:
        return place_from_environment(BackendPlace())
    return place_from_environment(
        BackendPlace(
            folder=bpy.path.abspath(preferences.backend_folder),
            python=bpy.path.abspath(preferences.backend_python),
            run_file=bpy.path.abspath(preferences.run_file),
            share=preferences.share,
            device=preferences.device,
            idle_minutes=preferences.idle_minutes,
        )
    )
