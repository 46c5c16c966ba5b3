"""What the programs of an installation say when they fail, as a sentence and a fix. No bpy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import AddonError


@dataclass(frozen=True)
class _Known:
    """A failure that is recognised by what was written."""

    code: str
    pattern: str
    title: str
    hint: str


_KNOWN = (
    _Known(
        "DISK_FULL",
        r"No space left on device|not enough space on the disk|Errno 28|os error 28|os error 112",
        "There is not enough room on the disk.",
        "Free some space, or choose a folder on another disk.",
    ),
    _Known(
        "CERTIFICATE",
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|SSLError|SSL: ",
        "The connection to the package index is not trusted.",
        "A proxy or virus scanner may be looking into it: set SSL_CERT_FILE to its certificate before Blender starts, "
        "or install from a folder of wheels.",
    ),
    _Known(
        "PROXY",
        r"ProxyError|Tunnel connection failed|407 Proxy|proxy authentication",
        "The network's proxy does not let the installation through.",
        "Set HTTPS_PROXY to its address, with name and password if it needs them, before Blender starts, "
        "or install from a folder of wheels.",
    ),
    _Known(
        "NETWORK",
        r"NewConnectionError|NameResolutionError|getaddrinfo failed|Temporary failure in name resolution|dns error|"
        r"Connection refused|ConnectTimeout|Read timed out|ReadTimeoutError|operation timed out|"
        r"error sending request|Network is unreachable|Failed to fetch|Could not fetch URL",
        "The package index can not be reached.",
        "Check the network and press Install again; what was fetched is kept. Or install from a folder of wheels.",
    ),
    _Known(
        "WHEEL_PLATFORM",
        r"is not a supported wheel on this platform|No matching distribution found|from versions: none|"
        r"has no wheels with a matching|no matching platform|has no wheel for|No solution found when resolving",
        "A library of the backend does not exist for this computer and Python, or not in this folder.",
        "Choose another build of the libraries or another folder of wheels; the log says which library it is.",
    ),
    _Known(
        "NO_VENV",
        r"ensurepip is not available|No module named '?(venv|ensurepip)",
        "This Python can not make environments.",
        "On Debian and Ubuntu install the package python3-venv, then press Install again.",
    ),
    _Known(
        "FOLDER",
        r"Permission denied|Access is denied|Errno 13|Read-only file system|os error 5\b|WinError 5\b",
        "The folder can not be written.",
        "Choose another folder, and check that no virus scanner protects this one.",
    ),
    _Known(
        "LIBRARY",
        r"cannot open shared object file|DLL load failed|Library not loaded",
        "A library of the system is missing.",
        "Install it (on Windows the Visual C++ Redistributable), then press Install again.",
    ),
    _Known(
        "DRIVER_OLD",
        r"driver on your system is too old|CUDA driver version is insufficient",
        "NVIDIA's driver is too old for the backend.",
        "Update the driver, or install the build for the processor.",
    ),
)


def explain(text: str, log: Path | None, otherwise: str = "The backend could not be installed.") -> AddonError:
    """Return the failure that ``text``, written by a program, stands for."""
    where = f" Log: {log}" if log else ""
    for known in _KNOWN:
        if match := re.search(known.pattern, text, re.IGNORECASE):
            line = next((line for line in text.splitlines() if match[0] in line), match[0])
            return AddonError(known.code, known.title, detail=_short(line) + where, hint=known.hint)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("[notice]")]
    last = lines[-1] if lines else ""
    return AddonError("INSTALL", otherwise, detail=_short(last) + where, hint="Open the log for the details.")


def _short(line: str) -> str:
    line = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
    return line if len(line) < 240 else line[:240] + " ..."
