"""The preferences of the extension."""
# ruff: noqa: N801 - Blender prescribes the names of classes

import functools
from pathlib import Path
from typing import cast

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from . import edition
from .backend_manager.discovery import BackendPlace, place_from_environment
from .backend_manager.installation import find_installation
from .errors import AddonError

_SOURCES = (
    ("OWN", "Installed Here", "The backend that this extension has installed, or that was installed by hand"),
    ("EXISTING", "Existing", "An environment or a MuNet folder of yours"),
    ("REMOTE", "Another Computer", "A backend that runs on another computer"),
)
_DEVICES = (
    ("auto", "Automatic", "The fastest device there is"),
    ("cpu", "Processor", "Works everywhere"),
    ("cuda", "NVIDIA", "A graphics card with CUDA"),
    ("mps", "Apple", "The graphics of Apple silicon"),
)
_VARIANTS = (
    ("auto", "Automatic", "The build for this computer's graphics card and driver"),
    ("cpu", "Processor", "Works everywhere"),
    ("mps", "Apple", "The graphics of Apple silicon"),
    ("cu126", "NVIDIA, CUDA 12", "For drivers from 525, and cards from the GTX 900 series"),
    ("cu130", "NVIDIA, CUDA 13", "For drivers from 580, and cards from the RTX 20 and GTX 16 series"),
)
_LEVELS = (
    ("error", "Errors", "Only what failed"),
    ("warning", "Warnings", "What failed or nearly so"),
    ("info", "Usual", "What is done"),
    ("debug", "Everything", "For a report of a problem"),
)


def _look_again(_preferences: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    from .session import look_again

    look_again(backend_place(context))


def _use_existing(preferences: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    if preferences.backend_folder or preferences.backend_python:
        preferences.source = "EXISTING"
    _look_again(preferences, context)


def _use_remote(preferences: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    if preferences.endpoint:
        preferences.source = "REMOTE"
    _look_again(preferences, context)


class MUNET_AP_preferences(bpy.types.AddonPreferences):
    """Where the backend is and how it runs."""

    bl_idname = __package__

    source: EnumProperty(
        name="Backend", description="Which backend is used", items=_SOURCES, default="OWN", update=_look_again
    )
    install_folder: StringProperty(
        name="Install Folder",
        description="Where the backend is installed; empty takes your own folder for programs' data",
        subtype="DIR_PATH",
        update=_look_again,
    )
    wheel_folder: StringProperty(
        name="Folder of Wheels",
        description="Install from this folder, without network; made by `python build_addon.py --wheel-folder FOLDER`",
        subtype="DIR_PATH",
    )
    variant: EnumProperty(name="Libraries", description="Which build of the libraries is installed", items=_VARIANTS)
    backend_folder: StringProperty(
        name="MuNet Folder",
        description="Folder of MuNet with the backend's environment; run `python scripts/reconstruct.py` there once",
        subtype="DIR_PATH",
        update=_use_existing,
    )
    backend_python: StringProperty(
        name="Python",
        description="Python interpreter the backend is installed in; empty takes the one of the MuNet folder",
        subtype="FILE_PATH",
        update=_use_existing,
    )
    run_file: StringProperty(
        name="Run File",
        description="Use a backend that is already running and published this file; empty starts an own one",
        subtype="FILE_PATH",
        update=_look_again,
    )
    endpoint: StringProperty(
        name="Address", description="Name or address and port of the other computer, host:port", update=_use_remote
    )
    server_key: StringProperty(name="Its Public Key", description="40 letters that the other computer's backend shows")
    key_file: StringProperty(
        name="My Key File",
        description="Your own key (.key_secret), which the other computer's backend must know",
        subtype="FILE_PATH",
    )
    share: BoolProperty(
        name="Share Backend",
        description="Use a backend that another Blender on this computer has started; off always starts an own one",
        default=True,
        update=_look_again,
    )
    device: EnumProperty(name="Device", description="What the backend computes on", items=_DEVICES)
    memory_gigabytes: FloatProperty(
        name="Memory Limit (GB)",
        description="Most memory a photo may take, of the graphics card where one is used; 0 for no limit",
        default=0.0,
        min=0.0,
        max=1024.0,
    )
    unload_minutes: FloatProperty(
        name="Free Memory After (min)",
        description="The models leave the memory, also the graphics card's, after this long without a photo",
        default=10.0,
        min=0.1,
        max=1440.0,
    )
    idle_minutes: FloatProperty(
        name="End When Idle (min)",
        description="The backend ends by itself after this long without a client",
        default=10.0,
        min=0.5,
        max=1440.0,
    )
    models_folder: StringProperty(
        name="Model Files",
        description="Folder of the networks' files; empty takes your own cache folder",
        subtype="DIR_PATH",
    )
    results_folder: StringProperty(
        name="Keep Results In",
        description="Every result is saved in this folder too, for Import Result; empty keeps none",
        subtype="DIR_PATH",
    )
    log_level: EnumProperty(
        name="Log Level", description="How much the backend's log says", items=_LEVELS, default="info"
    )
    body_file: StringProperty(
        name="Licensed Body",
        description="SMPL, SMPL-H or SMPL-X file (.npz or .pkl) to use in place of the default body; empty uses that",
        subtype="FILE_PATH",
    )
    show_guide: BoolProperty(name="First Steps", description="Show the first steps in the panel", default=True)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        from .panels.preference_parts import draw_preferences

        draw_preferences(self.layout, self, context)


def preferences_of(context: bpy.types.Context) -> MUNET_AP_preferences | None:
    """Return the preferences of the extension, None while Blender does not hold any."""
    addon: bpy.types.Addon | None = context.preferences.addons.get(__package__)
    return cast(MUNET_AP_preferences, addon.preferences) if addon is not None else None


def install_folder(context: bpy.types.Context) -> Path:
    """Return the folder that the backend is installed in; of the edition with the installer."""
    from .installer.folders import default_folder

    preferences = preferences_of(context)
    chosen = bpy.path.abspath(preferences.install_folder) if preferences is not None else ""
    return Path(chosen) if chosen else default_folder()


@functools.cache
def _bundle_fingerprint() -> str:
    """Return what an installation must have been made from; empty without a bundle."""
    if not edition.INSTALLER:
        return ""
    from .installer.bundle import read_bundle

    try:
        return read_bundle().fingerprint
    except AddonError:
        return ""


def backend_place(context: bpy.types.Context) -> BackendPlace:
    """Return where the user's preferences, or else the environment, say the backend is."""
    preferences = preferences_of(context)
    if preferences is None:
        return place_from_environment(BackendPlace())
    return place_from_environment(
        BackendPlace(
            **_source(preferences, context),
            run_file=bpy.path.abspath(preferences.run_file),
            share=preferences.share,
            device=preferences.device,
            idle_minutes=preferences.idle_minutes,
            unload_minutes=preferences.unload_minutes,
            memory_gigabytes=preferences.memory_gigabytes,
            log_level=preferences.log_level,
            models_folder=bpy.path.abspath(preferences.models_folder),
            body_file=bpy.path.abspath(preferences.body_file),
        )
    )


def _source(preferences: MUNET_AP_preferences, context: bpy.types.Context) -> dict[str, str]:
    """Return what the chosen source says; where nothing is installed, folder and Python count as before."""
    if preferences.source == "REMOTE":
        key_file = bpy.path.abspath(preferences.key_file)
        return {"endpoint": preferences.endpoint or "?", "server_key": preferences.server_key, "key_file": key_file}
    own = {}
    if preferences.source == "OWN" and edition.INSTALLER:
        folder = install_folder(context)
        own = {"install_folder": str(folder), "expected": _bundle_fingerprint()}
        if find_installation(folder) is not None:
            return own
    existing = {
        "folder": bpy.path.abspath(preferences.backend_folder),
        "python": bpy.path.abspath(preferences.backend_python),
    }
    return own | existing
