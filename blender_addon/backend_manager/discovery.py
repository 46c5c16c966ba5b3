"""Where the backend is on this computer. No bpy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..backend.client import LaunchOptions
from ..errors import AddonError

_ENVIRONMENT = Path(".envs") / "backend"
_PROGRAM = Path("Scripts/python.exe") if os.name == "nt" else Path("bin/python")
_HINT = "Open the preferences of the extension and choose the MuNet folder, or the Python the backend is installed in."


@dataclass(frozen=True)
class BackendPlace:
    """What the user has set.

    Attributes:
        folder: the MuNet folder, holding ``.envs`` and the package ``backend``; empty if unknown.
        python: interpreter of the backend; empty takes the one of ``folder``.
        run_file: run file of a backend somebody else has started; empty starts an own one.
        share: join a backend of this user that already runs on this computer before an own one is started.
        device: torch device name, or "auto".
        idle_minutes: the backend ends after this long without a client.
        module: what to run instead of ``backend``, for tests.
        arguments: more arguments for the module.
    """

    folder: str = ""
    python: str = ""
    run_file: str = ""
    share: bool = False
    device: str = "auto"
    idle_minutes: float = 10.0
    module: str = "backend"
    arguments: tuple[str, ...] = ()


def place_from_environment(place: BackendPlace) -> BackendPlace:
    """Fill what ``place`` leaves open from the variables MUNET_FOLDER, MUNET_PYTHON and MUNET_RUN_FILE."""
    return BackendPlace(
        folder=place.folder or os.environ.get("MUNET_FOLDER", ""),
        python=place.python or os.environ.get("MUNET_PYTHON", ""),
        run_file=place.run_file or os.environ.get("MUNET_RUN_FILE", ""),
        share=place.share,
        device=place.device,
        idle_minutes=place.idle_minutes,
        module=place.module,
        arguments=place.arguments,
    )


def _interpreter(place: BackendPlace) -> Path:
    if place.python:
        return Path(place.python)
    if not place.folder:
        raise AddonError("NO_BACKEND", "The extension does not know where the backend is.", hint=_HINT)
    environments = Path(os.environ.get("MUNET_ENVS") or Path(place.folder) / ".envs")
    return environments / _ENVIRONMENT.name / _PROGRAM


def launch_options(place: BackendPlace) -> LaunchOptions:
    """Return how to start the backend at ``place``.

    Raises:
        AddonError: NO_BACKEND: nothing is set, or there is no such interpreter or folder.
    """
    python = _interpreter(place)
    if not python.is_file():
        raise AddonError(
            "NO_BACKEND", "The backend's Python was not found.", detail=f"Looked for {python}.", hint=_HINT
        )
    root = Path(place.folder) if place.folder else None
    if root is not None and not root.is_dir():
        raise AddonError("NO_BACKEND", "The MuNet folder was not found.", detail=f"Looked for {root}.", hint=_HINT)
    return LaunchOptions(
        python=python,
        root=root,
        device=place.device,
        idle_minutes=place.idle_minutes,
        module=place.module,
        arguments=place.arguments,
    )


def backend_known(place: BackendPlace) -> bool:
    """Tell whether a backend can be started or joined as ``place`` says; looks for the files only."""
    if place.run_file:
        return Path(place.run_file).is_file()
    try:
        launch_options(place)
    except AddonError:
        return False
    return True
