"""What goes beside the extension: the backend in its full edition, the repository's index, the folder of wheels."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from _environment import ROOT

REQUIREMENTS = ROOT / "requirements"
BUILDS = {"requirements.txt": "backend.txt", "requirements-cu130.txt": "backend-cu130.txt"}
"""Names in the bundle, and of the locked files; the second belongs to one build of the libraries alone."""

PLATFORM_EDITION = b'''"""Which edition of the extension this is."""

NAME: str = "platform"
INSTALLER: bool = False
"""Whether the extension can install its backend; the public platform's rules forbid that."""
'''
LEFT_OUT_OF_PLATFORM = ("installer/", "operators/install.py")
NETWORK = re.compile(r"^network = .*$", re.MULTILINE)
PLATFORM_NETWORK = 'network = "Talk to the backend on this computer, or one you name"'


def bundle_files(wheel: Path) -> dict[str, bytes]:
    """Return what the full edition brings along: the backend's wheel, its locked requirements, and facts on them."""
    locked = {name: (REQUIREMENTS / source).read_bytes().replace(b"\r\n", b"\n") for name, source in BUILDS.items()}
    requirements = hashlib.sha256(b"\0".join(locked[name] for name in sorted(locked))).hexdigest()
    data = wheel.read_bytes()
    facts = {
        "wheel": wheel.name,
        "version": _constant("munet/__init__.py", r'__version__ = "([^"]+)"'),
        "protocol": int(_constant("backend/protocol/version.py", r"^MAJOR = (\d+)")),
        "fingerprint": hashlib.sha256(data + requirements.encode()).hexdigest(),
        "requirements": requirements,
    }
    files = {"backend.json": json.dumps(facts, indent=1).encode(), wheel.name: data, **locked}
    return {f"bundle/{name}": content for name, content in files.items()}


def platform_edition(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of the edition for the public platform: without the installer."""
    kept = {name: data for name, data in files.items() if not name.startswith(LEFT_OUT_OF_PLATFORM)}
    manifest = kept["blender_manifest.toml"].decode()
    kept["blender_manifest.toml"] = NETWORK.sub(PLATFORM_NETWORK, manifest).encode()
    kept["edition.py"] = PLATFORM_EDITION
    return kept


def sources_digest(folders: tuple[str, ...] = ("munet", "backend")) -> str:
    """Return a SHA-256 that changes with everything the backend's wheel is made of."""
    digest = hashlib.sha256()
    paths = [path for name in folders for path in sorted((ROOT / name).rglob("*")) if path.is_file()]
    for path in [*paths, ROOT / "pyproject.toml", ROOT / "README.md", ROOT / "LICENSE"]:
        if "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fill_wheel_folder(folder: Path, wheel: Path, pip: Callable[[list[str], str], None], python: str) -> None:
    """Put everything into ``folder`` that an installation without network needs on a computer like this one.

    Args:
        folder: gets the wheels, the backend's own among them, and the model files.
        wheel: of the backend.
        pip: runs pip, for instance of ``build_addon``.
        python: version of the Python that will be used there.
    """
    from munet.models.store import ModelStore

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(wheel, folder / wheel.name)
    lock = ["-r", str(REQUIREMENTS / "backend.txt")]
    where = ["--only-binary", ":all:", "--python-version", python, "--dest", str(folder)]
    pip(["download", "--quiet", *where, *lock], "Fetching the libraries")
    ModelStore(folder).fetch(report=print)


def _constant(path: str, pattern: str) -> str:
    match = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise ValueError(f"{path} lacks {pattern}")
    return match[1]
