"""Run every check of the project: environments, models, add-on build, style, types, tests.

``python scripts/test.py`` runs all; ``--fast`` leaves out the tests marked slow and all but one Blender;
everything else goes to pytest (``python scripts/test.py --fast tests/munet -k camera``).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from _environment import ALIASES, BLENDER_ENVIRONMENTS, ROOT, SetupError, clean_variables, ensure, unavailable_reason
from _gltf_validator import gltf_validator


@dataclass(frozen=True)
class Outcome:
    """What became of one step."""

    step: str
    passed: bool
    seconds: float
    note: str = ""


def main(arguments: list[str]) -> int:
    """Run the checks and return 0 only if all of them passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--fast", action="store_true", help="leave out slow tests and all but the default Blender")
    options, pytest_arguments = parser.parse_known_args(arguments)
    outcomes = [_timed("environments", lambda: _make_environments(fast=options.fast))]
    if outcomes[0].passed:
        outcomes += [_timed(name, step) for name, step in _steps(options.fast, pytest_arguments)]
    return _summarise(outcomes)


def _steps(fast: bool, pytest_arguments: list[str]) -> list[tuple[str, Callable[[], str]]]:
    backend, lint, test = (str(ensure(name)) for name in ("backend", "lint", "test"))
    selection = ["-m", "not slow"] if fast else []
    blenders = ALIASES["blender"] if fast else ",".join(BLENDER_ENVIRONMENTS)
    return [
        ("models", lambda: _command([backend, "-m", "munet.models"])),
        ("add-on build", lambda: _command([backend, "build_addon.py"])),
        ("ruff check", lambda: _command([lint, "-m", "ruff", "check", "."])),
        ("ruff format", lambda: _command([lint, "-m", "ruff", "format", "--check", "."])),
        ("mypy backend, munet", lambda: _command([lint, "-m", "mypy"])),
        ("mypy add-on", lambda: _command([lint, "-m", "mypy", *_built_addon()], ROOT / "build" / "extension")),
        ("pytest", lambda: _command([test, "-m", "pytest", *selection, *pytest_arguments], MUNET_BLENDERS=blenders)),
    ]


def _make_environments(*, fast: bool) -> str:
    for name in ("backend", "test", "lint"):
        ensure(name)
    gltf_validator()
    skipped = []
    for name in (ALIASES["blender"],) if fast else BLENDER_ENVIRONMENTS:
        if reason := unavailable_reason(name):
            skipped.append(f"{name} skipped: {reason}")
        else:
            ensure(name)
    return "; ".join(skipped)


def _built_addon() -> list[str]:
    return ["--config-file", str(ROOT / "scripts" / "mypy_addon.ini"), "-p", "munet"]


def _command(command: list[str], folder: Path = ROOT, **variables: str) -> str:
    environment = {**clean_variables(), "PYTHONUNBUFFERED": "1", **variables}
    status = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    if status:
        raise SetupError(f"exit status {status}")
    return ""


def _timed(name: str, step: Callable[[], str]) -> Outcome:
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    try:
        note, passed = step(), True
    except (SetupError, OSError) as error:
        note, passed = str(error), False
        print(note, file=sys.stderr, flush=True)
    return Outcome(name, passed, time.monotonic() - began, note)


def _summarise(outcomes: list[Outcome]) -> int:
    failed = [outcome.step for outcome in outcomes if not outcome.passed]
    print("\n=== summary")
    for outcome in outcomes:
        state = "passed" if outcome.passed else "FAILED"
        note = outcome.note.splitlines()[0] if outcome.note else ""
        print(f"{state}  {outcome.step:<22} {outcome.seconds:6.1f} s  {note}")
    total = sum(outcome.seconds for outcome in outcomes)
    print(f"{'all passed' if not failed else 'FAILED: ' + ', '.join(failed)} in {total:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
