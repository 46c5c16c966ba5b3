"""The job kind ``people``: who is in a photo, so that the user can choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from munet import __version__
from munet.errors import NoPersonError

from ..protocol.results import join_result
from .loop import Outcome, Report

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from munet.perception.landmarks import Landmarks
    from munet.perception.observation import Photo
    from munet.pipeline import Models
    from munet.settings import Settings

PICTURE_PIXELS = 128
PREVIEW_PIXELS = 1024
_MARGIN = 1.15


def find_people(models: Models, photo: Photo, settings: Settings, report: Report) -> Outcome:
    """Return a box and a small picture of everybody in the photo, in the order in which they are reconstructed.

    Raises:
        NoPersonError: nobody is in it.
    """
    report("people", 1, 2, 0.5, "Finding people")
    people = models.perceiver.find_landmarks(photo, settings.max_persons)
    if not people:
        raise NoPersonError(f"Nobody was found in {photo.name}.")
    persons = [_person(person, photo) for person in people]
    versions = {"backend": __version__, "device": str(models.device)}
    return join_result(persons, {}, photo.warnings, _reduced(photo.image, PREVIEW_PIXELS), versions)


def _box(person: Landmarks, photo: Photo) -> NDArray[np.float64]:
    """Return left, top, right, bottom of the landmarks inside the photo, in working pixels."""
    height, width = photo.image.shape[:2]
    points = np.clip(person.image, 0, (width, height))
    return np.concatenate([points.min(0), points.max(0)])


def _person(person: Landmarks, photo: Photo) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    box = _box(person, photo)
    arrays: dict[str, NDArray[Any]] = {
        "box": (box / photo.scale).astype(np.float32),
        "picture": _square(photo.image, box),
    }
    return arrays, {"score": float(person.presence)}


def _square(image: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Cut a square round ``box`` out of an image (H, W, 3), continued by its border."""
    from munet.perception.crop import Crop, sample_continued

    side = float(max(box[2:] - box[:2])) * _MARGIN
    center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return sample_continued(image, Crop((float(center[0]), float(center[1])), max(side, 8.0)), PICTURE_PIXELS)


def _reduced(image: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Leave out rows and columns until the long side has at most ``pixels``."""
    step = -(-max(image.shape[:2]) // pixels)
    return np.ascontiguousarray(image[::step, ::step])
