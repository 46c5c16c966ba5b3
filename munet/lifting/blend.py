"""Two opinions about depth, the detector's and the network's, put together for the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from munet.fitting.guess import PoseGuess, bone_depths, disagreement
from munet.fitting.objective import Objective
from munet.fitting.rig import State
from munet.lifting.start import start_from

Array = NDArray[np.float64]

_SHARE = 0.5
"""Weight of the network's depths against the detector's."""
_AGREEMENT = float(np.sqrt(0.5))
"""Two independent measurements of the same noise: their mean has this share of the noise of one."""
_CONFIDENCE = 0.02
"""Metres of mean difference that a guess e times as sure makes up for."""


def blend_depths(objective: Objective, guesses: Sequence[PoseGuess]) -> tuple[Objective, State]:
    """Average the detector's depths with those of the guess that agrees with them best.

    Landmarks in the picture do not tell a limb that points to the camera from one that points away; the detector has
    seen the picture and mostly knows, the network knows better how far. So the detector picks the guess, and both
    together say how deep. Shares and sigma were chosen on generated people (benchmarks/lifter_accuracy.py).

    Args:
        objective: of the person, with the detector's depths.
        guesses: of the pose network, at least one.

    Returns:
        The cost with the blended depths, and the chosen guess as a start.
    """
    starts = [start_from(guess, objective) for guess in guesses]
    depths = [bone_depths(objective.body, start) for start in starts]
    costs = [
        disagreement(objective.evidence, depth) - _CONFIDENCE * float(np.log(guess.confidence + 1e-3))
        for depth, guess in zip(depths, guesses, strict=True)
    ]
    best = int(np.argmin(costs))
    evidence = objective.evidence
    blended = replace(evidence, depths=(1 - _SHARE) * evidence.depths + _SHARE * depths[best])
    weights = replace(objective.weights, depth_sigma=_AGREEMENT * objective.weights.depth_sigma)
    return replace(objective, evidence=blended, weights=weights), starts[best]
