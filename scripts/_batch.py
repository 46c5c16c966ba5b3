"""Photos, one after the other: sends them to the backend, writes the result folders, goes on after every failure."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from _backend_session import BackendSession
from _result_files import Origin, finish_report, write_result
from _result_folder import ResultFolder
from _scene_export import SceneExport

from backend.client import Job
from backend.protocol.errors import BackendError, ExplainedError
from backend.protocol.messages import MAX_IMAGE_BYTES
from backend.protocol.results import JobResult
from munet.errors import DiskFullError, MunetError
from munet.models.store import ModelStore
from munet.perception.photo import begins_as_picture, read_photo

OTHER_FILE = "Choose another file."
UNREADABLE_HINT = "Check that the file is there and that you may read it."
FOLDER_HINT = "Give folders to scripts/batch.py, and folders of a clip's frames to --sequence."
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PHOTO_GONE = "The photo was moved or deleted meanwhile: the scene does not show it behind the person."
Exporter = Callable[[Path, Path | None], SceneExport]


class Listener(Protocol):
    """Hears what becomes of the photos, which it knows by their index."""

    def progress(self, index: int, job: Job) -> None:
        """A photo is being worked on."""

    def done(self, index: int, folder: Path, result: JobResult, seconds: float) -> None:
        """A photo's folder is complete."""

    def failed(self, index: int, error: ExplainedError) -> None:
        """A photo gave nothing."""


class NoBackendError(Exception):
    """No backend can be reached; ``reason`` says why."""

    def __init__(self, reason: ExplainedError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass
class Sent:
    """A photo and its job; ``problem`` instead of a job if the photo could not be sent."""

    index: int
    photo: Path
    image: bytes = b""
    job: Job | None = None
    problem: ExplainedError | None = None
    started: float = 0.0


@dataclass
class Unfinished:
    """A result that only waits for its scene files."""

    sent: Sent
    folder: ResultFolder
    result: JobResult
    export: SceneExport | None


@dataclass(frozen=True)
class Plan:
    """How the photos of a batch are done.

    Attributes:
        settings: of every job.
        formats: of the scene files.
        open_folder: makes the folder for a photo's result; raises OSError or ExplainedError where it can not.
        export: starts the export of a result folder; None for no scene files.
        needs_backend: end the batch with :class:`NoBackendError` instead of failing photo by photo.
    """

    settings: Mapping[str, Any]
    formats: Sequence[str]
    open_folder: Callable[[Path], ResultFolder]
    export: Exporter | None
    needs_backend: bool = False


class Batch:
    """Runs photos one after the other; the next one is already with the backend while a result is written."""

    def __init__(self, plan: Plan, session: BackendSession, listener: Listener) -> None:
        self._plan = plan
        self._session = session
        self._listener = listener
        self._unfinished: Unfinished | None = None

    def run(self, photos: Sequence[Path]) -> None:
        """Run all photos; the listener hears how it goes.

        Raises:
            NoBackendError: if the plan says so.
        """
        try:
            self._run(photos)
        except NoBackendError:
            self._finish_export()
            raise

    def _run(self, photos: Sequence[Path]) -> None:
        following = self._send(0, photos[0])
        for index in range(len(photos)):
            sent = following
            if index + 1 < len(photos):
                following = self._send(index + 1, photos[index + 1])
            self._receive(sent)
        self._finish_export()

    def close(self) -> None:
        """Stop everything that still runs and leave nothing half-written."""
        if self._unfinished is not None:
            if self._unfinished.export is not None:
                self._unfinished.export.stop()
            self._unfinished.folder.discard()
        self._session.close()

    def _send(self, index: int, photo: Path) -> Sent:
        sent = Sent(index, photo)
        try:
            sent.image = read_photo_file(photo)
            check_picture(sent.image, photo.name)
            sent.job = self._submit(sent)
        except ExplainedError as error:
            sent.problem = error
        return sent

    def _submit(self, sent: Sent) -> Job:
        try:
            return self._session.submit(sent.image, sent.photo.name, self._plan.settings)
        except BackendError as error:
            if self._plan.needs_backend and error.code != "INVALID_INPUT":
                raise NoBackendError(error) from error
            raise

    def _receive(self, sent: Sent) -> None:
        sent.started = time.monotonic()
        try:
            result = self._wait(sent)
        except ExplainedError as error:
            self._listener.failed(sent.index, error)
            return
        self._write(sent, result)

    def _wait(self, sent: Sent) -> JobResult:
        def show(job: Job) -> None:
            self._listener.progress(sent.index, job)

        if sent.job is None:
            raise sent.problem or ExplainedError("INTERNAL", "The photo was not sent.")
        try:
            return self._session.wait(sent.job, show)
        except BackendError as error:
            if error.code != "BACKEND_GONE" or sent.job.stage:
                raise
        # The backend ended before it began with this photo: an earlier one is to blame, so this one gets another try.
        return self._session.wait(self._submit(sent), show)

    def _write(self, sent: Sent, result: JobResult) -> None:
        folder, plan = None, self._plan
        result, there = _noting_absence(sent.photo, result)
        origin = Origin(sent.photo.name, hashlib.sha256(sent.image).hexdigest(), plan.settings, tuple(plan.formats))
        try:
            folder = plan.open_folder(sent.photo)
            write_result(folder.path, origin, result)
            self._finish_export()
            export = plan.export(folder.path, sent.photo if there else None) if plan.export else None
        except (OSError, ExplainedError) as error:
            self._listener.failed(sent.index, explain(error))
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
            exported = last.export.finish() if last.export else 0.0
            seconds = time.monotonic() - last.sent.started
            finish_report(last.folder.path, exported, seconds)
            final = last.folder.complete()
            self._listener.done(last.sent.index, final, last.result, seconds)
        except (OSError, ExplainedError) as error:
            self._listener.failed(last.sent.index, explain(error))
        self._unfinished = None
        last.folder.discard()


def run_to_the_end(batch: Batch, photos: Sequence[Path]) -> None:
    """Run the batch and clean up however it ends, undisturbed by a second signal.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the system's request to end.
        NoBackendError: if the plan says so.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        batch.run(photos)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        batch.close()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def warnings_of(result: JobResult) -> list[str]:
    """Return what is to be said about a result, each sentence once."""
    own = [text for person in result.persons for text in person.facts.get("warnings", [])]
    return list(dict.fromkeys([*result.warnings, *own]))


def prepare_models(report: Callable[[str], None], *, offline: bool) -> MunetError | None:
    """Fetch the model files that are missing and return why that was not possible."""
    store = ModelStore()
    try:
        if offline:
            for name in store.files:
                store.path(name)
        else:
            store.fetch(report=report)
    except MunetError as error:
        return error
    return None


def explain(error: OSError | ExplainedError) -> ExplainedError:
    """Say why a result could not be written."""
    if isinstance(error, ExplainedError):
        return error
    if error.errno in NO_ROOM:
        full = DiskFullError("There is no room to write the result.")
        return ExplainedError(full.code, full.title, hint=full.hint)
    hint = "Choose another folder with --out, or make this one writable."
    return ExplainedError("WRITE", f"The result can not be written: {error.strerror} ({error.filename}).", hint=hint)


def read_photo_file(photo: Path) -> bytes:
    """Return the bytes of a photo.

    Raises:
        ExplainedError: PHOTO_MISSING: it can not be read; INVALID_INPUT: it is too large for a photo.
    """
    try:
        size = photo.stat().st_size
        if size > MAX_IMAGE_BYTES:
            detail = f"'{photo.name}' has {size} bytes, at most {MAX_IMAGE_BYTES} are allowed."
            raise ExplainedError("INVALID_INPUT", "The image file is too large.", detail=detail, hint=OTHER_FILE)
        return photo.read_bytes()
    except OSError as error:
        raise unreadable(photo, error) from error


def check_picture(data: bytes, name: str) -> None:
    """Refuse by its first bytes what is no picture, in the backend's words, before a backend is started for it.

    Raises:
        ExplainedError: it is none.
    """
    if not data or begins_as_picture(data):
        return
    try:
        read_photo(data, name)
    except MunetError as error:
        raise ExplainedError(error.code, error.title, detail=error.detail, hint=error.hint) from error


def unreadable(photo: Path, error: OSError) -> ExplainedError:
    """Say why a photo can not be read."""
    # Path.is_dir() raises where a folder above may not be searched.
    hint = FOLDER_HINT if os.path.isdir(photo) else UNREADABLE_HINT  # noqa: PTH112
    return ExplainedError("PHOTO_MISSING", f"The file can not be read: {error.strerror}.", hint=hint)


def _noting_absence(photo: Path, result: JobResult) -> tuple[JobResult, bool]:
    """Return the result, with a note if its photo is gone, and whether the photo is still there."""
    if os.path.exists(photo):  # noqa: PTH110 raises where a folder above may not be searched
        return result, True
    codes = (*result.warning_codes, *[""] * (len(result.warnings) - len(result.warning_codes)), "")
    return replace(result, warnings=(*result.warnings, PHOTO_GONE), warning_codes=codes), False
