"""A person whose motion is known, photographed frame by frame with noise: fitted, smoothed, with frames missing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from munet.body.default import load_default_body
from munet.errors import NoPersonError
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.prior import load_pose_prior
from munet.fitting.rig import State
from munet.fitting.so3 import exp_rotation
from munet.perception.observation import PersonObservation, Photo
from munet.sequence.filter import filtered
from munet.sequence.fit import Figure, FrameFit, fit_clip
from munet.sequence.follow import Follower
from munet.sequence.pipeline import Seen, follow, gap_warnings, size_warnings
from munet.sequence.settings import ClipSettings
from tests.munet.fitting.people import joints_cam, likely_rotations, photograph

FPS, COUNT = 25.0, 16
FIGURE = Figure(np.zeros(10), float(np.log(1000.0)), np.zeros(2))


@pytest.fixture(scope="module")
def body() -> BodyPoints:
    return make_body_points(load_default_body(torch.device("cpu")))


def clip(body: BodyPoints, speed: float) -> tuple[list[State], list[PersonObservation | None], Photo]:
    """Return true states, noisy observations and a photo of somebody who swings arms and turns at ``speed``."""
    random, rotations = np.random.default_rng(4), likely_rotations(np.random.default_rng(1), 0.2)
    states, seen = [], []
    for frame in range(COUNT):
        angle, turned = speed * 0.5 * np.sin(2 * np.pi * frame / FPS), rotations.copy()
        for joint, axis in ((0, [0, 1, 0]), (16, [0, 0, 1]), (17, [0, 1, 0]), (4, [1, 0, 0])):
            turned[joint] = turned[joint] @ exp_rotation(angle * np.array(axis, float))
        sitter = photograph(body, turned, random, noise=0.008, depth_noise=0.04)
        states.append(sitter.state)
        seen.append(sitter.observation)
    return states, list(seen), sitter.photo


def errors(body: BodyPoints, states: list[State], found: np.ndarray) -> np.ndarray:
    """Distance (T, 24) in metres of joints from the root, which hides the depth of the whole."""
    true = np.stack([joints_cam(body, state) for state in states])
    return np.linalg.norm((found - found[:, :1]) - (true - true[:, :1]), axis=-1)


def joints(body: BodyPoints, motion: Any) -> np.ndarray:
    return np.stack(
        [
            joints_cam(body, State(exp_rotation(p.astype(float)), np.zeros(10), t, 0.0, np.zeros(2)))
            for p, t in zip(motion.pose, motion.translation, strict=True)
        ]
    )


def fitted(body: BodyPoints, speed: float, missing: tuple[int, ...] = ()) -> tuple[list[State], list[FrameFit | None]]:
    states, seen, photo = clip(body, speed)
    seen = [None if index in missing else observation for index, observation in enumerate(seen)]
    told: list[float] = []
    fits = fit_clip(body, seen, photo, load_pose_prior(), lambda _: (), FIGURE, told.append)
    assert told == sorted(told)
    return states, fits


def shake(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, 2, axis=0), axis=-1).mean())


def test_motion_is_found_and_smoothing_brings_it_closer(body: BodyPoints) -> None:
    states, fits = fitted(body, 1.0, missing=(7,))
    assert fits[7] is None
    frames = list(range(COUNT))
    raw, smooth = (
        joints(body, filtered(body, fits, frames, FIGURE, FPS, ClipSettings(smoothing=s, plant_feet=False), 0))
        for s in (0.0, 0.5)
    )
    assert errors(body, states, smooth).mean() < 0.95 * errors(body, states, raw).mean()
    assert errors(body, states, smooth)[7].mean() < 2 * errors(body, states, smooth).mean()
    assert shake(smooth) < 0.4 * shake(raw)
    motion = filtered(body, fits, frames, FIGURE, FPS, ClipSettings(), 3)
    assert (motion.confidence == 0).tolist() == [index == 7 for index in frames]
    assert motion.pose.shape == (COUNT, 24, 3)
    assert (motion.fps, motion.still) == (FPS, 3)


def test_who_stands_still_stays_still(body: BodyPoints) -> None:
    _, fits = fitted(body, 0.0)
    motion = filtered(body, fits, list(range(COUNT)), FIGURE, FPS, ClipSettings(smoothing=1.0), 0)
    still = joints(body, motion)
    assert np.linalg.norm(still - still.mean(0), axis=-1).mean() < 0.02
    assert shake(still) < 0.004


class Stage:
    """People who move through frames, in place of the networks; nobody is seen in the frames ``dark``."""

    def __init__(self, dark: tuple[int, ...] = ()) -> None:
        self.dark, self.frame = dark, -1

    def people(self) -> list[Any]:
        """Two people who walk towards each other and pass."""
        return [self._person(100 + 12.0 * self.frame, 0), self._person(460 - 12.0 * self.frame, 1)]

    def _person(self, x: float, name: int) -> Any:
        points = np.tile([x, 200.0], (33, 1))
        points[[11, 12, 24, 23]] = [[x + 20, 150], [x - 20, 150], [x - 20, 250], [x + 20, 250]]
        crop = SimpleNamespace(side=300.0, center=(x, 200.0))
        return Marks(points, np.zeros((33, 3)), np.ones(33), 0.9, crop, crop, np.zeros((2, 2), np.float32), name)

    def photo(self) -> Photo:
        """Return the next frame."""
        self.frame += 1
        image = np.zeros((400, 640, 3), np.uint8)
        for person, colour in zip(self.people(), ((220, 20, 20), (20, 20, 220)), strict=True):
            x = int(person.image[11, 0] - 20)
            image[150:251, max(x - 20, 0) : x + 21] = colour
        return Photo(image, (640, 400), 1.0, None, "frame", "")

    def find_landmarks(self, _photo: Photo, most: int = 8) -> list[Any]:
        """Return whoever is seen, the follower's person first."""
        return self._seen()[:most]

    def _seen(self) -> list[Any]:
        return [] if self.frame in self.dark else self.people()

    def find_near(self, _photo: Photo, center: np.ndarray, side: float) -> list[Any]:
        """Return whoever is seen near a place."""
        return [person for person in self._seen() if abs(person.crop.center[0] - center[0]) < side]

    def follow(self, _image: np.ndarray, crop: Any, *, closely: bool) -> Any:
        """As the network does: whoever is nearest to the crop, also if it is somebody else."""
        assert isinstance(closely, bool)
        people = self._seen()
        return min(people, key=lambda p: abs(p.crop.center[0] - crop.center[0])) if people else None


class Marks(SimpleNamespace):
    """Landmarks with the name of their owner; a dataclass in the product."""

    def __init__(self, *values: Any) -> None:
        names = ("image", "world", "visibility", "presence", "crop", "next_crop", "mask", "name")
        super().__init__(**dict(zip(names, values, strict=True)))


def watched(stage: Stage, monkeypatch: pytest.MonkeyPatch, count: int = 25) -> list[Any]:
    monkeypatch.setattr("munet.sequence.follow.replace", lambda marks, **_: marks)
    follower: Any = Follower(stage, 0)  # type: ignore[arg-type]
    return [follower.see(frame, stage.photo()) for frame in range(count)]


def test_people_who_pass_are_not_swapped_even_while_nobody_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    sightings = watched(Stage(dark=(0, 13, 14, 15, 16, 17)), monkeypatch)
    assert sightings[0] is None
    names = [None if sighting is None else sighting.landmarks.name for sighting in sightings]
    assert set(names) == {None, 0}
    assert names[1:13] == [0] * 12
    assert names[-4:] == [0] * 4


def test_who_is_lost_is_looked_for_near_the_last_place_and_everywhere_only_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage(dark=tuple(range(3, 12)))
    near, everywhere = stage.find_near, stage.find_landmarks
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(stage, "find_near", lambda *args: (calls.append(("near", stage.frame)), near(*args))[1])
    monkeypatch.setattr(
        stage, "find_landmarks", lambda *args: (calls.append(("all", stage.frame)), everywhere(*args))[1]
    )
    sightings = watched(stage, monkeypatch, 14)
    assert [sighting is None for sighting in sightings] == [frame in stage.dark for frame in range(14)]
    assert [frame for kind, frame in calls if kind == "near"] == list(range(3, 13))
    assert [frame for kind, frame in calls if kind == "all"] == [0, 3, 6, 9]


def test_gaps_are_told_and_empty_clips_refused() -> None:
    photo = replace(Stage().photo(), name="x")
    seen = Seen((4, 6, 8), (None, SimpleNamespace(), None), photo)  # type: ignore[arg-type]
    assert gap_warnings(seen) == ("The person was not found in 2 of 3 frames (4, 8); the motion is filled in.",)
    frames: Any = SimpleNamespace(name="clip", count=1, read=lambda _: [(0, photo)])
    models: Any = SimpleNamespace(perceiver=Stage(dark=tuple(range(-1, 9))))
    with pytest.raises(NoPersonError, match="clip"):
        follow(models, frames, ClipSettings(), lambda _stage, _share: None)


@pytest.mark.parametrize(("height", "scale", "told"), [(90.0, 1.0, 90), (90.0, 0.4, 0), (250.0, 1.0, 0)])
def test_who_is_small_in_the_clip_is_told_so(height: float, scale: float, told: int) -> None:
    points = np.linspace([0.0, 40.0], [0.0, 40.0 + height], 33)
    sighting = SimpleNamespace(observation=SimpleNamespace(landmarks_image=points))
    photo = replace(Stage().photo(), scale=scale)
    notes = size_warnings(Seen((0, 1), (None, sighting), photo))  # type: ignore[arg-type]
    assert [note.values["pixels"] for note in notes] == ([told] if told else [])  # type: ignore[attr-defined]
