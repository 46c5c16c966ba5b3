"""How many files and connections the broker may have open at once."""

from __future__ import annotations

import logging
import sys

log = logging.getLogger("backend.broker")

MOST_FILES = 10_240
"""The most that macOS allows; each connection takes one, and 256 or 1024 are where systems begin."""


def raise_file_limit() -> None:
    """Let this process and its children open as many files as the system allows, up to ``MOST_FILES``."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        log.warning("The limit of %d open files stays: %s", soft, error)
