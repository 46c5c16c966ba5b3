"""A batch of photos: sends them to the backend, writes the result folders, goes on after every failure."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _backend_session import BackendSession
from _console import Console
from _result_files import finish_report, write_result
from _result_folder import ResultFolder, ResultFolders
from _scene_export import ExportError, SceneExport

from backend.client import Job
from backend.protocol.errors import BackendError
from backend.protocol.results import JobResult
from munet.errors import DiskFullError, MunetError
from munet.models.store import ModelStore

CANCELLED = 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
Exporter = Callable[[Path, Path], SceneExport]


@dataclass
class Sent:
    """A photo and its job; ``problem`` instead of a job if the photo could not be sent."""

    photo: Path
    image: bytes = b""
    job: Job | None = None
    problem: str = ""
    started: float = 0.0


@dataclass
class Unfinished:
    """A result that only waits for its scene files."""

    sent: Sent
    folder: ResultFolder
    result: JobResult
    export: SceneExport | None


def run_batch(options: argparse.Namespace, blender: Path | None) -> int:
    """Run the photos of the command line with the real backend and return the exit status."""
    console = Console()
    if not options.connect and (problem := _prepare_models(options, console)):
        for photo in options.photos or [Path("models")]:
            console.complain(f"{photo}: {problem}")
        return 1
    if not options.photos:
        console.say("The model files are in place.")
        return 0

    def export(folder: Path, photo: Path) -> SceneExport:
        return SceneExport(blender or Path(sys.executable), folder, photo, options.formats)

    session = BackendSession(options.connect, options.device)
    return run_photos(options, session, console, export if options.formats else None)


def run_photos(options: argparse.Namespace, session: BackendSession, console: Console, export: Exporter | None) -> int:
    """Run the photos of the command line and return the exit status; a signal cancels cleanly."""
    signal.signal(signal.SIGTERM, _interrupt)
    batch = Batch(options, session, console, export)
    try:
        return batch.run(options.photos)
    except KeyboardInterrupt:
        console.complain("Cancelled.")
        return CANCELLED
    finally:
        batch.close()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _prepare_models(options: argparse.Namespace, console: Console) -> str:
    """Fetch what is missing and return why that was not possible."""
    store = ModelStore()
    try:
        if options.offline:
            for name in store.files:
                store.path(name)
        else:
            store.fetch(report=console.complain)
    except MunetError as error:
        return str(error)
    return ""


class Batch:
    """Runs photos one after the other; the next one is already with the backend while a result is written.

    Args:
        options: of the command line.
        session: the connection to the backend.
        console: for the user.
        export: starts the export of a result folder; None for no scene files.
    """

    def __init__(
        self, options: argparse.Namespace, session: BackendSession, console: Console, export: Exporter | None
    ) -> None:
        self._options = options
        self._session = session
        self._console = console
        self._export = export
        self._folders = ResultFolders(options.out, overwrite=options.overwrite)
        self._unfinished: Unfinished | None = None
        self._failed = 0

    def run(self, photos: Sequence[Path]) -> int:
        """Run all photos and return the exit status."""
        try:
            self._folders.prepare()
        except OSError as error:
            for photo in photos:
                self._fail(photo, _explain_os(error))
            return 1
        following = self._send(photos[0])
        for index in range(len(photos)):
            sent = following
            if index + 1 < len(photos):
                following = self._send(photos[index + 1])
            self._receive(sent, f"[{index + 1}/{len(photos)}] {sent.photo.name}")
        self._finish_export()
        self._console.clear()
        return 1 if self._failed else 0

    def close(self) -> None:
        """Stop everything that still runs and leave nothing half-written."""
        self._console.clear()
        if self._unfinished is not None:
            if self._unfinished.export is not None:
                self._unfinished.export.stop()
            self._unfinished.folder.discard()
        self._session.close()

    def _send(self, photo: Path) -> Sent:
        sent = Sent(photo)
        try:
            sent.image = photo.read_bytes()
            sent.job = self._session.submit(sent.image, photo.name, self._settings())
        except OSError as error:
            sent.problem = f"The file can not be read: {error.strerror}."
        except BackendError as error:
            sent.problem = str(error)
        return sent

    def _settings(self) -> dict[str, Any]:
        options = self._options
        return {
            "preset": options.preset,
            "max_persons": options.max_persons,
            "texture_size": options.texture_size,
            "device": "auto" if options.connect is None else options.device,
            "body_file": "" if options.body is None else str(options.body.resolve()),
        }

    def _receive(self, sent: Sent, label: str) -> None:
        sent.started = time.monotonic()
        try:
            result = self._wait(sent, label)
        except BackendError as error:
            self._fail(sent.photo, str(error))
            return
        if result is None:
            self._fail(sent.photo, sent.problem)
            return
        self._write(sent, result)

    def _wait(self, sent: Sent, label: str) -> JobResult | None:
        def show(job: Job) -> None:
            self._console.progress(f"{label}  {100.0 * job.fraction:3.0f} %  {job.text}")

        if sent.job is None:
            return None
        try:
            return self._session.wait(sent.job, show)
        except BackendError as error:
            if error.code != "BACKEND_GONE" or sent.job.stage:
                raise
        # The backend ended before it began with this photo: an earlier one is to blame, so this one gets another try.
        again = self._session.submit(sent.image, sent.photo.name, self._settings())
        return self._session.wait(again, show)

    def _write(self, sent: Sent, result: JobResult) -> None:
        folder = None
        try:
            folder = self._folders.open(sent.photo.stem or sent.photo.name)
            write_result(folder.path, sent.photo, result, self._settings())
            self._finish_export()
            export = self._export(folder.path, sent.photo) if self._export else None
        except OSError as error:
            self._fail(sent.photo, _explain_os(error))
            if folder is not None:
                folder.discard()
            return
        except BaseException:
            if folder is not None:
                folder.discard()
            raise
        self._unfinished = Unfinished(sent, folder, result, export)

    def _finish_export(self) -> None:
        """Complete the previous result, if one still waits for its scene files."""
        last = self._unfinished
        if last is None:
            return
        try:
            seconds = last.export.finish() if last.export else 0.0
            finish_report(last.folder.path, seconds, time.monotonic() - last.sent.started)
            final = last.folder.complete()
            self._succeed(last, final)
        except ExportError as error:
            self._fail(last.sent.photo, str(error))
        except OSError as error:
            self._fail(last.sent.photo, _explain_os(error))
        self._unfinished = None
        last.folder.discard()

    def _succeed(self, done: Unfinished, final: Path) -> None:
        count = len(done.result.persons)
        people = "1 person" if count == 1 else f"{count} people"
        self._console.say(f"{done.sent.photo}: {people} -> {final}")
        own = [text for person in done.result.persons for text in person.facts.get("warnings", [])]
        for text in dict.fromkeys([*done.result.warnings, *own]):
            self._console.complain(f"{done.sent.photo}: note: {text}")

    def _fail(self, photo: Path, text: str) -> None:
        self._failed += 1
        self._console.complain(f"{photo}: {text}")


def _explain_os(error: OSError) -> str:
    if error.errno in NO_ROOM:
        return str(DiskFullError("There is no room to write the result."))
    return f"The result can not be written: {error.strerror} ({error.filename})."
