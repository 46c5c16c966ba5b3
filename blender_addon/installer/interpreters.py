"""Which program makes the backend's environment: uv, a Python of the system, or Blender's own. No bpy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..backend_manager.task import clean_variables
from ..errors import AddonError

VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))
"""Pythons for which every locked package has a wheel, the one it is tested with first."""

_QUESTION = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1], sys.executable)"
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Maker:
    """What makes an environment.

    Attributes:
        program: uv, or the Python whose module venv is used.
        version: of the Python in the environment.
        uv: whether ``program`` is uv.
    """

    program: Path
    version: tuple[int, int]
    uv: bool = False


def find_uv() -> Path | None:
    """Return uv if it is on the path or where its installer puts it."""
    name = "uv.exe" if os.name == "nt" else "uv"
    homes = [Path.home() / ".local" / "bin" / name, Path.home() / ".cargo" / "bin" / name]
    found = shutil.which("uv")
    return Path(found) if found else next((path for path in homes if path.is_file()), None)


def wheel_versions(folder: Path | None) -> tuple[tuple[int, int], ...]:
    """Return the Pythons that the wheels of a folder are for (those of torch decide), all without a folder."""
    if folder is None:
        return VERSIONS
    tags = {match[1] for path in folder.glob("torch-*.whl") if (match := re.search(r"-cp3(\d+)-cp", path.name))}
    return tuple(version for version in VERSIONS if str(version[1]) in tags)


def find_python(versions: Sequence[tuple[int, int]]) -> Maker | None:
    """Return a Python of one of ``versions`` that can make environments: the system's, else Blender's own."""
    for version in versions:
        for command in _candidates("{}.{}".format(*version)):
            maker = _ask(command, versions)
            if maker is not None:
                return maker
    return _ask([sys.executable], versions)


def _candidates(number: str) -> Iterator[list[str]]:
    if os.name == "nt":
        yield ["py", f"-{number}"]
    if found := shutil.which(f"python{number}"):
        yield [found]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    program = "python.exe" if os.name == "nt" else "bin/python"
    for path in sorted(pyenv.glob(f"{number}.*/{program}"), reverse=True):
        yield [str(path)]
    for folder in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"):
        if (path := Path(folder) / f"python{number}").is_file():
            yield [str(path)]


def _ask(command: list[str], versions: Sequence[tuple[int, int]]) -> Maker | None:
    """Return the Python that ``command`` starts if it has a wanted version and can make environments."""
    try:
        answer = subprocess.run(
            [*command, "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=True,
            env=clean_variables(),
            creationflags=0x08000000 if sys.platform == "win32" else 0,
        )
        major, minor, path = answer.stdout.strip().split(" ", 2)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    version = int(major), int(minor)
    return Maker(Path(path), version) if version in versions else None


def find_maker(wheels: Path | None) -> Maker:
    """Return what makes the environment.

    Args:
        wheels: folder with all wheels, which decides on the version; None for the network.

    Raises:
        AddonError: NO_PYTHON: there is neither uv nor a fitting Python; WHEELS: the folder holds no wheel of torch.
    """
    versions = wheel_versions(wheels)
    if not versions:
        raise AddonError(
            "WHEELS",
            "The folder of wheels is not complete.",
            detail=f"{wheels} holds no wheel of torch for Python 3.11 to 3.14.",
            hint="Make the folder with: python build_addon.py --wheel-folder FOLDER.",
        )
    uv = find_uv()
    if uv is not None and wheels is None:
        return Maker(uv, versions[0], uv=True)
    python = find_python(versions)
    if python is not None:
        return python
    if uv is not None:
        return Maker(uv, versions[0], uv=True)
    numbers = ", ".join("{}.{}".format(*version) for version in versions)
    raise AddonError(
        "NO_PYTHON",
        "There is no Python the backend can be installed with.",
        detail=f"Looked for uv and for Python {numbers} with the module venv, on the path and in the usual folders.",
        hint="Install Python 3.11 (on Debian and Ubuntu also python3-venv) or uv, then press Install again.",
    )
