"""Windows: the worker ends with the broker, whatever ends that; elsewhere pipe and kernel see to it."""

from __future__ import annotations

import ctypes
import logging
import sys
from typing import Any

log = logging.getLogger("backend.worker")

KILL_ON_CLOSE = 0x2000
EXTENDED_LIMITS = 9


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", BasicLimits),
        ("io_counters", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


def kill_on_close_limits() -> ExtendedLimits:
    """Return the limits of a job whose processes end when its last handle is closed, as at the end of its owner."""
    limits = ExtendedLimits()
    limits.basic.flags = KILL_ON_CLOSE
    return limits


def bind_to_this_process(handle: int, kernel: Any = None) -> int:  # noqa: ANN401 a C library
    """Let the process with this Windows handle end with the present one.

    Args:
        handle: of the child process.
        kernel: kernel32; by default the system's.

    Returns:
        The job's handle, to be kept open; 0 where there are no jobs or Windows refuses (the pipe still works).
    """
    if kernel is None:
        if sys.platform != "win32":
            return 0
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateJobObjectW.restype = ctypes.c_void_p
    job = kernel.CreateJobObjectW(None, None)
    if not job:
        return 0
    limits = kill_on_close_limits()
    job_handle, size = ctypes.c_void_p(job), ctypes.sizeof(limits)
    done = kernel.SetInformationJobObject(job_handle, EXTENDED_LIMITS, ctypes.byref(limits), size)
    if done and kernel.AssignProcessToJobObject(job_handle, ctypes.c_void_p(handle)):
        return int(job)
    log.warning("The worker could not be bound to this process")
    kernel.CloseHandle(job_handle)
    return 0
