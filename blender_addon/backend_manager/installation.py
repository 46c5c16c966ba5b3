"""Backends that are installed on this computer, recognised by the files that say so. No bpy."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWNERSHIP = "munet-backend.json"
"""In the folder of an installation, written first: the folder is ours."""

COMPLETE = "munet-complete.json"
"""In the environment, written last: what is installed."""

PREFIX = "environment-"


@dataclass(frozen=True)
class Installation:
    """A complete installation.

    Attributes:
        python: interpreter of its environment.
        version: of the backend.
        protocol: major version of the protocol.
        fingerprint: of the wheel and the locked requirements it was made from.
        variant: build of the libraries (cpu, mps, cu126, cu130).
    """

    python: Path
    version: str
    protocol: int
    fingerprint: str = ""
    variant: str = ""


def is_ours(folder: Path) -> bool:
    """Return whether ``folder`` was made by the installer."""
    return _read(folder / OWNERSHIP).get("application") == "munet-backend"


def environments(folder: Path) -> list[Path]:
    """Return the environments in the installer's ``folder``, complete or not."""
    return sorted(path for path in folder.glob(f"{PREFIX}*") if path.is_dir() and not path.is_symlink())


def find_installation(folder: Path) -> Installation | None:
    """Return what is installed in ``folder``; None if nothing is, or only half of it."""
    if not is_ours(folder):
        return None
    found = [installed for path in environments(folder) if (installed := _installed(path)) is not None]
    return found[-1] if found else None


def is_half_done(folder: Path) -> bool:
    """Return whether an installation in ``folder`` was begun and not finished."""
    return is_ours(folder) and find_installation(folder) is None


def _installed(environment: Path) -> Installation | None:
    facts = _read(environment / COMPLETE)
    python = environment_python(environment)
    if not facts or not python.is_file():
        return None
    return _from_facts(facts, python)


def registered_installation() -> Installation | None:
    """Return the backend that ``python -m backend --register`` has announced; None if it is gone."""
    facts = _read(registry_file())
    python = Path(str(facts.get("python", "")))
    return _from_facts(facts, python) if python.is_absolute() and python.is_file() else None


def registry_file() -> Path:
    """Return where an installed backend announces itself; the same place as in ``backend/register.py``."""
    from ..backend.protocol.places import state_dir

    return state_dir() / "backend.json"


def _from_facts(facts: dict[str, Any], python: Path) -> Installation | None:
    try:
        return Installation(
            python,
            str(facts["version"]),
            int(facts["protocol"]),
            str(facts.get("fingerprint", "")),
            str(facts.get("variant", "")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def environment_python(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / (Path("Scripts/python.exe") if sys.platform == "win32" else Path("bin/python"))
