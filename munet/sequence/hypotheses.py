"""Which of the pose network's guesses of each frame make one motion together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.evidence import Evidence
from munet.fitting.guess import GuessWeights, PoseGuess, weigh_guesses
from munet.fitting.rig import TO_CAMERA, State, pose_skeleton

Array = NDArray[np.float64]

_FURTHEST = 0.4
"""Mean distance of the joints in metres from one frame to the next beyond which a jump costs no more."""


def weighed(
    body: BodyPoints, evidence: Evidence, start: State, guesses: Sequence[PoseGuess]
) -> tuple[Array, Array] | None:
    """Return where guesses put the joints (K, 24, 3), metres from the root, and what speaks against each (K,), metres.

    None without guesses.
    """
    if not guesses:
        return None
    states, costs = weigh_guesses(body, evidence, start, guesses, GuessWeights())
    heads = np.stack([pose_skeleton(body.rig, state).heads for state in states]) * TO_CAMERA
    return heads - heads[:, :1], costs


def smoothest(frames: Sequence[tuple[Array, Array] | None]) -> list[int]:
    """Choose a guess for each frame so that the joints travel little and little speaks against the choice.

    The shortest path through all frames (Viterbi): metres that the joints travel on average count as much as metres by
    which a guess disagrees with the measured depths. A frame alone can not tell a limb that points to the camera from
    one that points away; its neighbours often can.

    Args:
        frames: of each frame what :func:`weighed` returns; where there is nothing the path begins anew.

    Returns:
        Indices of the guesses; 0 where there are none.
    """
    chosen = [0] * len(frames)
    begin = 0
    while begin < len(frames):
        end = begin
        while end < len(frames) and frames[end] is not None:
            end += 1
        run = [frame for frame in frames[begin:end] if frame is not None]
        if run:
            chosen[begin:end] = _shortest(run)
        begin = end + 1
    return chosen


def _shortest(frames: Sequence[tuple[Array, Array]]) -> list[int]:
    total, came_from = frames[0][1], []
    for (before, _), (joints, costs) in pairwise(frames):
        travelled = np.linalg.norm(joints[None] - before[:, None], axis=-1).mean(-1)
        sums = total[:, None] + np.minimum(travelled, _FURTHEST)
        came_from.append(sums.argmin(0))
        total = costs + sums.min(0)
    path = [int(total.argmin())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return path[::-1]
