"""Work in a Blender of its own, of which only the result comes into this one: what would hold the window too long."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import bpy

from .backend_manager.task import Task
from .errors import AddonError
from .exporting.job import read_answer, write_answer
from .steps import Beside, Steps

T = TypeVar("T")
_WORKER = Path(__file__).parent / "exporting" / "worker.py"
LIMIT_SECONDS = 180.0
PREFIX = "munet-aside-"
_JOB, _ANSWER = "job.json", "answer.json"
Failed = Callable[[str], AddonError]
"""Makes an error of its detail."""


def blender_program() -> list[str]:
    """Return the command that runs a script in another Blender like this one, empty without a window or a program.

    The artist's preferences and other extensions stay out of it; scripts in drivers run there if they do here.
    """
    binary = bpy.app.binary_path
    if bpy.app.background or not binary or not os.access(binary, os.X_OK):
        return []
    trusted = [] if bpy.app.autoexec_fail else ["--enable-autoexec"]
    return [binary, "--background", "--factory-startup", "--offline-mode", *trusted, "--python"]


def worker_command(program: Sequence[str], module: str, job: Path) -> list[str]:
    """Return the command that lets ``module`` of the extension do the ``job`` in the Blender of ``program``."""
    return [*program, str(_WORKER), "--", module, str(job)]


def asking(
    program: Sequence[str],
    module: str,
    prepare: Callable[[Path], dict[str, Any]],
    read: Callable[[Path], T],
    failed: Failed,
) -> Steps[T]:
    """Let another Blender do something, in steps.

    Args:
        program: the command that runs a script in it.
        module: of the extension; its ``run(path)`` is called there.
        prepare: puts into a folder what the other one needs besides the job, which it returns.
        read: brings what the other one has left in the folder.
        failed: makes the error of whatever goes wrong.

    Raises:
        AddonError: that of ``failed``, or what the other Blender has raised.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=bpy.app.tempdir or None))
    task = Task("aside", partial(_call, worker_command(program, module, folder / _JOB), folder, failed))
    try:
        (folder / _JOB).write_text(json.dumps(prepare(folder)), encoding="utf-8")
        yield Beside(partial(_wait, task))
        return read(folder)
    except OSError as error:
        raise failed(str(error)) from error
    finally:
        if not task.finished:
            task.cancel()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(task: Task) -> None:
    task.start().join()
    if task.failure is not None:
        raise task.failure


def _call(command: Sequence[str], folder: Path, failed: Failed, task: Task) -> None:
    try:
        ended = task.call(command, limit=LIMIT_SECONDS, tied=True)
    except OSError as error:
        raise failed(str(error)) from error
    try:
        failure = read_answer(folder / _ANSWER)
    except OSError as error:
        raise failed(" ".join(ended.lines[-3:]) or str(ended.status)) from error
    if failure is not None:
        raise failure


def answer(path: Path, do: Callable[[dict[str, Any], Path], None], failed: Failed) -> int:
    """In the other Blender: ``do`` the job at ``path`` with its folder, say how it ended, return the exit status."""
    failure: AddonError | None = None
    try:
        do(json.loads(path.read_text(encoding="utf-8")), path.parent)
    except AddonError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - the Blender that asked shows whatever went wrong
        failure = failed(f"{type(error).__name__}: {error}")
    write_answer(path.with_name(_ANSWER), failure)
    return 0 if failure is None else 1
