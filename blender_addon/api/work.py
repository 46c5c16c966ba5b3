"""Photos to people, waiting or not, on the same list of photos that the panel shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy

from ..backend_manager.batch import Batch, Clip, Entry, Kind
from ..errors import AddonError
from ..exporting.writers import ENDINGS
from ..inputs import clip_at
from ..preferences import backend_place
from ..pump import start_pump
from ..session import current
from ..source import photo_of
from .checks import need_known, need_mode
from .person import Person
from .reconstruction import Files, Progress, Reconstruction, Result, Settings

_FORMATS = ("glb",)


def start(
    photos: Sequence[str | Path] | str | Path,
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    formats: Sequence[str] = _FORMATS,
    progress: Progress | None = None,
    done: Callable[[Result], None] | None = None,
) -> Reconstruction:
    """Begin to reconstruct photos and return at once; each comes into the scene when it is ready.

    Args:
        photos: paths of the photos, or one.
        out: folder for files of the people, ``out/<photo>/person_N.<format>``; None writes none.
        settings: how.
        formats: of the files: glb, fbx, usd, obj, blend.
        progress: called with the photo, the progress of all photos in [0, 1] and what is being done.
        done: called with each result.

    Raises:
        AddonError: BUSY: photos are being reconstructed; BAD_VALUE: there is no photo, or no such format; DISABLED.
    """
    chosen = settings or Settings()
    paths = [Path(photo).absolute() for photo in ([photos] if isinstance(photos, str | Path) else photos)]
    if not paths:
        raise AddonError("BAD_VALUE", "There is no photo to reconstruct.", hint="Pass the path of one at least.")
    need_known("format", formats, {*ENDINGS, "blend"})
    files = Files(Path(out).absolute() if out else None, tuple(formats))
    return _begin([Entry(path, chosen.persons) for path in paths], chosen, files, progress, done)


def _begin(
    entries: list[Entry],
    settings: Settings,
    files: Files,
    progress: Progress | None,
    done: Callable[[Result], None] | None = None,
) -> Reconstruction:
    session = current()
    if session.working:
        hint = "Wait until they are done, or cancel them."
        raise AddonError("BUSY", "Photos are being reconstructed.", hint=hint)
    session.failure = None
    session.batch = Batch(entries, _sent(settings), backend_place(bpy.context))
    work = Reconstruction(session.batch, files, progress, done)
    if not bpy.app.background:
        start_pump()
        work.call_back_by_timer()
    return work


def reconstruct(
    photos: Sequence[str | Path] | str | Path,
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    formats: Sequence[str] = _FORMATS,
    progress: Progress | None = None,
    strict: bool = False,
) -> list[Result]:
    """Reconstruct photos into the scene, wait, and return a result for each.

    A photo that fails costs only itself: its result carries the error. In the window Blender does not react meanwhile;
    :func:`start` does not wait.

    Args:
        photos: paths of the photos, or one.
        out: folder for files of the people, ``out/<photo>/person_N.<format>``; None writes none.
        settings: how.
        formats: of the files: glb, fbx, usd, obj, blend.
        progress: called with the photo, the progress of all photos in [0, 1] and what is being done; an exception that
            it raises cancels the photos and comes out here.
        strict: raise the first failure instead, and cancel the rest.

    Raises:
        AddonError: BUSY, BAD_VALUE, DISABLED; WRONG_MODE: outside Object Mode; with ``strict`` any failure.
    """
    need_mode("OBJECT")
    return _finish(start(photos, out, settings, formats=formats, progress=progress), strict=strict)


def reconstruct_clip(
    files: Sequence[str | Path] | str | Path,
    settings: Settings | None = None,
    *,
    frame_start: int = 1,
    follow: bool = True,
    progress: Progress | None = None,
    **clip: float | bool,
) -> Person:
    """Reconstruct one person of a clip with its motion, as an action, and wait.

    Args:
        files: a video, pictures in order, or one numbered picture for all that are numbered alike.
        settings: how; of ``persons`` only the first counts, whom to follow in the first frame.
        frame_start: frame of the scene on which the clip begins.
        follow: give the scene the frame rate, the length and the camera of the clip.
        progress: as for :func:`reconstruct`.
        clip: ``first``, ``last``, ``step``, ``fps``, ``smoothing`` (0.5), ``plant_feet`` (True), ``still`` (-1), see
            docs/protocol.md.

    Raises:
        AddonError: BAD_CLIP, BAD_VALUE: wrong arguments; BUSY, WRONG_MODE, DISABLED; whatever made it fail.
    """
    need_mode("OBJECT")
    need_known("option of a clip", clip, ("first", "last", "step", "fps", "smoothing", "plant_feet", "still"))
    chosen = settings or Settings()
    named = [Path(file).absolute() for file in ([files] if isinstance(files, str | Path) else files)]
    paths, name = clip_at(named)
    sent = {**clip, "person": chosen.persons[0] if chosen.persons else 0}
    entry = Entry(paths[0], kind=Kind.SEQUENCE, clip=Clip(paths, name, sent, frame_start, follow))
    return _finish(_begin([entry], chosen, Files(), progress), strict=True)[0].people[0]


def reconstruct_again(
    person: Person,
    settings: Settings | None = None,
    *,
    keep_materials: bool = False,
    progress: Progress | None = None,
) -> Person:
    """Reconstruct a person of the scene once more in its place; names, animation and what you have added stay.

    Args:
        person: it has to come from a photo, not from a clip.
        settings: how; ``persons`` does not count.
        keep_materials: keep the materials of the old meshes instead of the new texture.
        progress: as for :func:`reconstruct`.

    Raises:
        AddonError: NO_PHOTO: the photo is gone; BUSY, WRONG_MODE, DISABLED; whatever made it fail.
    """
    need_mode("OBJECT")
    rig = person.armature
    if "munet_clip" in rig:
        hint = "Reconstruct the clip again."
        raise AddonError("NO_PHOTO", f"{person.name} comes from a clip.", hint=hint)
    path, data = photo_of(rig)
    entry = Entry(path, (int(rig.get("munet_person", 0)),), data=data)
    entry.replaces, entry.keep_materials = rig.name, keep_materials
    return _finish(_begin([entry], settings or Settings(), Files(), progress), strict=True)[0].people[0]


def _finish(work: Reconstruction, *, strict: bool) -> list[Result]:
    """Wait for all results; whatever goes wrong on the way cancels the rest."""
    try:
        for result in work:
            if strict and result.error is not None:
                raise result.error
    except BaseException:
        work.give_up()
        raise
    return work.results


def stop_backend() -> None:
    """Cancel what runs and end the backend that this Blender has started; waits a few seconds at most."""
    session = current()
    session.cancel()
    session.manager.close()


def _sent(settings: Settings) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if name != "persons"}
