"""Which guess of each frame is taken."""

from __future__ import annotations

import numpy as np

from munet.sequence.hypotheses import smoothest


def frame(*places: float, costs: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Guesses whose joints all lie ``places`` metres from the root."""
    return np.stack([np.full((24, 3), place / np.sqrt(3)) for place in places]), np.array(costs)


def test_a_frame_that_can_not_tell_follows_its_neighbours() -> None:
    sure = frame(0.0, 0.3, costs=(0.0, 0.2))
    unsure = frame(0.3, 0.01, costs=(0.0, 0.01))
    assert smoothest([sure, unsure, sure]) == [0, 1, 0]
    assert smoothest([unsure]) == [0]


def test_evidence_outweighs_smoothness_and_a_jump_is_possible() -> None:
    first, last = frame(0.0, 5.0, costs=(0.0, 1.0)), frame(0.0, 5.0, costs=(1.0, 0.0))
    assert smoothest([first, last]) == [0, 1]


def test_a_gap_begins_a_new_path() -> None:
    left, right = frame(0.0, 0.3, costs=(0.0, 0.1)), frame(0.0, 0.3, costs=(0.1, 0.0))
    assert smoothest([left, right]) == [0, 0]
    assert smoothest([None, left, None, None, right, None]) == [0, 0, 0, 0, 1, 0]
    assert smoothest([]) == []
