"""From the Python that the user typed into the backend's environment. Needs only the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from _environment import ROOT, SetupError, clean_variables, ensure

CANCELLED = 130


def prepare(*, scenes: bool, offline: bool) -> tuple[Path, Path | None]:
    """Return the interpreters of the backend and, if ``scenes`` are wanted, of Blender; makes what is missing.

    Raises:
        SetupError: an environment can not be made.
    """
    if offline:
        os.environ["PIP_NO_INDEX"] = "1"
    return ensure("backend"), ensure("blender") if scenes else None


def runs_inside(python: Path) -> bool:
    """Return whether this process runs in the environment of ``python``; then the project can be imported."""
    if Path(sys.prefix).resolve() != python.parent.parent.resolve():
        return False
    sys.path.insert(0, str(ROOT))
    return True


def run_inside(python: Path, script: str, arguments: Sequence[str]) -> int:
    """Run the script again with ``python``, in place of this process where possible, and return its exit status."""
    command = [str(python), str(Path(script).resolve()), *arguments]
    if os.name == "posix":
        os.execve(python, command, clean_variables())  # noqa: S606 replaces this process, so that signals arrive
    child = subprocess.Popen(command, env=clean_variables())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def run_script(main: Callable[[Sequence[str]], int], setup_status: int = 1) -> int:
    """Run a script's ``main``; an environment that can not be made and Ctrl-C become one line and an exit status."""
    try:
        return main(sys.argv[1:])
    except SetupError as error:
        print(error, file=sys.stderr)
        return setup_status
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return CANCELLED


def within(environment: str, script: str, arguments: Sequence[str], work: Callable[[], int]) -> int:
    """Make an environment and return the exit status of ``work`` in it; ``script`` is run again where this is another.

    Raises:
        SetupError: the environment can not be made.
    """
    python = ensure(environment)
    if not runs_inside(python):
        return run_inside(python, script, arguments)
    # Threads of torch that spin while they wait take the processor from each other.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return work()


def answered(work: Callable[[], int]) -> int:
    """Return the exit status of ``work``; a failure that a user can meet is printed and gives 1."""
    from munet.errors import MunetError

    try:
        return work()
    except MunetError as error:
        print(error, file=sys.stderr)
        return 1
