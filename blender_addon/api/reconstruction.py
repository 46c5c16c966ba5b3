"""Photos on their way, and what they gave."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import bpy

from ..backend.protocol.errors import ExplainedError
from ..backend_manager.batch import Batch, Entry, EntryState
from ..errors import AddonError
from ..insert import advance
from ..pump import show_states
from ..session import current
from .person import Person

_log = logging.getLogger(__package__)

Progress = Callable[[Path, float, str], None]
_STEP_SECONDS = 0.02
_WATCH_SECONDS = 0.2


@dataclass(frozen=True)
class Settings:
    """How photos are reconstructed.

    Attributes:
        preset: draft, standard or high.
        max_persons: how many people of a photo, largest first.
        persons: indices of the people to reconstruct, 0 is the largest; empty means all.
        texture_size: edge of the texture in pixels; 0 takes the preset's.
        seed: of everything random.
    """

    preset: Literal["draft", "standard", "high"] = "standard"
    max_persons: int = 8
    persons: tuple[int, ...] = ()
    texture_size: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Result:
    """What a photo gave.

    Attributes:
        photo: its path.
        people: the people in the scene, largest first; empty after a failure.
        error: why there is nobody, None after a success.
        warnings: what is to be minded.
        files: what was written for ``out``.
    """

    photo: Path
    people: tuple[Person, ...] = ()
    error: AddonError | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def collection(self) -> bpy.types.Collection | None:
        """The collection with everybody in the photo and its camera; None after a failure."""
        camera = self.people[0].camera if self.people else None
        return camera.users_collection[0] if camera is not None else None


@dataclass(frozen=True)
class Files:
    """What is written of every person, and where; nothing without a folder."""

    out: Path | None = None
    formats: tuple[str, ...] = ()


class Reconstruction:
    """Photos on their way, made by :func:`start`.

    In the window Blender's timer moves them on and calls back; without one, or to wait, iterate over the results or
    call :meth:`step`. Iterating gives each photo's result as soon as it is there.
    """

    def __init__(
        self,
        batch: Batch,
        files: Files,
        progress: Progress | None,
        done: Callable[[Result], None] | None,
    ) -> None:
        self._batch = batch
        self._entries = list(batch.entries)
        self._files = files
        self._progress = progress
        self._done = done
        self._told: tuple[Path, float, str] | None = None
        self._results: list[Result] = []

    @property
    def results(self) -> list[Result]:
        """The results there are so far, in the order of the photos."""
        return list(self._results)

    @property
    def finished(self) -> bool:
        """Whether every photo has its result."""
        return len(self._results) == len(self._entries)

    @property
    def fraction(self) -> float:
        """Progress of all photos in [0, 1]."""
        return 1.0 if self.finished else self._batch.fraction

    def cancel(self) -> None:
        """Stop the running photo and drop those that wait; their results say so."""
        session = current()
        if session.batch is self._batch:
            session.cancel()

    def step(self) -> list[Result]:
        """Do what can be done without waiting, call back, and return the results that are new.

        Raises:
            Exception: what a callback raises; the photos go on, unless they are cancelled.
        """
        session = current()
        if session.batch is self._batch:
            advance(bpy.context, session)
            show_states(bpy.context, session)
        return self._look()

    def __iter__(self) -> Iterator[Result]:
        """Wait for the results, one by one; those that are there already come first."""
        given = 0
        while True:
            while given < len(self._results):
                given += 1
                yield self._results[given - 1]
            if self.finished:
                return
            self.step()
            if given == len(self._results):
                time.sleep(_STEP_SECONDS)

    def _look(self) -> list[Result]:
        """Take note of what has changed, and tell."""
        self._tell_progress()
        fresh = []
        while not self.finished and self._entries[len(self._results)].finished:
            result = self._result(self._entries[len(self._results)])
            self._results.append(result)
            fresh.append(result)
            if self._done is not None:
                self._done(result)
        return fresh

    def _tell_progress(self) -> None:
        entry, job = self._batch.current, self._batch.job
        if self._progress is None or entry is None or job is None:
            return
        news = (entry.path, self.fraction, job.text)
        if news != self._told:
            self._told = news
            self._progress(*news)

    def _result(self, entry: Entry) -> Result:
        if entry.state is not EntryState.DONE:
            return Result(entry.path, error=_failure(entry))
        people = tuple(Person(bpy.data.objects[name]) for name in entry.rigs if name in bpy.data.objects)
        own = [text for person in people for text in person.origin["warnings"]]
        notes = tuple(dict.fromkeys([*entry.notes, *own]))
        try:
            files = tuple(self._write(entry, people))
        except AddonError as error:
            return Result(entry.path, people, error, notes)
        return Result(entry.path, people, None, notes, files)

    def _write(self, entry: Entry, people: Sequence[Person]) -> Iterator[Path]:
        if self._files.out is None:
            return
        folder = self._files.out / self._folder_name(entry)
        for index, person in enumerate(people):
            for form in self._files.formats:
                ending = "usdz" if form == "usd" else form
                yield from person.export(folder / f"person_{index}.{ending}", form)

    def _folder_name(self, entry: Entry) -> str:
        """Return the photo's name; photos of the same name in other folders get a number."""
        names = [other.path.stem.casefold() for other in self._entries[: self._entries.index(entry)]]
        earlier = names.count(entry.path.stem.casefold())
        return f"{entry.path.stem}-{earlier + 1}" if earlier else entry.path.stem

    def give_up(self) -> None:
        """Cancel and wait for the confirmation, without any call back; then other photos can be started."""
        self._progress = self._done = None
        self.cancel()
        with contextlib.suppress(AddonError):
            for _ in self:
                pass

    def call_back_by_timer(self) -> None:
        """Let Blender's timer call back while the panel's own timer does the work; :func:`start` does it."""
        bpy.app.timers.register(self._watch, first_interval=_WATCH_SECONDS)

    def _watch(self) -> float | None:
        try:
            self._look()
        except Exception:  # noqa: BLE001 - an exception that left a timer would end all calls in silence
            _log.exception("a callback failed")
        if self.finished:
            return None
        if current().batch is not self._batch:
            # Somebody has put another list in place of ours: what was left will never come.
            for entry in self._entries:
                if not entry.finished:
                    entry.finish(EntryState.CANCELLED)
        return _WATCH_SECONDS


def _failure(entry: Entry) -> AddonError:
    error: ExplainedError | None = entry.failure
    if error is None:
        return AddonError("CANCELLED", f"{entry.path.name} was cancelled.")
    if isinstance(error, AddonError):
        return error
    return AddonError(error.code, error.title, detail=error.detail, hint=error.hint)
