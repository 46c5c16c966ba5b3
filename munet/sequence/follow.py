"""Keep an eye on one person through all frames of a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.perception.cropping import describe_cropping, inside_image
from munet.perception.landmarks import Landmarks
from munet.perception.observation import PersonObservation, Photo
from munet.perception.people import Perceiver
from munet.sequence.place import Place, difference, foreseen, most_alike, overlap, place_of

_JUMP = 0.25
"""Unlikeness of one frame to the next at which the network may have moved on to somebody else."""
_SAME = 0.6
"""Unlikeness up to which somebody found anew is the same person."""
_EVERY = 3
"""Where the person is lost every third frame is searched in full, the others only near the last place."""
_PATIENCE, _FURTHER = 10, 0.03
"""For so many frames a lost person may be less alike by so much each."""
_RIVALS = 3
"""So many people around are followed, too."""
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


@dataclass
class _Track:
    """Somebody who is followed: the places so far, what was seen in the last frame, and for how long nothing was."""

    history: list[tuple[int, Place]]
    last: Landmarks | None
    missed: int = 0


class Follower:
    """Finds one person again in frame after frame: near the last place, of the same size and colour.

    The people around are followed as well, so that whoever passes in front is not taken for the person behind.
    """

    def __init__(self, perceiver: Perceiver, person: int) -> None:
        """Follow person number ``person``, 0 is the largest, of the first frame that shows so many."""
        self._perceiver = perceiver
        self._person = person
        self._tracks: list[_Track] = []
        self._waited = 0
        self._empty: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def see(self, frame: int, photo: Photo) -> Sighting | None:
        """Return the person in this frame, None if it is not there."""
        if self._tracks:
            self._go_on(frame, photo)
        else:
            self._begin(frame, photo)
        found = self._tracks[0].last if self._tracks else None
        return None if found is None else self._sighting(frame, found, photo)

    def _begin(self, frame: int, photo: Photo) -> None:
        self._waited += 1
        if self._waited > _PATIENCE and self._waited % _EVERY:
            return
        people = self._perceiver.find_landmarks(photo, self._person + 1 + _RIVALS)
        if self._person < len(people):
            chosen = people.pop(self._person)
            self._tracks = [self._track(frame, person, photo) for person in (chosen, *people[:_RIVALS])]

    def _track(self, frame: int, person: Landmarks, photo: Photo) -> _Track:
        return _Track([(frame, self._place(person, photo))], person)

    def _go_on(self, frame: int, photo: Photo) -> None:
        expected = [foreseen(track.history, frame) for track in self._tracks]
        found = [self._near(track, place, photo) for track, place in zip(self._tracks, expected, strict=True)]
        self._drop_doubles(found, expected, photo)
        if found[0] is None:
            near = self._perceiver.find_near(photo, expected[0].center, expected[0].size)
            self._assign(found, expected, near, photo)
        if found[0] is None and self._tracks[0].missed % _EVERY == 0:
            strangers = self._assign(found, expected, self._perceiver.find_landmarks(photo), photo)
            room = max(0, 1 + _RIVALS - len(self._tracks))
            self._tracks += [self._track(frame, person, photo) for person in strangers[:room]]
        # Strangers whom the search has added come after those that were expected.
        for track, person in zip(self._tracks, found, strict=False):
            track.last, track.missed = person, 0 if person is not None else track.missed + 1
            if person is not None:
                track.history.append((frame, self._place(person, photo)))

    def _near(self, track: _Track, expected: Place, photo: Photo) -> Landmarks | None:
        """Look where somebody was in the last frame; None where that is nobody or, by a jump, somebody else."""
        if track.last is None:
            return None
        near = self._perceiver.follow(photo.image, track.last.next_crop, closely=track is self._tracks[0])
        return near if near is not None and difference(expected, self._place(near, photo)) < _JUMP else None

    def _drop_doubles(self, found: list[Landmarks | None], expected: list[Place], photo: Photo) -> None:
        """Where two tracks see the same person, leave it to the one that it is more like."""
        for one, two in combinations(range(len(found)), 2):
            first, second = found[one], found[two]
            if first is None or second is None:
                continue
            places = self._place(first, photo), self._place(second, photo)
            if overlap(*places):
                unlike = difference(expected[one], places[0]), difference(expected[two], places[1])
                found[one if unlike[0] > unlike[1] else two] = None

    def _assign(
        self, found: list[Landmarks | None], expected: list[Place], people: list[Landmarks], photo: Photo
    ) -> list[Landmarks]:
        """Find everybody who is lost among ``people``; return the strangers."""
        taken = [self._place(person, photo) for person in found if person is not None]
        people = [person for person in people if not self._is_one_of(person, taken, photo)]
        lost = [index for index, person in enumerate(found) if person is None]
        places = [self._place(person, photo) for person in people]
        limit = _SAME + _FURTHER * min(self._tracks[0].missed, _PATIENCE)
        chosen = most_alike([expected[index] for index in lost], places, limit)
        for index, candidate in zip(lost, chosen, strict=True):
            if candidate is not None:
                found[index] = people[candidate]
        return [person for index, person in enumerate(people) if index not in chosen]

    def _is_one_of(self, person: Landmarks, taken: list[Place], photo: Photo) -> bool:
        place = self._place(person, photo)
        return any(overlap(place, other) for other in taken)

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
