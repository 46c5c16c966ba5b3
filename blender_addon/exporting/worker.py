"""A Blender that works for another one: ``blender --background --factory-startup --python worker.py -- MODULE JOB``

It belongs to the Blender that has started it: when that one's end of the pipe closes, it ends.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import types
from pathlib import Path

_PACKAGE = "munet_aside"


def _end_with_parent() -> None:
    """Wait for the end of what nobody ever writes."""
    while os.read(0, 1):
        pass
    os._exit(3)


def main() -> int:
    """Import a module of the extension, which nobody has registered here, and let it do the job."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    package = types.ModuleType(_PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules[_PACKAGE] = package
    module, job = sys.argv[sys.argv.index("--") + 1 :]
    return int(importlib.import_module(f"{_PACKAGE}.{module}").run(Path(job)))


if __name__ == "__main__":
    status = 1
    try:
        status = main()
    finally:
        sys.stdout.flush()
        # Some Blenders crash in their clean-up after an export or Rigify, when everything has been written.
        os._exit(status)
