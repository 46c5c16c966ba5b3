"""The script of the Blender that exports: ``blender --background --factory-startup --python worker.py -- JOB``.

It belongs to the Blender that has started it: when that one's end of the pipe closes, it ends.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import types
from pathlib import Path

_PACKAGE = "munet_export"


def _end_with_parent() -> None:
    """Wait for the end of what nobody ever writes."""
    while os.read(0, 1):
        pass
    os._exit(3)


def main() -> int:
    """Import the extension's modules, which nobody has registered here, and export."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    package = types.ModuleType(_PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules[_PACKAGE] = package
    inside = importlib.import_module(f"{_PACKAGE}.exporting.inside")
    return int(inside.run(Path(sys.argv[sys.argv.index("--") + 1])))


if __name__ == "__main__":
    status = 1
    try:
        status = main()
    finally:
        sys.stdout.flush()
        # Some Blenders crash in their clean-up after an export, when everything has been written.
        os._exit(status)
