"""Where the backend is on this computer. No bpy."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ..backend.client import LaunchOptions
from ..backend.protocol import MAJOR, find_run_files
from ..backend.protocol.places import runtime_dir
from ..errors import AddonError
from .installation import Installation, find_installation, is_half_done, registered_installation
from .states import State

_ENVIRONMENT = Path(".envs") / "backend"
_PROGRAM = Path("Scripts/python.exe") if os.name == "nt" else Path("bin/python")
_HINT = "Press Install Backend, or choose in the preferences where the backend is."


@dataclass(frozen=True)
class BackendPlace:
    """What the user has set.

    Attributes:
        folder: the MuNet folder, holding ``.envs`` and the package ``backend``; empty if unknown.
        python: interpreter of the backend; empty takes the one of ``folder``.
        run_file: run file of a backend somebody else has started; empty starts an own one.
        install_folder: folder of the installer; empty where the extension does not install.
        expected: fingerprint that an installation in ``install_folder`` must have; empty takes any.
        endpoint: host:port of a backend on another computer; empty starts an own one.
        server_key: public CURVE key (Z85) of that backend.
        key_file: file with the key pair that it knows this user by.
        share: join a backend of this user that already runs on this computer before an own one is started.
        device: torch device name, or "auto".
        idle_minutes: the backend ends after this long without a client.
        unload_minutes: the models leave the memory after this long without a photo.
        memory_gigabytes: most memory a photo may take; 0 for no limit.
        log_level: of the backend's log.
        models_folder: of the model files; empty takes the user's own.
        body_file: licensed body file, on the backend's computer; empty takes the default body.
        module: what to run instead of ``backend``, for tests.
        arguments: more arguments for the module.
    """

    folder: str = ""
    python: str = ""
    run_file: str = ""
    install_folder: str = ""
    expected: str = ""
    endpoint: str = ""
    server_key: str = ""
    key_file: str = ""
    share: bool = False
    device: str = "auto"
    idle_minutes: float = 10.0
    unload_minutes: float = 10.0
    memory_gigabytes: float = 0.0
    log_level: str = "info"
    models_folder: str = ""
    body_file: str = ""
    module: str = "backend"
    arguments: tuple[str, ...] = ()


def place_from_environment(place: BackendPlace) -> BackendPlace:
    """Fill what ``place`` leaves open from the variables MUNET_FOLDER, MUNET_PYTHON and MUNET_RUN_FILE."""
    if place.endpoint:
        return place
    return replace(
        place,
        folder=place.folder or os.environ.get("MUNET_FOLDER", ""),
        python=place.python or os.environ.get("MUNET_PYTHON", ""),
        run_file=place.run_file or os.environ.get("MUNET_RUN_FILE", ""),
    )


def installation_at(place: BackendPlace) -> Installation | None:
    """Return the installation that ``place`` leads to where nothing more exact is set: the installer's, or one that
    has announced itself.
    """
    if place.python or place.folder:
        return None
    own = find_installation(Path(place.install_folder)) if place.install_folder else None
    return own or registered_installation()


def standing(place: BackendPlace) -> tuple[State, str]:
    """Return whether the backend at ``place`` is there, must be updated or is missing, and what the user should know.

    Looks at a few small files only.
    """
    if place.run_file or place.endpoint:
        return State.STOPPED, ""
    if place.share and find_run_files(runtime_dir()):
        return State.STOPPED, ""
    installed = installation_at(place)
    if installed is not None and is_outdated(place, installed):
        return State.UPDATE_NEEDED, f"{installed.version} ({installed.variant})"
    try:
        launch_options(place)
    except AddonError as error:
        half = bool(place.install_folder) and is_half_done(Path(place.install_folder))
        return State.NOT_INSTALLED, "An installation was interrupted." if half else error.detail
    return State.STOPPED, f"{installed.version} ({installed.variant or installed.python})" if installed else ""


def is_outdated(place: BackendPlace, installed: Installation) -> bool:
    """Return whether an installation can not be used with this extension as it is."""
    if installed.protocol != MAJOR:
        return True
    return bool(place.expected and installed.fingerprint and installed.fingerprint != place.expected)


def _interpreter(place: BackendPlace) -> Path:
    if place.python:
        return Path(place.python)
    if not place.folder:
        return _installed_interpreter(place)
    environments = Path(os.environ.get("MUNET_ENVS") or Path(place.folder) / ".envs")
    return environments / _ENVIRONMENT.name / _PROGRAM


def _installed_interpreter(place: BackendPlace) -> Path:
    installed = installation_at(place)
    if installed is None:
        raise AddonError("NO_BACKEND", "The extension does not know where the backend is.", hint=_HINT)
    if is_outdated(place, installed):
        raise AddonError(
            "UPDATE_NEEDED",
            "The installed backend belongs to another release of the extension.",
            detail=f"Found version {installed.version}.",
            hint="Press Update Backend.",
        )
    return installed.python


def launch_options(place: BackendPlace) -> LaunchOptions:
    """Return how to start the backend at ``place``.

    Raises:
        AddonError: NO_BACKEND: nothing is set, or there is no such interpreter or folder; UPDATE_NEEDED.
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
        arguments=(*_limits(place), *place.arguments),
        variables={"MUNET_MODELS": place.models_folder} if place.models_folder else {},
    )


def _limits(place: BackendPlace) -> tuple[str, ...]:
    words = ["--unload-minutes", str(place.unload_minutes), "--log-level", place.log_level]
    if place.memory_gigabytes:
        words += ["--memory-gigabytes", str(place.memory_gigabytes)]
    return tuple(words)
