"""Which build of the libraries fits a computer. No bpy."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import AddonError
from .hardware import Hardware

GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Variant:
    """One build of the libraries.

    Attributes:
        name: cpu, mps, cu126 or cu130.
        label: for the user.
        device: the torch device it is for.
        cuda: oldest CUDA of the driver; CUDA of one major version runs on every driver of that version.
        compute: oldest cards.
        disk: bytes it takes on the disk while it is being installed, downloads included.
    """

    name: str
    label: str
    device: str
    disk: int
    cuda: tuple[int, int] = (0, 0)
    compute: tuple[int, int] = (0, 0)


CPU = Variant("cpu", "Processor", "cpu", int(2.6 * GIGABYTE))
APPLE = Variant("mps", "Apple", "mps", int(2.6 * GIGABYTE))
CUDA_13 = Variant("cu130", "NVIDIA, CUDA 13", "cuda", 12 * GIGABYTE, (13, 0), (7, 5))
CUDA_12 = Variant("cu126", "NVIDIA, CUDA 12", "cuda", 12 * GIGABYTE, (12, 0), (5, 0))
VARIANTS = {variant.name: variant for variant in (CPU, APPLE, CUDA_12, CUDA_13)}

PUBLISHED = {
    ("linux", "x64"): "cu130",
    ("linux", "arm64"): "cu130",
    ("windows", "x64"): "cpu",
    ("macos", "arm64"): "mps",
}
"""The build of torch that the package index itself has for each supported platform."""


@dataclass(frozen=True)
class Choice:
    """The build for a computer, and what the user should know about the choice."""

    variant: Variant
    note: str = ""


def check_platform(hardware: Hardware) -> None:
    """Refuse a computer for which the libraries are not published.

    Raises:
        AddonError: WHEEL_PLATFORM.
    """
    if (hardware.system, hardware.machine) not in PUBLISHED:
        raise AddonError(
            "WHEEL_PLATFORM",
            "The backend's libraries are not published for this kind of computer.",
            detail=f"Found {hardware.system} {hardware.machine}; there are Linux, Windows (x64) and macOS (Apple).",
            hint="Run the backend on another computer and connect to it: Preferences, Backend, Another Computer.",
        )


def choose(hardware: Hardware, wanted: str = "auto") -> Choice:
    """Return the build for ``hardware``, or the one the user wants by name.

    Raises:
        AddonError: WHEEL_PLATFORM: there is none.
    """
    check_platform(hardware)
    if wanted in VARIANTS:
        return Choice(VARIANTS[wanted])
    if hardware.apple:
        return Choice(APPLE)
    for variant in (CUDA_13, CUDA_12):
        if hardware.cuda >= variant.cuda and hardware.compute >= variant.compute:
            return Choice(variant)
    return Choice(CPU, _why_not(hardware))


def _why_not(hardware: Hardware) -> str:
    """Say why a computer with an NVIDIA card gets the processor's build."""
    if not hardware.gpu:
        return ""
    if hardware.compute < CUDA_12.compute:
        return f"The {hardware.gpu} is too old for the backend's libraries; the processor is used."
    found = "{}.{}".format(*hardware.cuda)
    return (
        f"The driver of the {hardware.gpu} knows CUDA {found}, the backend needs 12.0 or newer. "
        "Update NVIDIA's driver and install again; until then the processor is used."
    )


def torch_backend(variant: Variant, hardware: Hardware) -> str:
    """Return what uv calls the source of this build of torch, empty where the package index itself has it."""
    published = PUBLISHED.get((hardware.system, hardware.machine), "")
    return "" if variant.name in {published, APPLE.name} else variant.name
