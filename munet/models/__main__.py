"""Fetch, verify or list the network files: ``python -m munet.models [fetch|verify|list]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from munet.errors import MunetError
from munet.models.store import ModelStore


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m munet.models", description="The network files of MuNet.")
    parser.add_argument("action", nargs="?", choices=("fetch", "verify", "list"), default="fetch")
    parser.add_argument("--folder", type=Path, help="where the files are kept (default: the user's cache folder)")
    parser.add_argument("--from", dest="source", type=Path, help="take the files from this folder")
    chosen = parser.parse_args(arguments)
    store = ModelStore(chosen.folder)
    if chosen.action == "list":
        return _list(store)
    if chosen.action == "verify":
        return _verify(store)
    return _fetch(store, chosen.source)


def _fetch(store: ModelStore, source: Path | None) -> int:
    try:
        paths = store.fetch(report=_say) if source is None else store.take(source, report=_say)
    except MunetError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path in paths:
        _say(f"ready    {path}")
    return 0


def _verify(store: ModelStore) -> int:
    problems = {file.file_name: store.problem(file) for file in store.files.values()}
    for name, problem in problems.items():
        _say(f"{name} {problem or 'is whole'}")
    return 1 if any(problems.values()) else 0


def _list(store: ModelStore) -> int:
    for file in store.files.values():
        _say(f"{file.name}: {file.file_name}, {file.size / 1e6:.1f} MB, {file.licence}, {file.package} {file.version}")
        _say(f"    {file.purpose}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
