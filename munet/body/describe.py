"""Say what a licensed body file is: ``python -m munet.body.describe FILE`` writes one line of JSON."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from munet.body.smpl_reader import ORDERS, read_smpl_file
from munet.errors import BodyFileError

EXPRESSIONS = {20: 10, 400: 100}
"""Shape directions of SMPL-X files end with those of the face: how many, by the number of all."""

_GENDERS = {"female": "female", "f": "female", "male": "male", "m": "male", "neutral": "neutral", "n": "neutral"}


def describe(path: Path) -> dict[str, Any]:
    """Return kind, gender, numbers of betas and vertices, and SHA-256 of a body file.

    Raises:
        BodyFileError: it can not be used.
    """
    file = read_smpl_file(path)
    kind, _ = ORDERS[file.arrays["weights"].shape[1]]
    directions = file.arrays["shapedirs"].shape[2]
    return {
        "kind": kind,
        "gender": gender_of(path),
        "betas": directions - (EXPRESSIONS.get(directions, 0) if kind == "SMPL-X" else 0),
        "vertices": len(file.arrays["v_template"]),
        "sha256": file.sha256,
    }


def gender_of(path: Path) -> str:
    """Return the gender that the official names of file and folder tell; the files themselves do not."""
    for name in (path.stem, path.parent.name):
        words = [word for word in re.split(r"[^a-z]+", name.lower().replace("basicmodel", "")) if word]
        found = [_GENDERS[word] for word in words if word in _GENDERS]
        if found:
            return found[0]
    return "gender unknown"


def main(words: list[str]) -> int:
    """Describe the file named on the command line, or say why it is refused."""
    if len(words) != 1:
        sys.stderr.write("usage: python -m munet.body.describe FILE\n")
        return 2
    try:
        facts = describe(Path(words[0]))
    except BodyFileError as error:
        facts = {"refused": error.title, "detail": error.detail}
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
