"""Keep an eye on one person through all frames of a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.perception.cropping import describe_cropping, inside_image
from munet.perception.landmarks import Landmarks
from munet.perception.observation import PersonObservation, Photo
from munet.perception.people import Perceiver
from munet.sequence.place import Place, difference, foreseen, most_alike, place_of

_JUMP = 0.25
"""Unlikeness of one frame to the next at which the network may have moved on to somebody else."""
_SAME = 0.6
"""Unlikeness up to which somebody found anew is the same person."""
_PATIENCE = 5
"""So many frames after the person was lost are searched in full, and later every so many-th one."""
_TRUNK_POINTS = [11, 12, 23, 24]


@dataclass(frozen=True)
class Sighting:
    """The person in one frame.

    Attributes:
        frame: number in the file.
        observation: landmarks; the mask is empty.
        landmarks: what the network said, to look closer later.
        sharpness: how sharp the picture of the trunk is, any unit.
    """

    frame: int
    observation: PersonObservation
    landmarks: Landmarks
    sharpness: float


class Follower:
    """Finds one person again in frame after frame: near the last place, of the same size and colour."""

    def __init__(self, perceiver: Perceiver, person: int) -> None:
        """Follow person number ``person``, 0 is the largest, of the first frame that shows so many."""
        self._perceiver = perceiver
        self._person = person
        self._history: list[tuple[int, Place]] = []
        self._last: Landmarks | None = None
        self._missed = 0
        self._empty: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def see(self, frame: int, photo: Photo) -> Sighting | None:
        """Return the person in this frame, None if it is not there."""
        found = self._first(photo) if not self._history else self._again(frame, photo)
        self._last = found
        if found is None:
            self._missed += 1
            return None
        self._missed = 0
        self._history.append((frame, place_of(found.image, found.next_crop.side, photo.image)))
        return self._sighting(frame, found, photo)

    def _first(self, photo: Photo) -> Landmarks | None:
        people = self._perceiver.find_landmarks(photo, self._person + 1)
        return people[self._person] if self._person < len(people) else None

    def _again(self, frame: int, photo: Photo) -> Landmarks | None:
        expected = foreseen(self._history, frame)
        if self._last is not None:
            near = self._perceiver.follow(photo.image, self._last.next_crop)
            if near is not None and difference(expected, self._place(near, photo)) < _JUMP:
                return near
        if self._missed > _PATIENCE and self._missed % _PATIENCE:
            return None
        people = self._perceiver.find_landmarks(photo)
        chosen = most_alike(expected, [self._place(person, photo) for person in people], _SAME)
        return None if chosen is None else people[chosen]

    def _place(self, found: Landmarks, photo: Photo) -> Place:
        return place_of(found.image, found.next_crop.side, photo.image)

    def _sighting(self, frame: int, found: Landmarks, photo: Photo) -> Sighting:
        height, width = photo.image.shape[:2]
        if self._empty.shape != (height, width):
            self._empty = np.zeros((height, width), np.float32)
        inside = inside_image(found.image, width, height)
        seen = np.where(inside, found.visibility, 0).astype(np.float32)
        points = np.clip(found.image[seen > 0.5] if (seen > 0.5).any() else found.image, 0, (width, height))
        observation = PersonObservation(
            box=np.concatenate([points.min(0), points.max(0)]).astype(np.float32),
            score=found.presence,
            landmarks_image=found.image.astype(np.float32),
            landmarks_world=found.world.astype(np.float32),
            visibility=seen,
            mask=self._empty,
            warnings=describe_cropping(found.image, width, height),
        )
        # The mask is large and is made anew for the few frames that need one.
        light = replace(found, mask=np.zeros((1, 1), np.float32))
        return Sighting(frame, observation, light, _sharpness(found, photo.image))


def _sharpness(found: Landmarks, image: NDArray[np.uint8]) -> float:
    """Mean strength of edges between the trunk's corners, after reduction to one size for all frames."""
    height, width = image.shape[:2]
    corners = found.image[_TRUNK_POINTS]
    low = np.clip(corners.min(0).astype(int), 0, [width - 2, height - 2])
    high = np.clip(corners.max(0).astype(int), low + 2, [width, height])
    region = cv2.cvtColor(np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(region, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float(np.abs(cv2.Laplacian(small, cv2.CV_32F)).mean())
