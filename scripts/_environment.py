"""The project's own Python environments, made on first use.

The backend (NumPy 2, torch) and every Blender (its own NumPy) live apart, under ``.envs`` beside this
repository or in the folder that ``MUNET_ENVS`` names. Needs only the standard library of Python 3.11 or newer.

``python scripts/_environment.py NAME`` makes one environment and prints the path of its interpreter.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import _system_libraries

ROOT = Path(__file__).resolve().parent.parent
MARKER = "munet-complete.txt"
BIG_DOWNLOAD_MB = 8.0


class SetupError(RuntimeError):
    """An environment can not be made; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """How one environment is made.

    Attributes:
        python: major and minor version of its interpreter.
        requirements: name of the locked file under ``requirements/``.
        probe: statement that must run in the finished environment.
        base: environment whose packages it sees as well, so that torch is installed once.
    """

    python: tuple[int, int]
    requirements: str
    probe: str
    base: str = ""


_BACKEND_PROBE = "import cv2, numpy, onnxruntime, scipy, torch, zmq; import ai_edge_litert.interpreter"
_BLENDER_PROBE = "import bpy, zmq"
ENVIRONMENTS = {
    "backend": Environment((3, 11), "backend.txt", _BACKEND_PROBE),
    "test": Environment((3, 11), "test.txt", "import pytest, torch", base="backend"),
    "lint": Environment((3, 11), "lint.txt", "import mypy, torch", base="backend"),
    "body": Environment((3, 11), "body.txt", "import anny, torch", base="backend"),
    "evaluation": Environment((3, 11), "evaluation.txt", "import cdflib, h5py, torch", base="backend"),
    "blender-4.2": Environment((3, 11), "blender-4.2.txt", _BLENDER_PROBE),
    "blender-4.5": Environment((3, 11), "blender-4.5.txt", _BLENDER_PROBE),
    "blender-5.0": Environment((3, 11), "blender-5.0.txt", _BLENDER_PROBE),
    "blender-5.2": Environment((3, 13), "blender-5.2.txt", _BLENDER_PROBE),
}
ALIASES = {"blender": "blender-4.5"}
BLENDER_ENVIRONMENTS = tuple(name for name in ENVIRONMENTS if name.startswith("blender-"))


def environments_folder() -> Path:
    """Return the folder that holds the environments."""
    return Path(os.environ.get("MUNET_ENVS") or ROOT / ".envs").expanduser().resolve()


def ensure(name: str) -> Path:
    """Return the interpreter of the environment ``name``, making or repairing the environment where needed.

    Args:
        name: a key of ``ENVIRONMENTS``, or "blender" for the one that exports scenes.

    Raises:
        SetupError: if the name is unknown, no fitting Python is found, or the installation fails.
    """
    name = ALIASES.get(name, name)
    if name not in ENVIRONMENTS:
        raise SetupError(f"There is no environment {name!r}; known are {', '.join([*ENVIRONMENTS, *ALIASES])}.")
    try:
        return _ensured(name, ENVIRONMENTS[name])
    except OSError as error:
        raise SetupError(
            f"The environments can not be kept in {environments_folder()}: {error.strerror} ({error.filename}). "
            "Make it writable, or name another folder with the variable MUNET_ENVS, and run again."
        ) from error


def _ensured(name: str, environment: Environment) -> Path:
    if environment.base:
        ensure(environment.base)
    folder = environments_folder() / name
    if _is_complete(folder, environment):
        return interpreter(folder)
    environments_folder().mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(folder.name + ".lock")):
        if not _is_complete(folder, environment):
            _make(name, folder, environment)
    return interpreter(folder)


def unavailable_reason(name: str) -> str:
    """Return why ``ensure(name)`` has no Python to build on, or an empty string."""
    environment = ENVIRONMENTS[ALIASES.get(name, name)]
    if _is_complete(environments_folder() / ALIASES.get(name, name), environment) or find_python(environment.python):
        return ""
    return "no Python {}.{} was found".format(*environment.python)


@functools.cache
def find_python(version: tuple[int, int]) -> Path | None:
    """Return an interpreter of exactly this version: this one, one on the path, the Windows launcher's, pyenv's."""
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    number = f"{version[0]}.{version[1]}"
    commands = [[str(path)] for path in _python_paths(number)]
    if os.name == "nt":
        commands.insert(0, ["py", f"-{number}"])
    return next((path for command in commands if (path := _answering(command, version))), None)


def _python_paths(number: str) -> Iterator[Path]:
    if found := shutil.which(f"python{number}"):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    program = "python.exe" if os.name == "nt" else "bin/python"
    for versions in (pyenv / "versions", pyenv / "pyenv-win" / "versions"):
        yield from sorted(versions.glob(f"{number}.*/{program}"), reverse=True)
    for folder in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"):
        yield Path(folder) / f"python{number}"


def _answering(command: list[str], version: tuple[int, int]) -> Path | None:
    question = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)"
    try:
        answer = subprocess.run([*command, "-c", question], capture_output=True, text=True, timeout=30, check=True)
        major, minor, path = answer.stdout.strip().split(" ", 2)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Path(path) if (int(major), int(minor)) == version else None


def required_python(version: tuple[int, int]) -> Path:
    """Return an interpreter of this version or raise :class:`SetupError`."""
    if python := find_python(version):
        return python
    number = f"{version[0]}.{version[1]}"
    found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise SetupError(f"Python {number} is needed, this is Python {found}. Install Python {number} and run again.")


def interpreter(folder: Path) -> Path:
    """Return where an environment keeps its interpreter."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint(environment: Environment) -> str:
    files = [environment.requirements]
    if environment.base:
        files.insert(0, ENVIRONMENTS[environment.base].requirements)
    text = b"".join((ROOT / "requirements" / name).read_bytes().replace(b"\r\n", b"\n") for name in files)
    return "{} {}.{}\n".format(hashlib.sha256(text).hexdigest(), *environment.python)


def _is_complete(folder: Path, environment: Environment) -> bool:
    try:
        return (folder / MARKER).read_text(encoding="utf-8") == _fingerprint(environment) and interpreter(
            folder
        ).exists()
    except FileNotFoundError:
        return False


def _make(name: str, folder: Path, environment: Environment) -> None:
    python = required_python(environment.python)
    began = time.monotonic()
    # An interrupted installation may hold half-unpacked packages: start again, pip's cache keeps the downloads.
    if not (folder / MARKER).is_file() and folder.exists():
        say(f"[{name}] the environment is incomplete, making it again")
        shutil.rmtree(folder)
    say(f"[{name}] making the environment in {folder} (once)")
    if not interpreter(folder).exists():
        create(folder, python)
    (folder / MARKER).unlink(missing_ok=True)
    if environment.base:
        _share_packages(folder, environments_folder() / environment.base)
    _install(name, folder, ROOT / "requirements" / environment.requirements)
    _probe(name, folder, environment.probe)
    partial = folder / (MARKER + ".part")
    partial.write_text(_fingerprint(environment), encoding="utf-8", newline="\n")
    partial.replace(folder / MARKER)
    say(f"[{name}] ready after {time.monotonic() - began:.0f} s")


def create(folder: Path, python: Path) -> None:
    """Make an empty virtual environment on ``python``."""
    run([str(python), "-m", "venv", str(folder)], folder.with_name(folder.name + ".log"))


def _share_packages(folder: Path, base: Path) -> None:
    own, shared = _site_packages(folder), _site_packages(base)
    (own / "munet-base.pth").write_text(os.path.relpath(shared, own) + "\n", encoding="utf-8")


def _site_packages(folder: Path) -> Path:
    pattern = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
    return next(folder.glob(pattern))


def _install(name: str, folder: Path, requirements: Path) -> None:
    total = sum(1 for line in requirements.read_text(encoding="utf-8").splitlines() if "==" in line)
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-r", str(requirements)]
    command = [str(interpreter(folder)), "-m", "pip", "install", *options]
    log = folder.with_name(folder.name + ".log")
    with log.open("w", encoding="utf-8") as stream, _started(command) as process:
        output = []
        for line in process.stdout or ():
            stream.write(line)
            output.append(line)
            _report(name, line, sum(text.startswith("Collecting ") for text in output), total)
    if process.returncode:
        raise SetupError(_explain("".join(output), log))


def _report(name: str, line: str, begun: int, total: int) -> None:
    size = re.match(r"\s*Downloading (\S+?)-\S+ \(([\d.]+) (MB|GB)\)", line)
    if size and (size[3] == "GB" or float(size[2]) >= BIG_DOWNLOAD_MB):
        say(f"[{name}] {min(begun, total)}/{total} downloading {size[1]} ({size[2]} {size[3]})")
    elif line.startswith("Installing collected packages"):
        say(f"[{name}] unpacking {line.count(',') + 1} packages")


def _probe(name: str, folder: Path, statement: str) -> None:
    say(f"[{name}] checking")
    command = [str(interpreter(folder)), "-c", statement]
    answer = subprocess.run(command, capture_output=True, text=True, env=clean_variables(), cwd=ROOT, check=False)
    if answer.returncode:
        raise SetupError(_explain(answer.stdout + answer.stderr, None))


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        close_fds=os.name == "nt",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=clean_variables(),
    )
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def run(command: list[str], log: Path) -> None:
    """Run an installing command, write its output to ``log``, raise :class:`SetupError` if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with _started(command) as process:
        output = process.communicate()[0]
    log.write_text(output, encoding="utf-8")
    if process.returncode:
        raise SetupError(_explain(output, log))


def clean_variables() -> dict[str, str]:
    """Return this process' variables without those that lead a Python into another environment."""
    leading = {
        "PYTHONHOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_REQUIRE_VIRTUALENV",
    }
    return {**{key: value for key, value in os.environ.items() if key not in leading}, "PYTHONNOUSERSITE": "1"}


def _explain(output: str, log: Path | None) -> str:
    tail = "\n".join(output.strip().splitlines()[-8:])
    if missing := sorted(set(re.findall(r"(lib[\w.+-]+\.so[\d.]*): cannot open shared object", output))):
        return _system_libraries.explain(missing)
    if "No space left on device" in output or "not enough space on the disk" in output:
        return f"There is not enough room on the disk for {environments_folder()}. Free about 6 GB and run again."
    if "ensurepip is not available" in output:
        return "This Python has no venv module. On Debian or Ubuntu: apt-get install python3-venv"
    offline = (
        "NewConnectionError",
        "NameResolutionError",
        "getaddrinfo failed",
        "Could not fetch URL",
        "(from versions: none)",
        "ETIMEDOUT",
        "ENOTFOUND",
    )
    where = f"\nThe whole log: {log}" if log else ""
    if any(sign in output for sign in offline):
        return f"The first run needs the network, and the package index did not answer. Connect and run again.{where}"
    return f"The environment could not be made:\n{tail}{where}"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system frees when the process and the installers it started end, however they end."""
    with path.open("a+b") as stream:
        os.set_inheritable(stream.fileno(), True)
        waited = False
        while not _try_lock(stream.fileno()):
            if not waited:
                say(f"Waiting for another process that prepares {path.stem} ...")
            waited = True
            time.sleep(0.5)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def say(text: str) -> None:
    """Tell the user something without touching the standard output."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Make the named environments and print their interpreters."""
    try:
        for name in arguments or ["backend"]:
            print(ensure(name))
    except SetupError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
