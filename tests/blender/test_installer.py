"""The installer without Blender: what it finds, decides, installs, repairs and removes. Never uses the network."""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

Extension = Callable[[str], ModuleType]

BACKEND = """
import json, sys
if "--register" not in sys.argv:
    print(json.dumps({"version": "VERSION", "protocol": 1, "python": sys.executable}))
"""
ROOMY = SimpleNamespace(free=1 << 50)
SMI = "| NVIDIA-SMI 570.86   Driver Version: 570.86   CUDA Version: 12.8 |"


def wheel(folder: Path, name: str, version: str, files: dict[str, str], tag: str = "py3-none-any") -> Path:
    """Write a small wheel."""
    path = folder / f"{name}-{version}-{tag}.whl"
    about = f"{name}-{version}.dist-info"
    plain = "true" if tag.endswith("any") else "false"
    files = files | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {plain}\nTag: {tag}\n",
    }
    record = "".join(f"{member},,\n" for member in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in (files | {f"{about}/RECORD": record}).items():
            archive.writestr(member, text)
    return path


def write_bundle(folder: Path, version: str) -> Path:
    """What a full edition brings along, with a backend that only knows its version."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = {
        "backend/__init__.py": "",
        "backend/__main__.py": BACKEND.replace("VERSION", version),
        "munet/__init__.py": "",
        "munet/models/__init__.py": "",
        "munet/models/__main__.py": "print('the models are fetched')",
    }
    made = wheel(folder, "munet_backend", version, modules)
    (folder / "requirements.txt").write_text("# locked\ntorch==1.0\n")
    fingerprint = hashlib.sha256(made.read_bytes()).hexdigest()
    facts = {
        "wheel": made.name,
        "version": version,
        "protocol": 1,
        "fingerprint": fingerprint,
        "requirements": "a" * 64,
    }
    (folder / "backend.json").write_text(json.dumps(facts))
    return folder


def write_wheels(folder: Path) -> Path:
    folder.mkdir()
    number, system = f"cp{sys.version_info[0]}{sys.version_info[1]}", sysconfig.get_platform()
    tag = f"{number}-{number}-{system.replace('-', '_').replace('.', '_')}"
    wheel(folder, "torch", "1.0", {"torch/__init__.py": "answer = 42"}, tag)
    return folder


def finish(task: Any) -> Any:
    task.start().join(180)
    assert task.finished, task.text
    return task


def test_install_interrupt_repair_update_remove(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MUNET_RUNTIME_DIR", str(tmp_path / "run"))
    # The wheels here are tiny; how full the disk of this machine is must not decide the test.
    monkeypatch.setattr(shutil, "disk_usage", lambda _: ROOMY)
    install, bundle = extension("installer.install"), extension("installer.bundle")
    discovery, states = extension("backend_manager.discovery"), extension("backend_manager.states").State
    folder, wheels = tmp_path / "my backend", write_wheels(tmp_path / "wheels")
    order = install.Order(folder, "cpu", wheels, probe="import torch; assert torch.answer == 42")
    first = bundle.read_bundle(write_bundle(tmp_path / "one", "1.0"))
    place = discovery.BackendPlace(install_folder=str(folder), expected=first.fingerprint)
    assert discovery.standing(place) == (states.NOT_INSTALLED, "")

    cancelled = install.install_task(order, first).start()
    while not any(folder.glob("environment-*")):
        assert not cancelled.finished, cancelled.failure
        time.sleep(0.01)
    cancelled.cancel()
    cancelled.join(30)
    assert cancelled.finished
    assert cancelled.failure is None
    assert discovery.standing(place) == (states.NOT_INSTALLED, "An installation was interrupted.")

    seen: list[float] = []
    task = install.install_task(order, first)
    report = task.report
    monkeypatch.setattr(task, "report", lambda fraction, text: (seen.append(fraction), report(fraction, text)))
    done = finish(task)
    assert done.failure is None, done.failure
    assert done.result.notes == []
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert done.result.installation.python.is_file()
    assert discovery.standing(place) == (states.STOPPED, "1.0 (cpu)")
    assert discovery.launch_options(place).python == done.result.installation.python
    assert not list(folder.glob("removed-*"))
    assert "the models are fetched" in (folder / "install.log").read_text()

    second = bundle.read_bundle(write_bundle(tmp_path / "two", "2.0"))
    newer = discovery.BackendPlace(install_folder=str(folder), expected=second.fingerprint)
    assert discovery.standing(newer)[0] is states.UPDATE_NEEDED
    with pytest.raises(extension("errors").AddonError, match="another release"):
        discovery.launch_options(newer)
    updated = finish(install.install_task(order, second))
    assert updated.failure is None, updated.failure
    assert "libraries" not in updated.result.seconds
    assert updated.result.installation.version == "2.0"
    assert discovery.standing(newer) == (states.STOPPED, "2.0 (cpu)")

    (folder / "mine.txt").write_text("not the installer's")
    assert finish(install.remove_task(folder)).failure is None
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    refused = finish(install.remove_task(folder)).failure
    assert refused.code == "FOLDER"
    assert (folder / "mine.txt").is_file()


def test_only_a_folder_of_ours_is_used_and_removed(extension: Extension, tmp_path: Path) -> None:
    folders, error = extension("installer.folders"), extension("errors").AddonError
    (tmp_path / "holiday.jpg").write_bytes(b"")
    assert folders.own_folder(tmp_path) == tmp_path / "munet-backend"
    with pytest.raises(error, match="not empty"):
        folders.claim(tmp_path)
    own = folders.own_folder(tmp_path)
    folders.claim(own)
    assert folders.own_folder(own) == own
    with folders.locked(own), pytest.raises(error, match="Another Blender"), folders.locked(own):
        pass
    with pytest.raises(error, match="not enough room"):
        folders.check_room(own / "deeper" / "still", 1 << 60)
    (own / "environment-x").symlink_to(tmp_path)
    folders.remove(own)
    assert (tmp_path / "holiday.jpg").is_file()
    with pytest.raises(error, match="can not be written"):
        folders.claim(tmp_path / "holiday.jpg" / "below")


def test_a_folder_without_wheels_and_a_zip_without_bundle_are_named(extension: Extension, tmp_path: Path) -> None:
    interpreters, error = extension("installer.interpreters"), extension("errors").AddonError
    assert interpreters.wheel_versions(None) == interpreters.VERSIONS
    (tmp_path / "torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl").write_bytes(b"")
    assert interpreters.wheel_versions(tmp_path) == ((3, 13),)
    (tmp_path / "torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl").unlink()
    with pytest.raises(error, match="not complete"):
        interpreters.find_maker(tmp_path)
    with pytest.raises(error, match="does not bring a backend"):
        extension("installer.bundle").read_bundle(tmp_path)


def test_without_uv_and_python_it_is_said_what_to_install(
    extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreters = extension("installer.interpreters")
    monkeypatch.setattr(interpreters, "find_uv", lambda: None)
    monkeypatch.setattr(interpreters, "find_python", lambda _versions: None)
    with pytest.raises(extension("errors").AddonError, match="no Python") as caught:
        interpreters.find_maker(None)
    assert "uv" in caught.value.hint
    monkeypatch.setattr(interpreters, "find_uv", lambda: Path("uv"))
    assert interpreters.find_maker(None) == interpreters.Maker(Path("uv"), (3, 11), uv=True)


class Driver:
    """NVIDIA's driver library, as far as it is asked."""

    def __init__(self, cuda: int, compute: tuple[int, int], *, broken: bool = False) -> None:
        self._cuda, self._compute, self._broken = cuda, compute, broken

    def __getattr__(self, name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            targets = {"cuDriverGetVersion": self._cuda, "cuDeviceTotalMem_v2": 8 << 30}
            if name in targets:
                arguments[0]._obj.value = targets[name]
            if name == "cuDeviceGetAttribute":
                arguments[0]._obj.value = self._compute[arguments[1] - 75]
            if name == "cuDeviceGetName":
                ctypes.memmove(arguments[0], b"Card", 5)
            return 100 if self._broken and name == "cuInit" else 0

        return call


def test_hardware_is_found_without_torch(extension: Extension) -> None:
    hardware = extension("installer.hardware")
    bare = hardware.Hardware("linux", "x64")
    found = hardware.from_driver(bare, Driver(12080, (8, 6)))
    assert (found.gpu, found.cuda, found.compute, found.memory) == ("Card", (12, 8), (8, 6), 8 << 30)
    assert hardware.from_driver(bare, Driver(12080, (8, 6), broken=True)) is None
    assert hardware.from_driver(bare, None) is None
    smi = hardware.from_smi(bare, (SMI, "NVIDIA GeForce RTX 3060, 12288, 8.6\n"))
    assert (smi.gpu, smi.cuda, smi.compute, smi.memory) == ("NVIDIA GeForce RTX 3060", (12, 8), (8, 6), 12 << 30)
    assert hardware.from_smi(bare, ("", "")) is None
    assert hardware.this_computer().system in {"linux", "macos", "windows"}


@pytest.mark.parametrize(
    ("system", "machine", "cuda", "compute", "variant", "source"),
    [
        ("linux", "x64", (0, 0), (0, 0), "cpu", "cpu"),
        ("windows", "x64", (0, 0), (0, 0), "cpu", ""),
        ("macos", "arm64", (0, 0), (0, 0), "mps", ""),
        ("linux", "x64", (13, 0), (8, 9), "cu130", ""),
        ("windows", "x64", (13, 2), (12, 0), "cu130", "cu130"),
        ("linux", "x64", (13, 0), (6, 1), "cu126", "cu126"),
        ("windows", "x64", (12, 2), (8, 6), "cu126", "cu126"),
        ("linux", "x64", (11, 4), (8, 6), "cpu", "cpu"),
        ("linux", "x64", (12, 8), (3, 5), "cpu", "cpu"),
    ],
)
def test_the_build_for_a_computer(
    extension: Extension,
    system: str,
    machine: str,
    cuda: tuple[int, int],
    compute: tuple[int, int],
    variant: str,
    source: str,
) -> None:
    variants = extension("installer.variants")
    card = "Card" if cuda > (0, 0) else ""
    computer = extension("installer.hardware").Hardware(system, machine, card, cuda, compute)
    choice = variants.choose(computer)
    assert choice.variant.name == variant
    assert variants.torch_backend(choice.variant, computer) == source
    assert bool(choice.note) == (bool(card) and variant == "cpu")
    assert variants.choose(computer, "cpu").variant.name == "cpu"


def test_a_computer_without_libraries_is_sent_to_another(extension: Extension) -> None:
    hardware = extension("installer.hardware").Hardware
    for computer in (hardware("macos", "x64"), hardware("windows", "arm64"), hardware("haiku", "x64")):
        with pytest.raises(extension("errors").AddonError, match="not published") as caught:
            extension("installer.variants").choose(computer)
        assert "another computer" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "DISK_FULL"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate", "CERTIFICATE"),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407'))", "PROXY"),
        ("NewConnectionError: Failed to establish a new connection\nNo matching distribution found for x", "NETWORK"),
        ("error: Failed to fetch: https://index\n  Caused by: dns error", "NETWORK"),
        ("ERROR: torch-2-cp313.whl is not a supported wheel on this platform.", "WHEEL_PLATFORM"),
        ("ERROR: Could not find a version (from versions: none)", "WHEEL_PLATFORM"),
        ("  x No solution found when resolving dependencies:", "WHEEL_PLATFORM"),
        ("Error: ensurepip is not available", "NO_VENV"),
        ("PermissionError: [Errno 13] Permission denied: '/usr/x'", "FOLDER"),
        ("ImportError: libGL.so.1: cannot open shared object file", "LIBRARY"),
        ("ImportError: DLL load failed while importing _C", "LIBRARY"),
        ("The NVIDIA driver on your system is too old (found version 11040).", "DRIVER_OLD"),
        ("something else", "INSTALL"),
    ],
)
def test_failures_have_a_sentence_and_a_fix(extension: Extension, text: str, code: str) -> None:
    error = extension("installer.explain").explain(f"first line\n{text}\n[notice] a new pip", Path("install.log"))
    assert error.code == code
    assert error.title.endswith(".")
    assert error.hint
    assert "install.log" in error.detail
    assert "notice" not in error.detail


def test_progress_follows_pip_and_uv(extension: Extension) -> None:
    said: list[tuple[float, str]] = []
    task = SimpleNamespace(fraction=0.1, text="Installing the libraries", report=lambda *what: said.append(what))
    progress = extension("installer.install")._Progress(task, ["torch==1", "numpy==2", "scipy==3", "six==1"])
    for line in (
        "Processing /wheels/numpy-2-cp311-cp311-linux.whl (from -r x)",
        "Collecting torch==1 (from -r requirements.txt (line 2))",
        "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (190.1 MB)",
        "Looking in links: here",
        "Installing collected packages: numpy, torch",
    ):
        progress.take(line)
    assert [round(part, 3) for part, _ in said] == [0.287, 0.475, 0.475, 0.85]
    assert "torch" in said[2][1]
    assert "190.1 MB" in said[2][1]
