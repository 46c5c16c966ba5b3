"""How an installed backend tells the add-on where it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from munet import __version__

from .protocol.places import make_private_dir, state_dir
from .protocol.version import MAJOR

NAME = "backend.json"


def facts() -> dict[str, Any]:
    """Return version, protocol and interpreter of this backend."""
    return {"version": __version__, "protocol": MAJOR, "python": sys.executable}


def register() -> Path:
    """Write these facts to where the add-on looks for them.

    Raises:
        BackendError: RUNTIME_DIR: the user's folder can not be written.
    """
    path = make_private_dir(state_dir()) / NAME
    partial = path.with_name(f"{NAME}.part")
    partial.write_text(json.dumps(facts()), encoding="utf-8")
    partial.replace(path)
    return path
