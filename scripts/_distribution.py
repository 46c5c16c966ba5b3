"""What goes beside the extension: the backend in its full edition, the repository's index, the folder of wheels."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
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
ZIP_TIME = (1980, 1, 1, 0, 0, 0)

PYTHONS_WHEEL = f"munet_pythons-1-{'.'.join(f'cp3{minor}' for minor in range(11, 18))}-none-any.whl"
"""Name of a wheel without modules, whose tags tell Blender for which Pythons the other wheels are.

Blender takes an extension's Pythons from the names of its wheels. As soon as one of them is for a single Python (cp311)
it no longer counts abi3 as every later Python, and refuses the zip on 3.13 and 3.14 although a fitting wheel is in it.
"""
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


def zip_bytes(files: dict[str, bytes]) -> bytes:
    """Return a zip of ``files`` whose bytes depend on nothing else."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, files[name])
    return held.getvalue()


def pythons_wheel() -> bytes:
    """Return the wheel named ``PYTHONS_WHEEL``."""
    name, version, *_, tags = PYTHONS_WHEEL.removesuffix(".whl").split("-", 2)
    pythons, abi, platform = tags.split("-")
    tag_lines = "".join(f"Tag: {python}-{abi}-{platform}\n" for python in pythons.split("."))
    summary = "Tells Blender for which Pythons the extension MuNet has wheels"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n",
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: build_addon\nRoot-Is-Purelib: true\n{tag_lines}",
    }
    files = {f"{name}-{version}.dist-info/{part}": text for part, text in files.items()}
    record = f"{name}-{version}.dist-info/RECORD"
    files[record] = "".join(f"{path},,\n" for path in [*files, record])
    return zip_bytes({path: text.encode() for path, text in files.items()})


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
