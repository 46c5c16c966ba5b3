"""From a guessed pose to a state from which the fit can begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.camera_start import place_body
from munet.fitting.guess import PoseGuess
from munet.fitting.objective import Objective
from munet.fitting.rig import PointRig, State, pose_points
from munet.fitting.start import within_limits

Array = NDArray[np.float64]


def start_from(guess: PoseGuess, objective: Objective) -> State:
    """The state of a guess: within the joint limits, placed where its landmarks fit best.

    Args:
        guess: rotations in the axes of the camera.
        objective: of the person; its own start gives the focal length.
    """
    rotations = within_limits(guess.rotations)
    state = replace(objective.start, rotations=rotations, betas=np.zeros(10), translation=np.zeros(3))
    return replace(state, translation=_place(objective.body.rig.subset(BodyPoints.LANDMARKS), state, objective))


def _place(rig: PointRig, state: State, objective: Objective) -> Array:
    evidence = objective.evidence
    return place_body(pose_points(rig, state), evidence.pixels, evidence.trust, state.focal, objective.center)
