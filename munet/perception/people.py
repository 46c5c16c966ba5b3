"""Every person in a photo: detector, landmarks, mask."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from munet.errors import InvalidInputError
from munet.models.store import ModelStore
from munet.perception.averaging import FOLLOWED_VIEWS, average_views
from munet.perception.beside import (
    covered_by,
    distance_to_detection,
    is_another,
    is_new,
    overlap,
    paint_out,
    without_covered,
)
from munet.perception.crop import Crop, crop_from_keypoints
from munet.perception.cropping import describe_cropping, inside_image
from munet.perception.detector import Detection, PersonDetector
from munet.perception.duplicates import drop_duplicates, drop_repeated
from munet.perception.landmarks import LandmarkNetwork, Landmarks
from munet.perception.masks import PersonMasker
from munet.perception.observation import PersonObservation, Photo
from munet.perception.search import closer_crops, coarse_crops, fine_crops, near_crops
from munet.perception.separation import distance_to_bones, separate_masks

_PRESENCE = 0.5
# People reach 0.96 and 0.57 on annotated photos; cats, cups and printed pages stay under one of the two.
_MEAN_PRESENCE = 0.85
_DECIDED = 0.45
# A lone leg or a stretched picture passes for a trunk with an unsure face (people: 0.98 and more, seen from behind
# too) and limbs that are missing though they would lie inside the photo.
_SURE_FACE = 0.97
_SURE_LIMBS = 0.45
_FACE, _LIMBS, _HIPS = slice(0, 11), (13, 14, 15, 16, 25, 26, 27, 28), slice(23, 25)
_SMALL_PERSON = 0.4
_OVERLAPPING = 0.1
_SEEN = 0.5


class Perceiver:
    """The loaded networks that look at photos."""

    def __init__(
        self, store: ModelStore, device: str = "auto", threads: int = 2, landmarks: Literal["heavy", "full"] = "heavy"
    ) -> None:
        """Load the networks from ``store``.

        Args:
            store: holds the model files.
            device: accepted for symmetry with the other stages; these small networks always run on the CPU.
            threads: CPU threads that a network may use.
            landmarks: which landmark network; "full" is faster, with errors about a fifth larger.

        Raises:
            ModelMissingError: a model file is absent or damaged.
        """
        del device
        self._detector = PersonDetector(store.path("pose_detection"), threads)
        self._landmarks = LandmarkNetwork(store.path(f"pose_landmark_{landmarks}"), threads)
        self._masker = PersonMasker(self._landmarks, store.path("saliency"), threads)

    def find_people(self, photo: Photo, max_persons: int = 8) -> list[PersonObservation]:
        """Find the people in ``photo``, largest first; an empty list when there is nobody.

        Args:
            photo: upright photo.
            max_persons: at most so many are returned.

        Raises:
            InvalidInputError: ``max_persons`` is less than one.
        """
        found = self._find(photo.image, max_persons)
        people = [person for person, _ in found]
        masks = [self._masker.segment(picture, person) for person, picture in found]
        separate = separate_masks(masks, [person.image for person in people], [person.visibility for person in people])
        return [_observation(person, mask) for person, mask in zip(people, separate, strict=True)]

    def find_landmarks(self, photo: Photo, max_persons: int = 8) -> list[Landmarks]:
        """Find the same people in the same order as :meth:`find_people`, without their masks, which take longest.

        Raises:
            InvalidInputError: ``max_persons`` is less than one.
        """
        return [person for person, _ in self._find(photo.image, max_persons)]

    def _find(self, image: NDArray[np.uint8], max_persons: int) -> list[tuple[Landmarks, NDArray[np.uint8]]]:
        """Find people, largest first, each with the picture that shows them: of those behind others a painted one."""
        if max_persons < 1:
            raise InvalidInputError("max_persons is too small.", detail=f"expected at least 1, found {max_persons}")
        height, width = image.shape[:2]
        found = self._look(image, coarse_crops(width, height))
        if any(person.crop.side >= _SMALL_PERSON * max(width, height) for person in found):
            people = self._sure(image, found, max_persons)
            # What looked like one large person may be none, and small people may stand around it.
            if people:
                return self._with_neighbours(image, people, max_persons)
        closer = self._look(image, fine_crops(width, height), repeated=False)
        return [(person, image) for person in self._sure(image, drop_duplicates([*found, *closer]), max_persons)]

    def _with_neighbours(
        self, image: NDArray[np.uint8], people: list[Landmarks], most: int
    ) -> list[tuple[Landmarks, NDArray[np.uint8]]]:
        """Add those who stand beside or behind ``people``, ``most`` in all, largest first."""
        height, width = image.shape[:2]
        found = [(person, image) for person in people]
        crops = closer_crops(width, height) if len(people) < most else []
        for detection in drop_repeated([found for crop in crops for found in self._detector.detect(image, crop)]):
            known = [person for person, _ in found]
            if len(found) == most or not is_another(detection, known):
                continue
            covered = covered_by(known, distance_to_detection(detection, (height, width)))
            picture = paint_out(image, covered)
            first = self._measure(picture, detection)
            if first is None or not is_new(first, known):
                continue
            person = average_views(self._landmarks, picture, first)
            if is_person(person, width, height, covered) and is_new(person, known):
                found.append((without_covered(person, covered), picture))
        for index, pair in enumerate(found if len(found) > len(people) else ()):
            others = [person for person, _ in found if person is not pair[0]]
            found[index] = self._again(image, pair[0], others) or pair
        return sorted(found, key=lambda pair: _seen_area(pair[0], width, height), reverse=True)

    def _again(
        self, image: NDArray[np.uint8], person: Landmarks, others: list[Landmarks]
    ) -> tuple[Landmarks, NDArray[np.uint8]] | None:
        """Look again at somebody who overlaps with others, with those painted out: two may have passed for one."""
        height, width = image.shape[:2]
        if overlap(person, others, (height, width)) < _OVERLAPPING:
            return None
        own = distance_to_bones(person.image, person.visibility > _SEEN, (height, width))
        covered = covered_by(others, own)
        alone = paint_out(image, covered)
        again = average_views(self._landmarks, alone, person)
        return (without_covered(again, covered), alone) if is_person(again, width, height, covered) else None

    def find_near(self, photo: Photo, center: NDArray[np.float64], side: float) -> list[Landmarks]:
        """Find the people near a place, for clips: faster than :meth:`find_landmarks`, and closer.

        Args:
            photo: upright photo.
            center: (2,) of the place in pixels.
            side: edge of the square round a person there, pixels.
        """
        height, width = photo.image.shape[:2]
        found = self._look(photo.image, near_crops((float(center[0]), float(center[1])), side), repeated=False)
        averaged = (average_views(self._landmarks, photo.image, person, FOLLOWED_VIEWS) for person in found)
        return [person for person in averaged if is_person(person, width, height)]

    def follow(self, image: NDArray[np.uint8], crop: Crop, *, closely: bool = True) -> Landmarks | None:
        """Find the person of an earlier frame again in ``crop`` of an image (H, W, 3); None if nobody is there.

        For clips: fewer views than :meth:`find_landmarks`, because the frames themselves are many, and one unless
        ``closely``.
        """
        first = self._landmarks.find(image, crop)
        if first.presence < _PRESENCE:
            return None
        if not closely:
            return first
        found = average_views(self._landmarks, image, first, FOLLOWED_VIEWS)
        return found if found.presence >= _PRESENCE else None

    def observe(self, photo: Photo, person: Landmarks) -> PersonObservation:
        """Look closely at a person of ``photo`` that is known already: all views, and the mask."""
        averaged = average_views(self._landmarks, photo.image, person)
        return _observation(averaged, self._masker.segment(photo.image, averaged))

    def _sure(self, image: NDArray[np.uint8], found: list[Landmarks], most: int) -> list[Landmarks]:
        """Return those of whom all views say that they are people, largest first, ``most`` at most."""
        height, width = image.shape[:2]
        ranked = sorted(found, key=lambda person: _seen_area(person, width, height), reverse=True)
        averaged = (average_views(self._landmarks, image, person) for person in ranked)
        return list(islice((person for person in averaged if is_person(person, width, height)), most))

    def _look(self, image: NDArray[np.uint8], crops: Iterable[Crop], *, repeated: bool = True) -> list[Landmarks]:
        """Measure whom the detector finds in ``crops``; unless ``repeated``, who is found in many of them only once."""
        detections = [found for crop in crops for found in self._detector.detect(image, crop)]
        detections = detections if repeated else drop_repeated(detections)
        people = [self._measure(image, detection) for detection in detections]
        return drop_duplicates([person for person in people if person is not None])

    def _measure(self, image: NDArray[np.uint8], detection: Detection) -> Landmarks | None:
        first = self._landmarks.find(image, crop_from_keypoints(detection.keypoints[0], detection.keypoints[1]))
        if first.presence < _PRESENCE:
            return None
        # The region from the landmarks fits the person better than the detector's, as in MediaPipe's tracking.
        second = self._landmarks.find(image, first.next_crop)
        return second if second.presence >= _PRESENCE else first


def is_person(person: Landmarks, width: int, height: int, covered: NDArray[np.bool_] | None = None) -> bool:
    """Tell whether averaged landmarks belong to a person: the views agree that there is one and where it ends.

    Args:
        person: as :func:`munet.perception.averaging.average_views` gives it.
        width: width of the image; what the mask says beyond the image does not count.
        height: height of the image.
        covered: (H, W) pixels that were painted over, where the mask tells nothing.
    """
    ticks = (np.arange(person.mask.shape[0]) + 0.5) / person.mask.shape[0]
    cells = person.crop.to_image(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    telling = inside_image(cells, width, height)
    if covered is not None:
        column, row = np.clip(cells.astype(int), 0, (width - 1, height - 1)).T
        telling &= ~covered[row, column]
    claimed = (person.mask > 0.1) & telling.reshape(person.mask.shape)
    if person.presence < _MEAN_PRESENCE or not claimed.any() or _is_fragment(person, width, height):
        return False
    return bool((np.abs(person.mask[claimed] - 0.5) > 0.4).mean() >= _DECIDED)


def _is_fragment(person: Landmarks, width: int, height: int) -> bool:
    """Tell whether a supposed person has hips in the photo, yet neither a sure face nor limbs."""
    limbs = [i for i in _LIMBS if inside_image(person.image[i : i + 1], width, height)[0]]
    seen = person.visibility
    unsure = seen[_FACE].mean() < _SURE_FACE and bool(limbs) and seen[limbs].mean() < _SURE_LIMBS
    return bool(unsure and seen[_HIPS].mean() > _SEEN)


def _observation(person: Landmarks, mask: NDArray[np.float32]) -> PersonObservation:
    height, width = mask.shape
    inside = inside_image(person.image, width, height)
    return PersonObservation(
        box=_bounding_box(mask, person.image[inside & (person.visibility > _SEEN)]),
        score=person.presence,
        landmarks_image=person.image.astype(np.float32),
        landmarks_world=person.world.astype(np.float32),
        visibility=np.where(inside, person.visibility, 0).astype(np.float32),
        mask=mask,
        warnings=describe_cropping(person.image, width, height),
    )


def _seen_area(person: Landmarks, width: int, height: int) -> float:
    points = np.clip(person.image, 0, (width, height))
    return float(np.prod(points.max(0) - points.min(0)))


def _bounding_box(mask: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float32]:
    rows, columns = np.flatnonzero((mask > _SEEN).any(1)), np.flatnonzero((mask > _SEEN).any(0))
    corners = points
    if rows.size:
        corners = np.concatenate([points, [[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]]])
    if not len(corners):
        return np.zeros(4, np.float32)
    return np.concatenate([corners.min(0), corners.max(0)]).astype(np.float32)
