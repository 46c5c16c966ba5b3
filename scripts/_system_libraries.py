"""The system libraries that Blender needs even without a display, and how a bare Debian or Ubuntu gets them.

``python scripts/_system_libraries.py`` prints the packages that are absent, nothing if all are there.
"""

from __future__ import annotations

import ctypes
import sys

PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libgomp.so.1": "libgomp1",
    "libxkbcommon.so.0": "libxkbcommon0",
}


def missing_packages() -> list[str]:
    """Return the Debian packages of the libraries that the loader does not find; empty on other systems."""
    if sys.platform != "linux":
        return []
    return sorted(package for library, package in PACKAGES.items() if not _loads(library))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def explain(libraries: list[str]) -> str:
    """Say which libraries are absent and the command that brings every package Blender needs."""
    packages = missing_packages() or sorted(PACKAGES[name] for name in libraries if name in PACKAGES)
    command = f" On Debian or Ubuntu: apt-get install -y {' '.join(packages)}" if packages else ""
    return f"Blender needs system libraries that are absent ({', '.join(libraries)}).{command}"


if __name__ == "__main__":
    print(" ".join(missing_packages()))
