"""The poses of one person in all frames of a clip, with one shape and one focal length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.evidence import SEEN
from munet.fitting.fit import FEWEST_LANDMARKS, prepare, solve
from munet.fitting.guess import PoseGuess
from munet.fitting.objective import Objective
from munet.fitting.prior import PosePrior
from munet.fitting.rig import BETAS, FOCAL, TILT, State
from munet.fitting.solver import Block, minimise
from munet.perception.observation import PersonObservation, Photo
from munet.sequence.hypotheses import smoothest, weighed

Array = NDArray[np.float64]

_STEPS = 8
_FRESH_STEPS = 16
_FRESH_EVERY = 12
"""Every so many-th frame is also fitted from nothing, so that a mistaken depth does not last."""
_BETTER = 0.97
"""Share of the cost that a fit from the other side must reach to be preferred."""


@dataclass(frozen=True)
class Figure:
    """What stays the same in all frames.

    Attributes:
        betas: (10,) identity.
        log_focal: natural logarithm of the focal length in working pixels.
        tilt: (2,) of the camera, see :class:`munet.fitting.rig.State`.
    """

    betas: Array
    log_focal: float
    tilt: Array

    def put_on(self, state: State) -> State:
        """Return ``state`` with this figure, moved away or closer so that it keeps its place in the picture."""
        nearer = np.exp(self.log_focal - state.log_focal)
        return replace(
            state,
            betas=self.betas,
            log_focal=self.log_focal,
            tilt=self.tilt,
            translation=state.translation * [1.0, 1.0, nearer],
        )


@dataclass(frozen=True)
class PoseObjective(Objective):
    """The cost of one person whose shape, focal length and camera tilt are known: only pose and place move."""

    def __call__(self, state: State) -> list[Block]:
        """Linearise every term at ``state``."""
        blocks = super().__call__(state)
        for block in blocks:
            for columns in (BETAS, FOCAL, TILT):
                block.jacobian[:, columns] = 0.0
        return blocks


@dataclass(frozen=True)
class FrameFit:
    """The fit of one frame: its state, what it costs, and how surely (24,) each joint is known."""

    state: State
    cost: float
    trust: Array


@dataclass(frozen=True)
class _Frame:
    objective: Objective
    start: State


def pose_objective(
    body: BodyPoints,
    observation: PersonObservation,
    photo: Photo,
    prior: PosePrior,
    guesses: Sequence[PoseGuess],
    figure: Figure,
) -> tuple[PoseObjective, State]:
    """Return the cost of one frame with a known figure, and a start that knows nothing of other frames."""
    full, start = prepare(body, observation, photo, prior, guesses)
    start = figure.put_on(start)
    parts = {name: getattr(full, name) for name in full.__dataclass_fields__}
    return PoseObjective(**{**parts, "start": start}), start


def fit_clip(
    body: BodyPoints,
    observations: Sequence[PersonObservation | None],
    photo: Photo,
    prior: PosePrior,
    guess: Callable[[PersonObservation], Sequence[PoseGuess]],
    figure: Figure,
    tell: Callable[[float], None],
) -> list[FrameFit | None]:
    """Fit every frame, from the frame before and then, where that is cheaper, from the one after.

    Args:
        body: points of the body.
        observations: of the person in each frame; None where it was not found.
        photo: any frame, for its size and focal length.
        prior: of poses.
        guess: the pose network's guesses for a frame.
        figure: shape and camera.
        tell: told the share that is done.

    Returns:
        The fit of each frame; None without an observation, or where too little was seen.
    """
    known = [_if_usable(observation) for observation in observations]
    frames: list[_Frame | None] = []
    for observation, guesses in zip(known, _guesses(body, known, photo, prior, guess), strict=True):
        if observation is None:
            frames.append(None)
            continue
        made = pose_objective(body, observation, photo, prior, guesses, figure)
        frames.append(_Frame(made[0].without_mask(), made[1]))
        tell(0.3 * len(frames) / len(observations))
    fits = _forwards(frames, lambda share: tell(0.3 + 0.4 * share))
    return _backwards(frames, fits, lambda share: tell(0.7 + 0.3 * share))


def _if_usable(observation: PersonObservation | None) -> PersonObservation | None:
    """Return what was seen if it is enough to place a body."""
    seen = 0 if observation is None else int((observation.visibility >= SEEN).sum())
    return observation if seen >= FEWEST_LANDMARKS else None


def _guesses(
    body: BodyPoints,
    observations: Sequence[PersonObservation | None],
    photo: Photo,
    prior: PosePrior,
    guess: Callable[[PersonObservation], Sequence[PoseGuess]],
) -> list[Sequence[PoseGuess]]:
    """Return one guess of each frame, or none, so that together they are a smooth motion."""
    guesses = [() if observation is None else guess(observation) for observation in observations]
    frames: list[tuple[Array, Array] | None] = []
    for observation, several in zip(observations, guesses, strict=True):
        if observation is None or not several:
            frames.append(None)
            continue
        objective, start = prepare(body, observation, photo, prior)
        frames.append(weighed(body, objective.evidence, start, several))
    return [several[index : index + 1] for several, index in zip(guesses, smoothest(frames), strict=True)]


def _forwards(frames: Sequence[_Frame | None], tell: Callable[[float], None]) -> list[FrameFit | None]:
    fits: list[FrameFit | None] = []
    last: State | None = None
    since = 0
    for index, frame in enumerate(frames):
        if frame is None:
            fits.append(None)
            last = None
            continue
        if last is None or since >= _FRESH_EVERY:
            since, fit = 0, _fresh(frame, last)
        else:
            since, fit = since + 1, _warm(frame, last)
        fits.append(fit)
        last = fit.state
        tell((index + 1) / len(frames))
    return fits


def _backwards(
    frames: Sequence[_Frame | None], fits: Sequence[FrameFit | None], tell: Callable[[float], None]
) -> list[FrameFit | None]:
    result = list(fits)
    for index in range(len(frames) - 2, -1, -1):
        frame, own, after = frames[index], result[index], result[index + 1]
        if frame is None or own is None or after is None:
            continue
        other = _warm(frame, after.state)
        if other.cost < _BETTER * own.cost:
            result[index] = other
        tell(1.0 - index / len(frames))
    return result


def _warm(frame: _Frame, last: State) -> FrameFit:
    state, cost = minimise(last, frame.objective, _STEPS)
    return _fit(frame, state, cost)


def _fresh(frame: _Frame, last: State | None) -> FrameFit:
    state = solve(frame.objective, frame.start, _FRESH_STEPS)
    state, cost = minimise(state, frame.objective, _STEPS)
    fresh = _fit(frame, state, cost)
    if last is None:
        return fresh
    warm = _warm(frame, last)
    return fresh if fresh.cost < _BETTER * warm.cost else warm


def _fit(frame: _Frame, state: State, cost: float) -> FrameFit:
    evidence = frame.objective.evidence
    trust = np.where(evidence.seen, 1.0, np.where(evidence.guessed, 0.3, 0.1))
    return FrameFit(state, cost, trust)
