"""Stands in for scripts/export_scene.py: writes small files, or fails as the photo's name says."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--photo", type=Path)
parser.add_argument("--formats")
options = parser.parse_args()
name = options.photo.name if options.photo else ""
if "export-slow" in name:
    time.sleep(30.0)
if "export-full" in name:
    sys.exit("OSError: [Errno 28] No space left on device")
if "export-crash" in name:
    sys.stderr.write("a library said goodbye\n")
    sys.exit(11)
if "export-nothing" not in name:
    for kind in options.formats.split(","):
        people = sorted(path.name for path in options.folder.glob("person_*.npz"))
        (options.folder / f"scene.{kind}").write_text(" ".join(people))
