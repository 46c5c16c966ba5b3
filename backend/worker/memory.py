"""How much memory this process holds, and torch's limit on a card."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PAGE_FILE = Path("/proc/self/statm")


def held_bytes() -> int:
    """Return the bytes of memory this process holds now (macOS: has held at most); 0 if the system does not tell."""
    if sys.platform == "win32":
        return _held_windows()
    import resource

    if PAGE_FILE.is_file():
        return int(PAGE_FILE.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _held_windows() -> int:
    import ctypes

    class Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS."""

        _fields_ = (
            ("size", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("peak", "working_set", "a", "b", "c", "d", "pagefile", "peak_page")),
        )

    counters = Counters()
    counters.size = ctypes.sizeof(counters)
    windows: Any = ctypes
    kernel = windows.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size):
        return 0
    return int(counters.working_set)


def limit_card(device: torch.device, limit: int) -> None:
    """Keep torch within ``limit`` bytes of a card's memory; it reports that it is out of memory beyond them."""
    import torch

    if not limit:
        return
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), device)
    elif device.type == "mps":
        total = torch.mps.recommended_max_memory()
        torch.mps.set_per_process_memory_fraction(min(1.0, limit / total))
