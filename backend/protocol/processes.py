"""Whether a process is alive, on every platform, with the standard library alone."""

from __future__ import annotations

import os
import sys
from typing import Any


def process_alive(pid: int) -> bool:
    """Return whether a process with this id runs (a finished one that nobody has waited for counts as gone)."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return _alive_windows(pid)
    return _alive_posix(pid)


class ProcessWatch:
    """Watches one process and is not fooled by another one that gets its number later."""

    def __init__(self, pid: int) -> None:
        """Begin to watch the process ``pid``; 0 watches nothing and always counts as gone."""
        self._pid = pid
        self._birth = _birth(pid)
        self._is_parent = hasattr(os, "getppid") and sys.platform != "win32" and pid == os.getppid()
        self._handle = _open_windows(pid) if sys.platform == "win32" else None

    def alive(self) -> bool:
        """Return whether the process still runs."""
        if self._is_parent and os.getppid() != self._pid:
            return False
        if self._handle is not None:
            return _runs_windows(self._handle)
        # A time that can not be read, as when no more files can be opened, does not tell of another process.
        return process_alive(self._pid) and _birth(self._pid) in (self._birth, b"")


def _birth(pid: int) -> bytes:
    """Return when a process was started, in the kernel's own form; empty where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123
            return stream.read().rpartition(b")")[2].split()[19]
    except (OSError, IndexError):
        return b""


def _alive_posix(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123
            return stream.read().rpartition(b")")[2].split()[:1] == [b"Z"]
    except OSError:
        return False


def _alive_windows(pid: int) -> bool:
    handle = _open_windows(pid)
    if handle is None:
        return False
    try:
        return _runs_windows(handle)
    finally:
        _kernel().CloseHandle(handle)


def _kernel() -> Any:  # noqa: ANN401 a C library
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
    return kernel


def _open_windows(pid: int) -> int | None:
    """Return a handle of the process, which stays its own even when the number is given to another; None if gone."""
    synchronize = 0x00100000
    return _kernel().OpenProcess(synchronize, False, pid) or None if pid > 0 else None


def _runs_windows(handle: int) -> bool:
    still_waiting = 0x00000102
    return bool(_kernel().WaitForSingleObject(handle, 0) == still_waiting)
