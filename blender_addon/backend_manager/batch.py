"""A list of photos, worked through one after the other; a failure costs only its own photo. No bpy."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..backend.client import Job
from ..backend.protocol import BackendError, JobResult
from ..errors import AddonError
from .discovery import BackendPlace
from .manager import Failure, Manager
from .states import State

_RESTARTS = 2
_EVERYBODY = 32


class Kind(enum.Enum):
    """What is done with a photo; the values are those of the protocol."""

    PHOTO = "photo"
    PEOPLE = "people"
    SEQUENCE = "sequence"


class EntryState(enum.Enum):
    """What has become of one photo."""

    WAITING = "waiting"
    RUNNING = "running"
    RECEIVED = "received"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Clip:
    """A clip to reconstruct.

    Attributes:
        files: one video, or pictures in order.
        name: for the scene and the messages.
        settings: fields of the backend's clip settings.
        start: frame of the scene on which it begins.
        follow: the scene takes over its frame rate and length.
    """

    files: tuple[Path, ...]
    name: str
    settings: Mapping[str, Any]
    start: int = 1
    follow: bool = True


@dataclass
class Entry:
    """One photo of a batch.

    Attributes:
        path: of the photo.
        state: see :class:`EntryState`.
        failure: why it failed.
        data: bytes of its file, once it has been sent.
        result: what the backend gave, until it has been inserted.
        notes: what the backend says about the photo as a whole.
        note_codes: code and values of each note, as in a result.
        rigs: names of the rigs that were inserted, largest person first.
        persons: indices of the people to reconstruct, largest first; empty means all.
        kind: reconstruct it, only find its people, or reconstruct the clip that ``path`` begins.
        clip: what is to be done with a clip.
        replaces: name of the rig that the new person takes the place of; empty adds to the scene.
        keep_materials: that person keeps its materials.
        before: what the list said about the photo before, for work that does not change it.
    """

    path: Path
    persons: tuple[int, ...] = ()
    kind: Kind = Kind.PHOTO
    before: str = "NEW"
    clip: Clip | None = None
    replaces: str = ""
    keep_materials: bool = False
    state: EntryState = EntryState.WAITING
    failure: Failure | None = None
    data: bytes = b""
    result: JobResult | None = None
    notes: tuple[str, ...] = ()
    note_codes: tuple[str, ...] = ()
    rigs: tuple[str, ...] = ()

    @property
    def listed(self) -> bool:
        """Whether the list of photos shows what becomes of this work."""
        return self.clip is None and not self.replaces

    def same_work(self, other: Entry) -> bool:
        """Whether ``other`` is about the same photo and person."""
        return (self.path, self.listed, self.replaces) == (other.path, other.listed, other.replaces)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to this photo."""
        return self.state in {EntryState.DONE, EntryState.FAILED, EntryState.CANCELLED}

    def finish(self, state: EntryState, failure: Failure | None = None) -> None:
        """End this photo and forget what only its work needed."""
        self.state, self.failure, self.result, self.data = state, failure, None, b""


@dataclass
class Batch:
    """Photos in order with the settings they are reconstructed with.

    Attributes:
        entries: the photos.
        settings: fields of the backend's settings.
        place: where the backend is.
        job: the one that runs.
        cancelled: the user has asked to end the whole batch.
    """

    entries: list[Entry]
    settings: Mapping[str, Any]
    place: BackendPlace
    job: Job | None = None
    cancelled: bool = False
    _restarts: int = field(default=0)

    @classmethod
    def of(
        cls,
        paths: Sequence[Path],
        settings: Mapping[str, Any],
        place: BackendPlace,
        persons: Mapping[Path, tuple[int, ...]] | None = None,
    ) -> Batch:
        """Make a batch of the photos at ``paths``, of which ``persons`` may choose the people."""
        return cls([Entry(path, (persons or {}).get(path, ())) for path in paths], dict(settings), place)

    @property
    def finished(self) -> bool:
        """Whether every photo has ended."""
        return all(entry.finished for entry in self.entries)

    @property
    def current(self) -> Entry | None:
        """The photo that runs or waits for being inserted."""
        busy = {EntryState.RUNNING, EntryState.RECEIVED}
        return next((entry for entry in self.entries if entry.state in busy), None)

    @property
    def fraction(self) -> float:
        """Progress of the whole batch in [0, 1]."""
        ended = sum(entry.finished or entry.state is EntryState.RECEIVED for entry in self.entries)
        return (ended + (self.job.fraction if self.job else 0.0)) / max(len(self.entries), 1)

    def cancel(self, manager: Manager) -> None:
        """Stop the running photo and drop those which wait."""
        self.cancelled = True
        for entry in self.entries:
            if entry.state in {EntryState.WAITING, EntryState.RECEIVED}:
                entry.finish(EntryState.CANCELLED)
        if self.job is not None:
            manager.cancel(self.job)

    def cancel_one(self, path: Path, manager: Manager) -> None:
        """Stop or drop the photo at ``path``; the others go on."""
        for entry in self.entries:
            if entry.path != path or entry.finished:
                continue
            if entry.state is not EntryState.RUNNING:
                entry.finish(EntryState.CANCELLED)
            elif self.job is not None:
                manager.cancel(self.job)

    def again(self, path: Path, persons: tuple[int, ...] = ()) -> None:
        """Put the photo at ``path`` at the end of the batch, in place of what has become of it before."""
        self.add(Entry(path, persons))

    def add(self, new: Entry) -> None:
        """Put ``new`` at the end, in place of what has become of its photo before, unless that is still to be done."""
        self.entries = [entry for entry in self.entries if not (entry.finished and entry.same_work(new))]
        if not any(entry.same_work(new) for entry in self.entries):
            self.entries.append(new)

    def step(self, manager: Manager) -> None:
        """Do what can be done without waiting: take in an ended job, send the next photo, restart a dead backend."""
        manager.pump()
        entry = self.current
        if entry is not None and entry.state is EntryState.RUNNING and self.job is not None and self.job.finished:
            self._take(entry, self.job)
        if self.current is not None or self.finished:
            return
        if manager.running:
            self._send_next(manager)
        elif manager.state is State.FAILED:
            self._recover(manager)
        elif manager.settled:
            manager.start(self.place)

    def _take(self, entry: Entry, job: Job) -> None:
        self.job = None
        if job.state == "done" and job.result is not None:
            entry.state, entry.result = EntryState.RECEIVED, job.result
            entry.notes, entry.note_codes = job.result.warnings, job.result.warning_codes
        elif job.state == "cancelled":
            entry.finish(EntryState.CANCELLED)
        else:
            entry.finish(EntryState.FAILED, job.error)

    def _settings_of(self, entry: Entry) -> dict[str, Any]:
        """Return what is sent with a photo; a shared backend may have been started for another device."""
        sent = dict(self.settings)
        if self.place.device != "auto":
            sent["device"] = self.place.device
        if self.place.body_file:
            sent["body_file"] = self.place.body_file
        if entry.kind is Kind.PEOPLE:
            sent["max_persons"] = _EVERYBODY
        if entry.persons:
            sent["persons"] = list(entry.persons)
            sent["max_persons"] = max(1 + max(entry.persons), int(sent.get("max_persons", 1)))
        return sent

    def _send_next(self, manager: Manager) -> None:
        entry = next(entry for entry in self.entries if entry.state is EntryState.WAITING)
        try:
            self.job = self._sent(entry, manager)
            entry.state = EntryState.RUNNING
        except OSError as error:
            detail = f"{entry.path}: {error.strerror}."
            hint = "Check that the file is still there and readable."
            entry.finish(
                EntryState.FAILED, AddonError("NO_FILE", "The photo can not be read.", detail=detail, hint=hint)
            )
        except BackendError as error:
            entry.finish(EntryState.FAILED, error)

    def _sent(self, entry: Entry, manager: Manager) -> Job:
        settings, clip = self._settings_of(entry), entry.clip
        if clip is not None:
            return manager.submit_clip(clip.files, clip.name, settings, clip.settings)
        entry.data = entry.data or entry.path.read_bytes()
        return manager.submit(entry.data, entry.path.name, settings, entry.kind.value)

    def _recover(self, manager: Manager) -> None:
        """Restart a backend that died under an earlier photo; one that can not start ends the batch."""
        died = manager.failure is not None and manager.failure.code == "BACKEND_GONE"
        if died and self._restarts < _RESTARTS:
            self._restarts += 1
            manager.start(self.place)
            return
        for entry in self.entries:
            if entry.state is EntryState.WAITING:
                entry.finish(EntryState.FAILED, manager.failure)
