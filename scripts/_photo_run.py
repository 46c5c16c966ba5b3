"""What scripts/reconstruct.py does once it runs in the backend's environment."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from _backend_session import BackendSession
from _batch import Batch, Exporter, Plan, explain, prepare_models, run_to_the_end, warnings_of
from _bootstrap import CANCELLED
from _clip_batch import ClipBatch
from _console import Console
from _options import clip_settings, job_settings
from _result_folder import ResultFolder, ResultFolders
from _scene_export import SceneExport

from backend.client import Job
from backend.protocol.errors import ExplainedError
from backend.protocol.results import JobResult


def run(options: argparse.Namespace, blender: Path | None) -> int:
    """Run the photos of the command line with the real backend and return the exit status."""
    console = Console()
    if not options.connect and (problem := prepare_models(console.complain, offline=options.offline)):
        for photo in options.photos or [Path("models")]:
            console.complain(f"{photo}: {problem}")
        return 1
    if not options.photos and options.sequence is None:
        console.say("The model files are in place.")
        return 0
    session = BackendSession(options.connect, options.device)
    return run_photos(options, session, console, scene_exporter(options, blender))


def scene_exporter(options: argparse.Namespace, blender: Path | None) -> Exporter | None:
    """Return what starts the export of a result folder, None without scene files."""

    def export(folder: Path, photo: Path | None) -> SceneExport:
        return SceneExport(blender or Path(sys.executable), folder, photo, options.formats)

    return export if options.formats else None


def run_photos(options: argparse.Namespace, session: BackendSession, console: Console, export: Exporter | None) -> int:
    """Run the photos, or the clip, of the command line and return the exit status; a signal cancels cleanly."""
    if options.sequence is not None:
        options.photos = [options.sequence]
    folders = ResultFolders(options.out, overwrite=options.overwrite)

    def open_folder(photo: Path) -> ResultFolder:
        return folders.open(photo.stem or photo.name)

    lines = Lines(options.photos, console)
    try:
        folders.prepare()
    except OSError as error:
        for index in range(len(options.photos)):
            lines.failed(index, explain(error))
        return 1
    plan = Plan(job_settings(options), options.formats, open_folder, export)
    try:
        batch = Batch(plan, session, lines)
        if options.sequence is not None:
            batch = ClipBatch(plan, session, lines, clip_settings(options))
        run_to_the_end(batch, options.photos)
    except KeyboardInterrupt:
        console.clear()
        console.complain("Cancelled.")
        return CANCELLED
    finally:
        console.clear()
    return 1 if lines.failures else 0


class Lines:
    """Writes a line for each photo.

    Attributes:
        failures: how many photos gave nothing.
    """

    def __init__(self, photos: Sequence[Path], console: Console) -> None:
        self.failures = 0
        self._photos = photos
        self._console = console

    def progress(self, index: int, job: Job) -> None:
        """Draw how far the photo is."""
        label = f"[{index + 1}/{len(self._photos)}] {self._photos[index].name}"
        self._console.progress(f"{label}  {100.0 * job.fraction:3.0f} %  {job.text}")

    def done(self, index: int, folder: Path, result: JobResult, _seconds: float) -> None:
        """Say where the result is, and what to mind."""
        photo, count = self._photos[index], len(result.persons)
        self._console.say(f"{photo}: {people(count)} -> {folder}")
        for text in warnings_of(result):
            self._console.complain(f"{photo}: note: {text}")

    def failed(self, index: int, error: ExplainedError) -> None:
        """Say why."""
        self.failures += 1
        self._console.complain(f"{self._photos[index]}: {error}")


def people(count: int) -> str:
    """Return a number of people in words."""
    return "1 person" if count == 1 else f"{count} people"
