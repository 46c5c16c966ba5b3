"""The backend that this edition brings along: its wheel and the locked requirements. No bpy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..backend_manager.installation import PREFIX
from ..errors import AddonError

FOLDER = Path(__file__).resolve().parent.parent / "bundle"
FACTS = "backend.json"


@dataclass(frozen=True)
class Bundle:
    """What is installed.

    Attributes:
        wheel: of the backend.
        version: of the backend.
        protocol: major version of the protocol it speaks.
        fingerprint: SHA-256 of wheel and requirements.
        requirements: SHA-256 of the requirements alone.
    """

    wheel: Path
    version: str
    protocol: int
    fingerprint: str
    requirements: str

    def requirement_files(self, variant: str) -> list[Path]:
        """Return the locked requirements for a build of the libraries: those of all, and its own if it has some."""
        paths = [self.wheel.parent / "requirements.txt", self.wheel.parent / f"requirements-{variant}.txt"]
        return [path for path in paths if path.is_file()]

    def environment_name(self, variant: str, version: tuple[int, int]) -> str:
        """Return the name of the environment, which changes with everything but the backend's own wheel."""
        return f"{PREFIX}{variant}-{version[0]}{version[1]}-{self.requirements[:12]}"


def read_bundle(folder: Path = FOLDER) -> Bundle:
    """Return the bundle of this edition.

    Raises:
        AddonError: NO_BUNDLE: it has none, or not all of it.
    """
    try:
        facts = json.loads((folder / FACTS).read_bytes())
        bundle = Bundle(
            folder / facts["wheel"],
            str(facts["version"]),
            int(facts["protocol"]),
            str(facts["fingerprint"]),
            str(facts["requirements"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_bundle(str(error)) from error
    if not bundle.wheel.is_file() or not bundle.requirement_files(""):
        raise _no_bundle(f"{bundle.wheel.name} or its requirements are missing.")
    return bundle


def _no_bundle(detail: str) -> AddonError:
    hint = "Install the extension from the zip that build_addon.py makes, or use an existing backend."
    return AddonError("NO_BUNDLE", "This extension does not bring a backend along.", detail=detail, hint=hint)
