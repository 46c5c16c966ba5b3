"""Run the product's stages on one sample: perception, fit, surface."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from munet.body.model import BodyModel
from munet.errors import InvalidInputError, NoPersonError
from munet.evaluation.alignment import AnyArray, Array
from munet.evaluation.sample import Sample
from munet.fitting.fit import fit_body
from munet.fitting.result import BodyFit
from munet.lifting.lift import guess_poses
from munet.lifting.network import LifterNet
from munet.perception.observation import PersonObservation, Photo
from munet.perception.people import Perceiver
from munet.settings import Settings
from munet.surface.dress import dress
from munet.surface.result import ClothedSurface

# The protocols of SPIN and GraphCMR widen a box by this before they crop.
_BOX_MARGIN = 1.2


@dataclass(frozen=True)
class Estimate:
    """What the pipeline made of one person.

    Attributes:
        fit: body and camera.
        surface: clothed surface, or None where it was not asked for.
    """

    fit: BodyFit
    surface: ClothedSurface | None


class NotFoundError(Exception):
    """The person of a sample was not found or could not be fitted; the message says why."""


@dataclass(frozen=True)
class Estimator:
    """The pipeline up to the surface.

    Attributes:
        body: the body model that is fitted.
        perceiver: loaded networks.
        settings: of the fit and the surface.
        with_surface: whether to clothe the body.
        true_focal: whether the fit is told the true focal length where the data set knows it.
        lifter: pose network whose guesses the fit listens to, or None.
    """

    body: BodyModel
    perceiver: Perceiver
    settings: Settings
    with_surface: bool
    true_focal: bool = False
    lifter: LifterNet | None = None

    def estimate(self, sample: Sample) -> Estimate:
        """Reconstruct the person of a sample.

        Raises:
            NotFoundError: nobody was found in the box or in the picture, or too little of the person is visible.
        """
        height, width = sample.image.shape[:2]
        focal = sample.focal if self.true_focal else None
        photo = Photo(np.ascontiguousarray(sample.image), (width, height), 1.0, focal, sample.name, "")
        person = find_person(self.perceiver, photo, sample.box)
        try:
            guesses = guess_poses(self.lifter, person, photo) if self.lifter else ()
            fit = fit_body(self.body, person, photo, self.settings, guesses)
            surface = dress(self.body, fit, person, self.settings) if self.with_surface else None
        except (NoPersonError, InvalidInputError) as error:
            raise NotFoundError(str(error)) from error
        return Estimate(fit, surface)


def find_person(perceiver: Perceiver, photo: Photo, box: Array | None) -> PersonObservation:
    """Find the largest person in a photo, or the person of a box by looking at the box and a margin alone.

    Raises:
        NotFoundError: nobody was found, or nobody who overlaps the box.
    """
    if box is None:
        people = perceiver.find_people(photo, 1)
        if not people:
            raise NotFoundError("Nobody was found in the picture.")
        return people[0]
    region = _square_around(box, photo.image.shape[1], photo.image.shape[0])
    people = [shifted(person, region, photo) for person in perceiver.find_people(cropped(photo, region))]
    overlaps = [box_overlap(person.box, box) for person in people]
    if not overlaps or max(overlaps) <= 0:
        raise NotFoundError("Nobody was found in the box.")
    return people[int(np.argmax(overlaps))]


def _square_around(box: Array, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the widened square around a box, cut at the picture's border."""
    half = max(box[2] - box[0], box[3] - box[1]) * _BOX_MARGIN / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = max(0, int(x - half)), max(0, int(y - half))
    right, bottom = min(width, int(np.ceil(x + half))), min(height, int(np.ceil(y + half)))
    if right - left < 2 or bottom - top < 2:
        raise NotFoundError("The box lies outside the picture.")
    return left, top, right, bottom


def cropped(photo: Photo, region: tuple[int, int, int, int]) -> Photo:
    """Return the photo's region (left, top, right, bottom in pixels) as a photo of its own."""
    left, top, right, bottom = region
    image = np.ascontiguousarray(photo.image[top:bottom, left:right])
    return replace(photo, image=image, original_size=(right - left, bottom - top))


def shifted(person: PersonObservation, region: tuple[int, int, int, int], photo: Photo) -> PersonObservation:
    """Return a person found in a region of a photo in the pixels of the whole photo."""
    left, top, right, bottom = region
    mask = np.zeros(photo.image.shape[:2], np.float32)
    mask[top:bottom, left:right] = person.mask
    corner = np.array([left, top], np.float32)
    return replace(
        person,
        box=person.box + np.concatenate([corner, corner]),
        landmarks_image=person.landmarks_image + corner,
        mask=mask,
    )


def box_overlap(first: AnyArray, second: AnyArray) -> float:
    """Intersection over union of two boxes (4,): left, top, right, bottom; 0 for boxes without area."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    areas = sum(float(np.prod(np.asarray(box[2:]) - np.asarray(box[:2]))) for box in (first, second))
    return common / (areas - common) if areas > common else 0.0
