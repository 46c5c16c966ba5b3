"""What this computer computes with, found without torch: the driver's library, nvidia-smi, the platform. No bpy."""

from __future__ import annotations

import ctypes
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

_SYSTEMS = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
_ARM = {"arm64", "aarch64"}
_MAJOR, _MINOR = 75, 76
_SMI_SECONDS = 15.0


@dataclass(frozen=True)
class Hardware:
    """One computer.

    Attributes:
        system: linux, macos or windows.
        machine: x64 or arm64.
        gpu: name of the NVIDIA card; empty without one.
        cuda: newest CUDA the driver can run, (0, 0) without a driver.
        compute: compute capability of the card.
        memory: of the card, in bytes.
    """

    system: str
    machine: str
    gpu: str = ""
    cuda: tuple[int, int] = (0, 0)
    compute: tuple[int, int] = (0, 0)
    memory: int = 0

    @property
    def apple(self) -> bool:
        """Whether it is a Mac with Apple's own chip."""
        return (self.system, self.machine) == ("macos", "arm64")


def this_computer() -> Hardware:
    """Look what there is. Takes a moment where there is a card, so call it in a thread."""
    system = _SYSTEMS.get(platform.system(), platform.system().lower())
    machine = "arm64" if platform.machine().lower() in _ARM else "x64"
    bare = Hardware(system, machine)
    if system == "macos":
        return bare
    return from_driver(bare, _driver_library()) or from_smi(bare, _ask_smi()) or bare


def _driver_library() -> Any:  # noqa: ANN401 a C library
    """Return NVIDIA's driver library, None where there is none."""
    try:
        if sys.platform == "win32":
            return ctypes.WinDLL("nvcuda.dll")
        return ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None


def from_driver(bare: Hardware, library: Any) -> Hardware | None:  # noqa: ANN401
    """Ask the driver library about its version and the first card; None if it has no answer."""
    if library is None:
        return None
    version, device = ctypes.c_int(), ctypes.c_int()
    if library.cuDriverGetVersion(ctypes.byref(version)) or library.cuInit(0):
        return None
    if library.cuDeviceGet(ctypes.byref(device), 0):
        return None
    name, memory = ctypes.create_string_buffer(256), ctypes.c_size_t()
    library.cuDeviceGetName(name, 256, device)
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    return replace(
        bare,
        gpu=name.value.decode(errors="replace"),
        cuda=(version.value // 1000, version.value % 1000 // 10),
        compute=(_attribute(library, _MAJOR, device), _attribute(library, _MINOR, device)),
        memory=memory.value,
    )


def _attribute(library: Any, number: int, device: ctypes.c_int) -> int:  # noqa: ANN401
    value = ctypes.c_int()
    library.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value


def _ask_smi() -> tuple[str, str]:
    """Return what nvidia-smi says: its header, which names the CUDA version, and a line on the first card."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "", ""
    query = ["--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader,nounits"]
    return _said([program]), _said([program, *query])


def _said(command: list[str]) -> str:
    try:
        flags = 0x08000000 if sys.platform == "win32" else 0
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_SMI_SECONDS, check=False, creationflags=flags
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def from_smi(bare: Hardware, said: tuple[str, str]) -> Hardware | None:
    """Read the two answers of nvidia-smi; None if they name no card."""
    cuda = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", said[0])
    fields = [field.strip() for field in said[1].strip().split("\n")[0].split(",")]
    if cuda is None or len(fields) != 3:
        return None
    compute = re.fullmatch(r"(\d+)\.(\d+)", fields[2])
    return replace(
        bare,
        gpu=fields[0],
        cuda=(int(cuda[1]), int(cuda[2])),
        compute=(int(compute[1]), int(compute[2])) if compute else (0, 0),
        memory=int(fields[1]) << 20 if fields[1].isdigit() else 0,
    )
