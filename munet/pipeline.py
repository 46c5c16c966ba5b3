"""From the bytes of a photo to the people in it: the story of a reconstruction, a call a stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from munet.assemble import assemble
from munet.body.default import load_default_body
from munet.errors import InvalidInputError, MunetError, NoPersonError
from munet.fitting.fit import fit_body
from munet.folds.look import see_folds
from munet.folds.network import load_folds
from munet.learned.consult import consult, prediction_of
from munet.learned.networks import Networks
from munet.lifting.lift import guess_poses, load_lifter
from munet.models.store import ModelStore
from munet.notes import Note
from munet.perception.people import Perceiver
from munet.perception.photo import read_photo
from munet.preview import render_preview
from munet.progress import STAGES, Progress, ignore_progress
from munet.surface.dress import Prediction, dress
from munet.texture.normal_map import bake_normals
from munet.texture.paint import paint, seen_by
from munet.userbody.carry import carry_fit, carry_prediction
from munet.userbody.model import UserBodies, UserBody

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from munet.body.model import BodyModel
    from munet.fitting.result import BodyFit
    from munet.folds.network import FoldNet
    from munet.lifting.network import LifterNet
    from munet.perception.observation import PersonObservation, Photo
    from munet.reconstruction import Reconstruction
    from munet.settings import Settings
    from munet.surface.result import ClothedSurface


@dataclass(frozen=True)
class Models:
    """Everything that is loaded once and used for every photo."""

    body: BodyModel
    perceiver: Perceiver
    device: torch.device
    lifter: LifterNet
    bodies: UserBodies
    networks: Networks
    folds: FoldNet

    @classmethod
    def load(cls, settings: Settings) -> Models:
        """Load the body and the networks.

        Raises:
            ModelMissingError: a model file is absent or damaged.
        """
        device = choose_device(settings.device)
        body = load_default_body(device)
        perceiver, bodies = Perceiver(ModelStore()), UserBodies(body)
        models = cls(body, perceiver, device, load_lifter(), bodies, Networks(body), load_folds())
        if settings.network:
            models.networks.load()
        return models

    def own_body(self, settings: Settings) -> UserBody | None:
        """Return the user's body model where the settings name one.

        Raises:
            BodyFileError: the file can not be used.
        """
        return self.bodies.load(settings.body_file) if settings.body_file else None


@dataclass(frozen=True)
class PhotoResult:
    """What one photo gave.

    Attributes:
        persons: the people, largest first.
        seconds: time spent in each stage.
        warnings: sentences about the photo as a whole.
        preview: (H, W, 3) uint8 sRGB picture for the eye.
    """

    persons: tuple[Reconstruction, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    preview: NDArray[np.uint8]


@dataclass(frozen=True)
class Figure:
    """A person before the surface is made.

    Attributes:
        fit: body and camera.
        person: what was seen.
        prediction: the surface that the networks see, in the topology of the fit's body, or None.
    """

    fit: BodyFit
    person: PersonObservation
    prediction: Prediction | None = None


@dataclass
class _Clock:
    """Reports each stage's progress and adds up its seconds."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    def run(self, stage: str, fraction: float, function: Any, *args: Any) -> Any:  # noqa: ANN401 any stage's result
        self.progress(stage, fraction)
        start = time.perf_counter()
        result = function(*args)
        self.seconds[stage] += time.perf_counter() - start
        return result


def choose_device(name: str) -> torch.device:
    """Resolve "auto" to CUDA or the CPU, whichever is there; check that a named device exists.

    Raises:
        InvalidInputError: the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(name.split(":", maxsplit=1)[0], False):
        raise InvalidInputError(
            f"The device {name!r} is not available.",
            detail=f"available: {', '.join(key for key, there in available.items() if there)}.",
            hint="Choose one of these or 'auto'.",
        )
    return torch.device(name)


def reconstruct_photo(
    models: Models, data: bytes, name: str, settings: Settings, progress: Progress = ignore_progress
) -> PhotoResult:
    """Reconstruct the people in the file of a photo.

    Args:
        models: the loaded networks and body.
        data: the bytes of the image file.
        name: file name without folder, for messages.
        settings: the user's choices.
        progress: told about every stage; raises JobCancelledError to stop.

    Raises:
        BodyFileError: the user's body file can not be used.
        ImageUnreadableError: the bytes are not an image.
        NoPersonError: nobody is in the photo, or no chosen person could be fitted.
        JobCancelledError: the job was cancelled between two stages.
    """
    clock = _Clock(progress)
    photo = clock.run("read", 0.0, read_photo, data, name)
    return _reconstruct(models, photo, settings, clock)


def reconstruct_people(
    models: Models, photo: Photo, settings: Settings, progress: Progress = ignore_progress
) -> PhotoResult:
    """Reconstruct the people in a photo that has been read already: :func:`reconstruct_photo` without its first stage.

    Raises:
        NoPersonError: nobody is in the photo, or no chosen person could be fitted.
        JobCancelledError: the job was cancelled between two stages.
    """
    return _reconstruct(models, photo, settings, _Clock(progress))


def _reconstruct(models: Models, photo: Photo, settings: Settings, clock: _Clock) -> PhotoResult:
    name, own = photo.name, models.own_body(settings)
    people = clock.run("people", 0.0, models.perceiver.find_people, photo, settings.max_persons)
    people = choose_people(people, settings, name)
    fits, failures = fit_people(models, people, photo, settings, clock)
    figures = [
        carried_figure(models, own, learned_figure(models, fit, person, photo, settings, clock), photo, settings, clock)
        for fit, person in fits
    ]
    body = models.body if own is None else own.model
    dressed = [
        (clock.run("surface", i / len(figures), dress, body, f.fit, f.person, settings, f.prediction), f.fit, f.person)
        for i, f in enumerate(figures)
    ]
    persons = paint_people(body, dressed, photo, settings, clock)
    if settings.folds:
        persons = add_folds(models.folds, persons, dressed, photo, settings, clock)
    preview = clock.run("preview", 0.0, render_preview, photo, persons)
    clock.progress("preview", 1.0)
    return PhotoResult(tuple(persons), clock.seconds, (*photo.warnings, *failures), preview)


def choose_people(people: list[PersonObservation], settings: Settings, name: str) -> list[PersonObservation]:
    """Keep the people that the settings ask for.

    Raises:
        NoPersonError: nobody is in the photo.
        InvalidInputError: a chosen index does not exist.
    """
    if not people:
        raise NoPersonError(f"Nobody was found in {name}.")
    missing = [index for index in settings.persons if not 0 <= index < len(people)]
    if missing:
        raise InvalidInputError(
            "A chosen person is not in the photo.", detail=f"found {len(people)} people, asked for number {missing[0]}."
        )
    return [people[index] for index in settings.persons] if settings.persons else people


def fit_people(
    models: Models, people: list[PersonObservation], photo: Photo, settings: Settings, clock: _Clock
) -> tuple[list[tuple[BodyFit, PersonObservation]], list[Note]]:
    """Fit the body to everybody; a person who can not be fitted becomes a warning while others remain.

    Raises:
        MunetError: not one person could be fitted (the first failure).
    """
    fits: list[tuple[BodyFit, PersonObservation]] = []
    failures: list[MunetError] = []
    for index, person in enumerate(people):
        try:
            fit = clock.run("body", index / len(people), fit_person, models, person, photo, settings)
        except (InvalidInputError, NoPersonError) as failure:
            failures.append(failure)
            continue
        fits.append((fit, person))
    if not fits:
        raise failures[0]
    return fits, [
        Note(f"One person was left out: {failure}", "PERSON_LEFT_OUT", failure=failure.code) for failure in failures
    ]


def fit_person(models: Models, person: PersonObservation, photo: Photo, settings: Settings) -> BodyFit:
    """Guess a person's pose with the network and fit the body to person and guess."""
    guesses = guess_poses(models.lifter, person, photo)
    return fit_body(models.body, person, photo, settings, guesses)


def learned_figure(
    models: Models, fit: BodyFit, person: PersonObservation, photo: Photo, settings: Settings, clock: _Clock
) -> Figure:
    """Show a fitted person to MuNet's networks, where the settings ask for it."""
    if not settings.network:
        return Figure(fit, person)
    learned = clock.run("network", 0.0, consult, models.networks, fit, person, photo, settings)
    return Figure(learned.fit, person, prediction_of(learned))


def carried_figure(
    models: Models, own: UserBody | None, figure: Figure, photo: Photo, settings: Settings, clock: _Clock
) -> Figure:
    """Carry a person over to the user's own body model, if there is one."""
    if own is None:
        return figure
    fit = clock.run("body", 1.0, carry_fit, own, models.body, figure.fit, figure.person, photo, settings)
    known = figure.prediction
    prediction = None if known is None else carry_prediction(own, figure.fit, fit, known)
    return Figure(fit, figure.person, prediction)


def paint_people(
    body: BodyModel,
    dressed: list[tuple[ClothedSurface, BodyFit, PersonObservation]],
    photo: Photo,
    settings: Settings,
    clock: _Clock,
) -> list[Reconstruction]:
    """Texture everybody (each may hide others) and assemble the results."""
    persons = []
    for index, (surface, fit, person) in enumerate(dressed):
        others = [(s, f) for number, (s, f, _) in enumerate(dressed) if number != index]
        texture = clock.run("texture", index / len(dressed), paint, surface, fit, photo, person, settings, others)
        notes = (*person.warnings, *fit.warnings, *surface.warnings)
        noted = replace(fit, warnings=tuple(dict.fromkeys(notes)))
        persons.append(assemble(body, noted, surface, texture, person, photo))
    return persons


def add_folds(
    net: FoldNet,
    persons: list[Reconstruction],
    dressed: list[tuple[ClothedSurface, BodyFit, PersonObservation]],
    photo: Photo,
    settings: Settings,
    clock: _Clock,
) -> list[Reconstruction]:
    """Give everybody a normal map of the folds that the photo shows."""

    def folded(index: int) -> Reconstruction:
        surface, fit, person = dressed[index]
        others = [(seen_by(fit.camera, s, f.camera), s.faces) for n, (s, f, _) in enumerate(dressed) if n != index]
        picture = see_folds(net, surface, fit, photo, person, others)
        return replace(persons[index], normal_map=bake_normals(surface, picture, settings.texture_pixels // 2))

    return [clock.run("texture", 1.0, folded, index) for index in range(len(persons))]
