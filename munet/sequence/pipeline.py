"""From the frames of a clip to one person and its motion: the story, a call a stage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from munet.assemble import assemble
from munet.errors import InvalidInputError, NoPersonError
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.fit import finish, fit_body
from munet.fitting.prior import PosePrior, load_pose_prior
from munet.fitting.rig import State
from munet.fitting.solver import minimise
from munet.lifting.lift import guess_poses
from munet.notes import Note
from munet.progress import Progress, ignore_progress
from munet.sequence.carry import carry_motion
from munet.sequence.choose import frame_quality, key_frames, shared_shape
from munet.sequence.filter import filtered
from munet.sequence.fit import Figure, FrameFit, fit_clip, pose_objective
from munet.sequence.follow import Follower, Sighting
from munet.sequence.motion import ClipResult
from munet.sequence.preview import clip_preview
from munet.sequence.settings import ClipSettings
from munet.surface.dress import dress
from munet.texture.paint import paint
from munet.userbody.carry import carry_fit

if TYPE_CHECKING:
    from munet.fitting.result import BodyFit
    from munet.perception.observation import PersonObservation, Photo
    from munet.pipeline import Models
    from munet.sequence.frames import Frames
    from munet.settings import Settings

CLIP_STAGES = ("follow", "figure", "motion", "surface", "texture", "preview")
KEY_FRAMES = 5
FEWEST_PIXELS = 200
"""Height of a person in the file below which motion and texture are coarse."""
_STEPS = {"draft": 12, "standard": 20, "high": 40}


@dataclass
class _Clock:
    """Reports each stage's progress and adds up its seconds."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLIP_STAGES, 0.0))

    def run(self, stage: str, function: Any, *args: Any) -> Any:  # noqa: ANN401 any stage's result
        self.progress(stage, 0.0)
        start = time.perf_counter()
        result = function(*args)
        self.seconds[stage] += time.perf_counter() - start
        return result


@dataclass(frozen=True)
class Seen:
    """What was seen of the person.

    Attributes:
        frames: numbers of the frames of the clip in the file.
        sightings: of the person in each frame; None where it was not found.
        photo: the first frame that shows the person, for its size.
    """

    frames: tuple[int, ...]
    sightings: tuple[Sighting | None, ...]
    photo: Photo


def reconstruct_clip(
    models: Models, frames: Frames, settings: Settings, clip: ClipSettings, progress: Progress = ignore_progress
) -> ClipResult:
    """Reconstruct one person of a clip with its motion.

    Landmarks in every frame; shape and focal length from a few good frames; poses in every frame with both fixed;
    smoothing; clothes and texture from the best frame.

    Args:
        models: the loaded networks and body.
        frames: the clip.
        settings: the preset and the size of the texture count.
        clip: the user's choices about the clip.
        progress: told about every stage of ``CLIP_STAGES``; raises JobCancelledError to stop.

    Raises:
        BodyFileError: the user's body file can not be used.
        ImageUnreadableError: a frame can not be read.
        InvalidInputError: no frame is chosen, frames differ in size, or the still frame does not show the person.
        NoPersonError: nobody was found in any frame.
        JobCancelledError: the job was cancelled.
    """
    clock, body, prior = _Clock(progress), make_body_points(models.body), load_pose_prior()
    own = models.own_body(settings)
    seen = clock.run("follow", follow, models, frames, clip, progress)
    still, looks = clock.run("figure", look_closely, models, frames, seen, settings, clip, progress)
    figure = shared_figure([look.fit for look in looks], [look.quality for look in looks])
    fits = clock.run("motion", fit_motion, models, body, prior, seen, figure, progress)
    motion = filtered(body, fits, seen.frames, figure, _frame_rate(frames, clip), clip, still.index)
    fit = still_fit(models, body, prior, still, figure, fits[still.index], settings)
    model = models.body
    if own is not None:
        carried = carry_fit(own, model, fit, still.person, still.photo, settings)
        motion = carry_motion(own, model, fit, carried, motion)
        fit, model = carried, own.model
    surface = clock.run("surface", dress, model, fit, still.person, settings)
    texture = clock.run("texture", paint, surface, fit, still.photo, still.person, settings, [])
    notes = tuple(dict.fromkeys((*still.person.warnings, *fit.warnings, *surface.warnings)))
    person = assemble(model, replace(fit, warnings=notes), surface, texture, still.person, still.photo)
    preview = clock.run("preview", clip_preview, frames, clip, person, motion)
    progress("preview", 1.0)
    return ClipResult(person, motion, clock.seconds, (*gap_warnings(seen), *size_warnings(seen)), preview)


def follow(models: Models, frames: Frames, clip: ClipSettings, progress: Progress) -> Seen:
    """Find the person in every frame.

    Raises:
        InvalidInputError: no frame is chosen, or frames differ in size.
        NoPersonError: nobody was found.
    """
    follower, first = Follower(models.perceiver, clip.person), None
    numbers, sightings = [], []
    expected = max(len(range(clip.first, min(clip.last or frames.count, frames.count) + 1, clip.step)), 1)
    for number, photo in frames.read(clip):
        sighting = follower.see(number, photo)
        numbers.append(number)
        sightings.append(sighting)
        first = first or (photo if sighting is not None else None)
        if first is not None and photo.image.shape != first.image.shape:
            sizes = f"{first.name} has {first.image.shape[1::-1]}, {photo.name} {photo.image.shape[1::-1]} pixels"
            raise InvalidInputError("The frames of a clip must all have one size.", detail=sizes)
        progress("follow", min(len(numbers) / expected, 1.0))
    if not numbers:
        raise InvalidInputError("The clip has no frames.", detail=f"{frames.name}: frames {clip.first} to {clip.last}.")
    if first is None:
        raise NoPersonError(f"Nobody was found in {frames.name}.")
    return Seen(tuple(numbers), tuple(sightings), first)


@dataclass(frozen=True)
class Look:
    """A frame that was looked at closely.

    Attributes:
        index: of the frame in the clip.
        photo: the frame.
        person: what was seen, with the mask.
        fit: of this frame alone.
        quality: how much it tells.
    """

    index: int
    photo: Photo
    person: PersonObservation
    fit: BodyFit
    quality: float


def look_closely(
    models: Models, frames: Frames, seen: Seen, settings: Settings, clip: ClipSettings, progress: Progress
) -> tuple[Look, list[Look]]:
    """Reconstruct the body in the best frame of each part of the clip alone; returns the still one and all.

    Raises:
        InvalidInputError: the still frame that the user wants is not in the clip or does not show the person.
    """
    there = [index for index, sighting in enumerate(seen.sightings) if sighting is not None]
    quality = frame_quality([seen.sightings[index] for index in there])  # type: ignore[misc]
    worth = dict(zip(there, quality.tolist(), strict=True))
    wanted = max(worth, key=lambda index: worth[index]) if clip.still < 0 else _index_of(clip.still, seen, worth)
    keys = {there[index] for index in key_frames(quality, KEY_FRAMES)} | {wanted}
    looks = []
    for index, photo in _photos(frames, clip, keys):
        sighting = seen.sightings[index]
        if sighting is None:
            continue
        person = models.perceiver.observe(photo, sighting.landmarks)
        try:
            fit = fit_body(models.body, person, photo, settings, guess_poses(models.lifter, person, photo))
        except NoPersonError:
            if index == wanted:
                raise
            continue
        looks.append(Look(index, photo, person, fit, worth[index]))
        progress("figure", len(looks) / len(keys))
    return next(look for look in looks if look.index == wanted), looks


def _index_of(number: int, seen: Seen, worth: dict[int, float]) -> int:
    index = seen.frames.index(number) if number in seen.frames else -1
    if index not in worth:
        detail = f"frame {number} is not in the clip, or the person was not found in it"
        raise InvalidInputError("The frame for the texture can not be used.", detail=detail)
    return index


def _photos(frames: Frames, clip: ClipSettings, wanted: set[int]) -> list[tuple[int, Photo]]:
    """Read the clip again and keep the frames with the indices ``wanted``."""
    kept = []
    for index, (_, photo) in enumerate(frames.read(clip)):
        if index in wanted:
            kept.append((index, photo))
        if len(kept) == len(wanted):
            break
    return kept


def shared_figure(fits: Sequence[BodyFit], weights: Sequence[float]) -> Figure:
    """Return one shape, focal length and camera tilt from several frames."""
    betas = shared_shape(np.array([fit.betas for fit in fits], dtype=np.float64), np.array(weights))
    focal = float(np.median([np.log(fit.camera.focal) for fit in fits]))
    up = np.median([fit.up_cam for fit in fits], axis=0).astype(np.float64)
    return Figure(betas, focal, np.array([up[0], up[2]]) / -up[1])


def fit_motion(
    models: Models, body: BodyPoints, prior: PosePrior, seen: Seen, figure: Figure, progress: Progress
) -> list[FrameFit | None]:
    """Fit the pose in every frame."""
    observations = [None if sighting is None else sighting.observation for sighting in seen.sightings]
    return fit_clip(
        body,
        observations,
        seen.photo,
        prior,
        lambda observation: guess_poses(models.lifter, observation, seen.photo),
        figure,
        lambda share: progress("motion", share),
    )


def still_fit(
    models: Models,
    body: BodyPoints,
    prior: PosePrior,
    still: Look,
    figure: Figure,
    known: FrameFit | None,
    settings: Settings,
) -> BodyFit:
    """Fit the still frame with the clip's figure, and with its mask, which clothes and texture need exactly."""
    guesses = guess_poses(models.lifter, still.person, still.photo)
    objective, start = pose_objective(body, still.person, still.photo, prior, guesses, figure)
    state: State = start if known is None else known.state
    state, _ = minimise(state, objective, _STEPS[settings.preset])
    return finish(models.body, body, state, still.person, objective)


def _frame_rate(frames: Frames, clip: ClipSettings) -> float:
    return (clip.fps or frames.fps) / clip.step


def gap_warnings(seen: Seen) -> tuple[str, ...]:
    """Return a sentence about the frames in which the person was not found."""
    missing = [number for number, sighting in zip(seen.frames, seen.sightings, strict=True) if sighting is None]
    if not missing:
        return ()
    shown = ", ".join(str(number) for number in missing[:8]) + (", ..." if len(missing) > 8 else "")
    text = (
        f"The person was not found in {len(missing)} of {len(seen.frames)} frames ({shown}); the motion is filled in."
    )
    return (Note(text, "FRAMES_FILLED", missing=len(missing), frames=len(seen.frames), shown=shown),)


def size_warnings(seen: Seen) -> tuple[str, ...]:
    """Return a sentence about a person who is small in the clip."""
    found = [sighting.observation.landmarks_image[:, 1] for sighting in seen.sightings if sighting is not None]
    height = float(np.median([np.ptp(rows) for rows in found])) / seen.photo.scale
    if height >= FEWEST_PIXELS:
        return ()
    pixels = max(round(height / 10) * 10, 10)
    text = f"The person is only about {pixels} pixels tall in the clip: motion and texture will be coarse."
    return (Note(text, "PERSON_SMALL", pixels=pixels),)
