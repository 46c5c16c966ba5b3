"""Bring received results into the scene: the only step of the work that touches Blender's data."""

from __future__ import annotations

import logging
from pathlib import Path

import bpy

from .backend_manager.batch import Batch, Clip, Entry, EntryState, Kind
from .errors import AddonError
from .importer.character import read_character
from .importer.photo import Photo
from .importer.replace import replace_person
from .importer.scene import ImportedPerson, Origin, import_people, rig_of
from .keep import keep_task
from .preferences import preferences_of
from .sequence import ClipPlace, insert_motion
from .session import Session, current
from .thumbnails import person_key, show_person

_log = logging.getLogger(__package__)


def _import_entry(context: bpy.types.Context, entry: Entry, batch: Batch) -> list[ImportedPerson]:
    if entry.result is None:
        raise AddonError("NOBODY", "The result holds no person.")
    characters = [read_character(person.arrays, person.facts) for person in entry.result.persons]
    version = entry.result.versions.get("backend", "")
    photo = Photo(entry.clip.name if entry.clip else entry.path.name, entry.data, str(entry.path))
    people = import_people(context, characters, Origin(photo, batch.settings, version, entry.persons))
    entry.rigs = tuple(person.rig.name for person in people)
    return people


def _replace(context: bpy.types.Context, entry: Entry, batch: Batch) -> None:
    rig = bpy.data.objects.get(entry.replaces)
    if rig is None or rig_of(rig) != rig:
        raise AddonError("GONE", "The person to replace has been deleted or renamed.", detail=entry.replaces)
    new = _import_entry(context, entry, batch)[0]
    replace_person(context, rig, new, keep_materials=entry.keep_materials)
    entry.rigs = (rig.name,)


def _import_clip(context: bpy.types.Context, entry: Entry, batch: Batch, clip: Clip) -> None:
    people = _import_entry(context, entry, batch)
    result = entry.result.persons[0] if entry.result else None
    if result is not None:
        place = ClipPlace(clip.files, clip.start, clip.follow)
        insert_motion(context, people[0], read_character(result.arrays, result.facts), clip.name, place)


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


def _insert(context: bpy.types.Context, entry: Entry, batch: Batch) -> None:
    if entry.kind is Kind.PEOPLE:
        _list_people(context, entry)
        return
    if entry.clip is not None:
        _import_clip(context, entry, batch, entry.clip)
    elif entry.replaces:
        _replace(context, entry, batch)
    else:
        _import_entry(context, entry, batch)
    bpy.ops.ed.undo_push(message=f"Reconstruct {entry.path.name}")
    preferences = preferences_of(context)
    if preferences is not None:
        preferences.show_guide = False
        _keep(bpy.path.abspath(preferences.results_folder), entry)


def _keep(folder: str, entry: Entry) -> None:
    """Save the result as files too, in the background, if the user wants that."""
    if folder and entry.result is not None:
        name = entry.clip.name if entry.clip else entry.path.name
        current().tools["keep"] = keep_task(Path(folder), name, entry.result).start()


def insert_received(context: bpy.types.Context, session: Session) -> bool:
    """Insert the received photo, if there is one and the user is in Object Mode, as one undo step.

    What changes nothing in the scene is taken in in any mode.

    Returns:
        Whether a photo was taken care of.
    """
    batch = session.batch
    entry = batch.current if batch else None
    if batch is None or entry is None or entry.state is not EntryState.RECEIVED:
        return False
    if context.mode != "OBJECT" and entry.kind is not Kind.PEOPLE:
        return False
    try:
        _insert(context, entry, batch)
        entry.finish(EntryState.DONE)
    except AddonError as error:
        entry.finish(EntryState.FAILED, error)
    except Exception as error:  # noqa: BLE001 - an exception that left a timer would end all work in silence
        _log.exception("import of %s failed", entry.path)
        detail = f"{type(error).__name__}: {error}"
        entry.finish(EntryState.FAILED, AddonError("IMPORT", "The result could not be inserted.", detail=detail))
    return True


def advance(context: bpy.types.Context, session: Session) -> None:
    """Do everything that can be done now, without waiting."""
    session.manager.pump()
    batch = session.batch
    if batch is None:
        return
    batch.step(session.manager)
    if insert_received(context, session):
        batch.step(session.manager)
    failed = [entry.failure for entry in batch.entries if entry.failure is not None]
    if failed:
        session.failure = failed[-1]
