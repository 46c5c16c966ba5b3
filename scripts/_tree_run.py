"""What scripts/batch.py does once it runs in the backend's environment."""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _backend_session import BackendSession
from _batch import (
    Batch,
    Exporter,
    NoBackendError,
    Plan,
    explain,
    prepare_models,
    run_to_the_end,
    warnings_of,
)
from _bootstrap import CANCELLED
from _console import Console
from _options import job_settings
from _photo_run import people, scene_exporter
from _photo_tree import NothingFoundError, PhotoTree, find_photos, result_places
from _result_files import REPORT, person_file
from _result_folder import ResultFolder, clean_up
from _scene_export import scene_file
from _tree_report import TreeReport, read_json

from backend.client import Job
from backend.protocol.errors import BackendError, ExplainedError
from backend.protocol.results import JobResult
from munet import __version__

FAILED, USAGE, NO_BACKEND = 1, 2, 3
IGNORED_SETTINGS = {"device"}


def run(options: argparse.Namespace, blender: Path | None) -> int:
    """Run the folders of the command line with the real backend and return the exit status."""
    session = BackendSession(options.connect, options.device)
    return run_tree(options, session, Console(), scene_exporter(options, blender), own_models=not options.connect)


def run_tree(
    options: argparse.Namespace,
    session: BackendSession,
    console: Console,
    export: Exporter | None,
    *,
    own_models: bool = False,
    version: str = __version__,
) -> int:
    """Run the folders of the command line and return the exit status; a signal ends the run cleanly.

    Args:
        options: of the command line.
        session: the connection to the backend.
        console: for the user.
        export: starts the export of a result folder; None for no scene files.
        own_models: look after the model files, which a backend that is started here needs.
        version: of the backend; results of another one are made again.
    """
    try:
        tree = find_photos(options.photos)
        if options.connect:
            version = session.version()
        work = survey(tree, Wanted(job_settings(options), options.formats, version), options, console)
    except (NothingFoundError, OSError) as error:
        console.complain(str(error) if isinstance(error, NothingFoundError) else str(explain(error)))
        return USAGE
    except BackendError as error:
        console.complain(str(error))
        return NO_BACKEND
    except KeyboardInterrupt:
        console.complain("Cancelled.")
        return CANCELLED
    status, state, error = _run_work(work, options, session, console, export, own_models=own_models)
    console.clear()
    if error is not None:
        console.complain(str(error))
    return _close(work.report, state, error, console) or status


def _close(report: TreeReport, state: str, error: ExplainedError | None, console: Console) -> int:
    try:
        report.close(state, error)
    except OSError as failure:
        console.complain(f"The report is not complete. {explain(failure)}")
        return FAILED
    totals = report.totals
    console.say(", ".join(f"{totals[state]} {state}" for state in ("done", "skipped", "failed", "pending")))
    return 0


@dataclass(frozen=True)
class Wanted:
    """What a result must have been made with to be kept."""

    settings: Mapping[str, Any]
    formats: Sequence[str]
    version: str


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        tree: all photos.
        todo: indices of the photos without a result.
        folders: each photo's result folder.
        report: over all.
    """

    tree: PhotoTree
    todo: tuple[int, ...]
    folders: Mapping[Path, Path]
    report: TreeReport


def survey(tree: PhotoTree, wanted: Wanted, options: argparse.Namespace, console: Console) -> Work:
    """Find out which photos still need a result.

    Raises:
        OSError: the output folder can not be made or written.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    places = result_places(tree)
    folders = {photo: options.out / place for photo, place in places.items()}
    for parent in {folder.parent for folder in folders.values()}:
        if parent.is_dir():
            clean_up(parent)
    facts = {"root": str(tree.root), "settings": dict(wanted.settings), "formats": list(wanted.formats)}
    names = [(photo.relative_to(tree.root).as_posix(), places[photo].as_posix()) for photo in tree.photos]
    report = TreeReport(options.report or options.out / "batch.json", facts, names)
    todo = []
    for index, photo in enumerate(tree.photos):
        console.progress(f"[{index + 1}/{len(tree.photos)}] looking for earlier results")
        made = None if options.force else kept_result(photo, folders[photo], wanted)
        if made is None:
            todo.append(index)
        else:
            report.skip(index, made)
    return Work(tree, tuple(todo), folders, report)


def kept_result(photo: Path, folder: Path, wanted: Wanted) -> dict[str, Any] | None:
    """Return the report of a result that is complete and made from this file as wanted; None if there is none."""
    report = read_json(folder / REPORT)
    if report is None or not {"settings", "formats", "photo_sha256", "persons", "warnings"} <= report.keys():
        return None
    if not isinstance(report["persons"], list) or not isinstance(report["settings"], dict):
        return None
    same = report.get("version") == wanted.version and set(wanted.formats) <= set(report["formats"])
    if not same or _compared(report["settings"]) != _compared(wanted.settings):
        return None
    files = ["preview.png", *(person_file(index) for index in range(len(report["persons"])))]
    if not all((folder / name).is_file() for name in [*files, *map(scene_file, wanted.formats)]):
        return None
    try:
        return report if hashlib.sha256(photo.read_bytes()).hexdigest() == report["photo_sha256"] else None
    except OSError:
        return None


def _compared(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in IGNORED_SETTINGS}


def _run_work(
    work: Work,
    options: argparse.Namespace,
    session: BackendSession,
    console: Console,
    export: Exporter | None,
    *,
    own_models: bool,
) -> tuple[int, str, ExplainedError | None]:
    """Do the work and return exit status, final state and what ended it early."""
    if own_models and work.todo and (problem := prepare_models(console.complain, offline=options.offline)):
        missing = ExplainedError(problem.code, problem.title, detail=problem.detail, hint=problem.hint)
        return NO_BACKEND, "no backend", missing
    plan = Plan(job_settings(options), options.formats, _opener(work), export, needs_backend=True)
    try:
        if work.todo:
            photos = [work.tree.photos[index] for index in work.todo]
            run_to_the_end(Batch(plan, session, TreeLines(work, console)), photos)
    except KeyboardInterrupt:
        hint = "The same command without --force goes on." if options.force else "The same command goes on."
        return CANCELLED, "cancelled", ExplainedError("CANCELLED", "Cancelled.", hint=hint)
    except NoBackendError as error:
        return NO_BACKEND, "no backend", error.reason
    return FAILED if work.report.totals["failed"] else 0, "finished", None


def _opener(work: Work) -> Callable[[Path], ResultFolder]:
    def open_folder(photo: Path) -> ResultFolder:
        folder = work.folders[photo]
        if folder.exists() and read_json(folder / REPORT) is None:
            hint = "Move it away or choose another output folder."
            raise ExplainedError("IN_THE_WAY", f"{folder} is there already and is no result.", hint=hint)
        return ResultFolder(folder, overwrite=True)

    return open_folder


class TreeLines:
    """Writes a line for each photo and keeps the report."""

    def __init__(self, work: Work, console: Console) -> None:
        self._work = work
        self._console = console
        self._began = self._last = time.monotonic()
        self._finished = 0

    def progress(self, number: int, job: Job) -> None:
        """Draw how far the photo is, and how long the rest may take."""
        self._console.progress(f"{self._label(number)}  {100.0 * job.fraction:3.0f} %  {job.text}{self._rest()}")

    def done(self, number: int, folder: Path, result: JobResult, seconds: float) -> None:
        """Note a result."""
        self._work.report.done(self._work.todo[number], result, seconds)
        self._count()
        count = people(len(result.persons))
        self._console.say(f"{self._label(number)}: {count} -> {folder} ({seconds:.1f} s{self._rest()})")
        for text in warnings_of(result):
            self._console.complain(f"{self._label(number)}: note: {text}")

    def failed(self, number: int, error: ExplainedError) -> None:
        """Note a failure."""
        self._work.report.failed(self._work.todo[number], error, time.monotonic() - self._last)
        self._count()
        self._console.complain(f"{self._label(number)}: {error}")

    def _count(self) -> None:
        self._finished += 1
        self._last = time.monotonic()

    def _label(self, number: int) -> str:
        tree, index = self._work.tree, self._work.todo[number]
        return f"[{number + 1}/{len(self._work.todo)}] {tree.photos[index].relative_to(tree.root)}"

    def _rest(self) -> str:
        left = len(self._work.todo) - self._finished
        if not self._finished or not left:
            return ""
        return f", about {in_words((self._last - self._began) / self._finished * left)} left"


def in_words(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
