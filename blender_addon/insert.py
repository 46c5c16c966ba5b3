"""Bring received results into the scene: the only step of the work that touches Blender's data."""

from __future__ import annotations

from pathlib import Path

import bpy

from .backend_manager.batch import Batch, Entry, EntryState, Kind
from .errors import AddonError
from .importer.character import read_character
from .importer.photo import Photo
from .importer.replace import replace_person
from .importer.scene import ImportedPerson, Origin, building_people, nobody, showing_people
from .keep import keep_task
from .people import rig_of
from .preferences import preferences_of
from .sequence import ClipPlace, inserting_motion
from .session import Session, current
from .steps import Beside, Steps
from .thumbnails import person_key, show_person
from .work import INSERT, Work, advance_work

TURN = 0.03
"""Seconds that one turn of work on the scene takes, if its steps are short; none takes much longer."""
_STEPS = 16


def _inserting(context: bpy.types.Context, entry: Entry, batch: Batch) -> Steps[tuple[str, ...]]:
    """Insert a received result in steps; returns the names of the rigs."""
    if entry.result is None or not entry.result.persons:
        raise nobody()
    persons, version = entry.result.persons, entry.result.versions.get("backend", "")
    characters = yield Beside(lambda: [read_character(person.arrays, person.facts) for person in persons])
    photo = Photo(entry.clip.name if entry.clip else entry.path.name, entry.data, str(entry.path))
    built = yield from building_people(context, characters, Origin(photo, batch.settings, version, entry.persons))
    if entry.replaces:
        return _replace(context, entry, built.people[0])
    if entry.clip is not None:
        place = ClipPlace(entry.clip.files, entry.clip.start, entry.clip.follow)
        yield from inserting_motion(context, built.people[0], characters[0], entry.clip.name, place)
    yield from showing_people(context, built)
    return tuple(person.rig.name for person in built.people)


def _replace(context: bpy.types.Context, entry: Entry, new: ImportedPerson) -> tuple[str, ...]:
    rig: bpy.types.Object | None = bpy.data.objects.get(entry.replaces)
    if rig is None or rig_of(rig) != rig:
        raise AddonError("GONE", "The person to replace has been deleted or renamed.", detail=entry.replaces)
    replace_person(context, rig, new, keep_materials=entry.keep_materials)
    return (rig.name,)


def _list_people(context: bpy.types.Context, entry: Entry) -> None:
    """Give every person that was found in a photo of the list a check box and a small picture."""
    found = entry.result.persons if entry.result else ()
    for image in context.window_manager.munet.images:
        if image.path != str(entry.path):
            continue
        image.people.clear()
        for index, person in enumerate(found):
            row = image.people.add()
            row.name = person_key(image.path, index)
            show_person(row.name, person.arrays["picture"])


def _work_of(context: bpy.types.Context, session: Session, entry: Entry, batch: Batch) -> Work:
    def done(rigs: tuple[str, ...]) -> None:
        entry.rigs = rigs
        preferences = preferences_of(context)
        if preferences is not None:
            preferences.show_guide = False
            _keep(bpy.path.abspath(preferences.results_folder), entry)
        entry.finish(EntryState.DONE)

    return Work.of(
        session,
        INSERT,
        lambda: _inserting(context, entry, batch),
        undo=f"Reconstruct {entry.path.name}",
        expected=_STEPS * len(entry.result.persons if entry.result else ()),
        done=done,
        failed=lambda failure: entry.finish(EntryState.FAILED, failure),
        wanted=lambda: not entry.finished,
    )


def _keep(folder: str, entry: Entry) -> None:
    """Save the result as files too, in the background, if the user wants that."""
    if folder and entry.result is not None:
        name = entry.clip.name if entry.clip else entry.path.name
        current().tools["keep"] = keep_task(Path(folder), name, entry.result).start()


def _take_in(context: bpy.types.Context, session: Session, batch: Batch) -> None:
    """Begin to insert the received photo, if there is one and the user is in Object Mode.

    What changes nothing in the scene is taken in in any mode.
    """
    entry = batch.current
    if entry is None or entry.state is not EntryState.RECEIVED:
        return
    if entry.kind is Kind.PEOPLE:
        _list_people(context, entry)
        entry.finish(EntryState.DONE)
    elif session.work is None and context.mode == "OBJECT":
        session.work = _work_of(context, session, entry, batch)


def advance(context: bpy.types.Context, session: Session, seconds: float = TURN) -> None:
    """Do everything that can be done now, without waiting, and about ``seconds`` of work on the scene."""
    session.manager.pump()
    batch = session.batch
    if batch is not None:
        batch.step(session.manager)
        _take_in(context, session, batch)
    advance_work(context, session, seconds)
    if batch is None:
        return
    batch.step(session.manager)
    failed = [entry.failure for entry in batch.entries if entry.failure is not None]
    if failed:
        session.failure = failed[-1]
