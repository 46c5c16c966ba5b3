"""Build the Blender extension and the wheel of the backend into ``dist/``.

``python build_addon.py`` builds both editions for this computer, ``--all-platforms`` for every platform: *full* with
the backend and its installer, and with the index of our own repository; *platform* (in ``platform/``) without them, as
the rules of the public platform demand. ``--wheel-folder DIR`` fills a folder for installations without network. Needs
only Python 3.11; Blender's own validator runs in the project's Blender environment. The same sources give the same
bytes. What is downloaded (ZeroMQ for Blender's Python, setuptools for the backend's wheel) is kept in ``build/wheels``
and checked against requirements/extension-wheels.sha256, so that later builds need no network.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from _distribution import (  # noqa: E402
    PYTHONS_WHEEL,
    bundle_files,
    fill_wheel_folder,
    platform_edition,
    pythons_wheel,
    sources_digest,
    zip_bytes,
)
from _environment import SetupError, ensure  # noqa: E402 - a script's neighbour, not a package

SOURCE = ROOT / "blender_addon"
BUILD = ROOT / "build"
TREE = BUILD / "extension" / "munet"
WHEELS = BUILD / "wheels"
CLIENT_PARTS = ("__init__.py", "protocol", "client")
LEFT_OUT = {"__pycache__", ".DS_Store"}
SOURCE_DATE_EPOCH = "315532800"

# Blender 4.2 to 5.0 have Python 3.11, 5.1 and 5.2 have 3.13, Linux distributions their own. The wheels of the full
# edition are for 3.11 and (abi3) everything later. The public platform wants wheels as they are on the package index,
# so its edition can not have the wheel that lets Blender accept that mixture, and has one for 3.11 and one for 3.13.
ZMQ = {"full": "pyzmq==27.3.0", "platform": "pyzmq==26.4.0"}
PYTHONS = ("3.11", "3.13")
PIP_PLATFORMS = {
    "linux-x64": "manylinux_2_28_x86_64",
    "macos-arm64": "macosx_10_15_universal2",
    "macos-x64": "macosx_10_15_universal2",
    "windows-arm64": "win_arm64",
    "windows-x64": "win_amd64",
}
KEPT_SECONDS = 86400.0
EDITIONS = ("full", "platform")
SETUPTOOLS = "setuptools==80.9.0"
DIGESTS = ROOT / "requirements" / "extension-wheels.sha256"


class BuildError(RuntimeError):
    """The extension can not be built; the message says why and what to do."""


def this_platform() -> str:
    """Return Blender's name of this computer's platform."""
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(platform.system(), platform.system())
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x64"
    return f"{system}-{machine}"


def _pip(arguments: list[str], what: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=ROOT)
    if answer.returncode:
        tail = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-6:])
        raise BuildError(f"{what} failed. The first build needs the network.\n{tail}")


def _checked(path: Path) -> Path:
    known = (line.split() for line in DIGESTS.read_text(encoding="utf-8").splitlines())
    expected = {name: digest for digest, name in known}.get(path.name, "another name")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        path.unlink()
        raise BuildError(f"{path.name} has the SHA-256 {found}, expected {expected}. It was removed; build again.")
    return path


def _wheel(requirement: str, python: str, pip_platform: str) -> Path:
    """Return the checked wheel for one Python and platform, downloaded at the first use."""
    name, _, version = requirement.partition("==")
    tag = {"3.11": "cp311", "3.13": "(cp313|cp312-abi3)"}[python] if pip_platform != "any" else "py3"
    pattern = re.compile(rf"{name}-{re.escape(version)}-{tag}-\S*{pip_platform}\S*\.whl")
    cached = [path for path in WHEELS.glob("*.whl") if pattern.fullmatch(path.name)]
    if not cached:
        where = ["--python-version", python, "--only-binary", ":all:", "--platform", pip_platform]
        _pip(
            ["download", "--quiet", "--no-deps", *where, requirement, "--dest", str(WHEELS)], f"Fetching {requirement}"
        )
        cached = [path for path in WHEELS.glob("*.whl") if pattern.fullmatch(path.name)]
    if not cached:
        raise BuildError(f"There is no wheel of {requirement} for Python {python} on {pip_platform}.")
    return _checked(cached[0])


def zmq_wheels(name: str, edition: str) -> list[Path]:
    """Return the ZeroMQ wheels of an edition for Blender's platform ``name``."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    return [_wheel(ZMQ[edition], python, PIP_PLATFORMS[name]) for python in PYTHONS]


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and not LEFT_OUT & set(p.parts) and p.suffix != ".pyc"]


def sources() -> dict[str, bytes]:
    """Return the extension's own files by their place in it: the add-on and the client half of the backend."""
    files = {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in _files(SOURCE)}
    for part in CLIENT_PARTS:
        files |= {p.relative_to(ROOT).as_posix(): p.read_bytes() for p in _files(ROOT / "backend" / part)}
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    return {name: _unix_lines(data) for name, data in files.items()}


def _unix_lines(data: bytes) -> bytes:
    return data if b"\0" in data else data.replace(b"\r\n", b"\n")


def extension_files(platforms: list[str], edition: str = "full") -> dict[str, bytes]:
    """Return every file of an edition for ``platforms``, the manifest naming its wheels and platforms."""
    wheels = {path.name: path.read_bytes() for name in platforms for path in zmq_wheels(name, edition)}
    if edition == "full":
        wheels[PYTHONS_WHEEL] = pythons_wheel()
    files = sources() | bundle_files(backend_wheel()) if edition == "full" else platform_edition(sources())
    manifest = files["blender_manifest.toml"].decode()
    names = ", ".join(f'"{name}"' for name in platforms)
    lines = [f"platforms = [{names}]", "wheels = ["]
    lines += [f'  "./wheels/{name}",' for name in sorted(wheels)]
    head, permissions, tail = manifest.partition("[permissions]")
    files["blender_manifest.toml"] = f"{head}{chr(10).join([*lines, ']'])}\n\n{permissions}{tail}".encode()
    return files | {f"wheels/{name}": data for name, data in wheels.items()}


def write_tree(files: dict[str, bytes]) -> Path:
    """Lay ``files`` out under ``build/extension/munet``, rewriting only what differs."""
    for path in _files(TREE) if TREE.exists() else []:
        if path.relative_to(TREE).as_posix() not in files:
            path.unlink()
    for name, data in files.items():
        path = TREE / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return TREE


def build_tree() -> Path:
    """Return the extension's folder as up to date as its sources; without wheels, so that it never needs the network.

    It is what the zip holds, for Pythons that have ZeroMQ already.
    """
    return write_tree(sources())


def write_zip(files: dict[str, bytes], path: Path) -> Path:
    """Write ``files`` as a zip whose bytes depend on nothing else."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(zip_bytes(files))
    partial.replace(path)
    return path


def build_zip(platforms: list[str], folder: Path, edition: str = "full") -> Path:
    """Build an edition for ``platforms`` as one zip in ``folder``."""
    version = tomllib.loads((SOURCE / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]
    folder.mkdir(parents=True, exist_ok=True)
    name = f"munet-{version}-{'_'.join(platforms).replace('-', '_')}.zip"
    return write_zip(extension_files(platforms, edition), folder / name)


def validate(path: Path) -> None:
    """Let Blender's own validator judge a built extension.

    Raises:
        BuildError: it found fault.
    """
    _blender_tool(["validate", str(path)], f"Blender's validator refuses {path.name}")


def write_index(folder: Path) -> Path:
    """Write ``index.json``, with which ``folder`` becomes a repository that Blender installs and updates from."""
    _blender_tool(["server-generate", "--repo-dir", str(folder), "--html"], "Blender could not write the index")
    return folder / "index.json"


def _blender_tool(arguments: list[str], complaint: str) -> None:
    """Run Blender's own tool for extensions."""
    python = ensure("blender")
    found = sorted(python.parent.parent.rglob("bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    if not found:
        raise BuildError(f"Blender's tool for extensions was not found beside {python}.")
    command = [str(python), str(found[-1]), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BuildError(f"{complaint}:\n{(answer.stdout + answer.stderr).strip()}")


def backend_wheel() -> Path:
    """Return the wheel of the backend, built unless the sources are the ones it was built from."""
    folder = BUILD / "backend-wheel" / sources_digest()[:16]
    found = sorted(folder.glob("munet_backend-*.whl"))
    if found:
        return found[0]
    for old in folder.parent.glob("*"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return build_backend_wheel(folder)


def build_backend_wheel(folder: Path) -> Path:
    """Build the wheel of the backend (munet and backend) into ``folder``."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    _wheel(SETUPTOOLS, "3.11", "any")
    scratch = BUILD / "wheel"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(BUILD / "lib", ignore_errors=True)
    offline = ["--no-deps", "--no-index", "--find-links", str(WHEELS)]
    _pip(["wheel", "--quiet", *offline, "--wheel-dir", str(scratch), str(ROOT)], "Building the backend's wheel")
    (built,) = scratch.glob("munet_backend-*.whl")
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(built, folder / built.name))


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the Blender extension and the backend's wheel.")
    parser.add_argument("--platforms", default=this_platform(), help=f"of {','.join(PIP_PLATFORMS)}")
    parser.add_argument("--all-platforms", action="store_true", help="one zip for each platform")
    parser.add_argument("--edition", choices=(*EDITIONS, "all"), default="all")
    parser.add_argument("--wheel-folder", type=Path, help="only fill this folder for installations without network")
    parser.add_argument("--python", default="3.11", help="version of the Python there")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the results")
    return parser.parse_args(words)


def _build_edition(edition: str, platforms: list[str], out: Path) -> None:
    folder = out if edition == "full" else out / edition
    for name in platforms:
        path = build_zip([name], folder, edition)
        validate(path)
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, {edition} edition, accepted by Blender's validator")
    if edition == "full":
        print(f"{write_index(folder)}  for a repository of our own")


def main(words: list[str] | None = None) -> int:
    """Build everything that was asked for."""
    options = _arguments(words)
    platforms = list(PIP_PLATFORMS) if options.all_platforms else options.platforms.split(",")
    try:
        unknown = [name for name in platforms if name not in PIP_PLATFORMS]
        if unknown:
            raise BuildError(f"The platform {unknown[0]} is unknown; known are {', '.join(PIP_PLATFORMS)}.")
        if options.wheel_folder:
            fill_wheel_folder(options.wheel_folder, backend_wheel(), _pip, options.python)
            return 0
        build_tree()
        for edition in EDITIONS if options.edition == "all" else (options.edition,):
            _build_edition(edition, platforms, options.out)
        wheel = Path(shutil.copy2(backend_wheel(), options.out))
        print(f"{wheel}  {wheel.stat().st_size / 1e6:.1f} MB")
    except (BuildError, SetupError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
