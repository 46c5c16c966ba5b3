"""What counts as a person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from munet.perception.crop import Crop
from munet.perception.landmarks import Landmarks
from munet.perception.people import is_person


def candidate(inside: float, outside: float, presence: float) -> Landmarks:
    """A mask of which the left half lies in a 50 x 100 image and the right half beyond it."""
    mask = np.full((64, 64), inside, np.float32)
    mask[:, 32:] = outside
    crop = Crop((50.0, 50.0), 100.0)
    return Landmarks(np.zeros((33, 2)), np.zeros((33, 3)), np.ones(33), presence, crop, crop, mask)


@pytest.mark.parametrize(
    ("inside", "outside", "presence", "expected"),
    [
        (0.98, 0.98, 0.99, True),
        (0.98, 0.5, 0.99, True),
        (0.6, 0.98, 0.99, False),
        (0.98, 0.98, 0.5, False),
        (0, 1, 1, False),
    ],
)
def test_views_must_agree_inside_the_image(inside: float, outside: float, presence: float, expected: bool) -> None:
    assert is_person(candidate(inside, outside, presence), width=50, height=100) is expected


@pytest.mark.parametrize(("face", "limbs", "expected"), [(0.9, 0.2, False), (0.99, 0.2, True), (0.9, 0.8, True)])
def test_a_lone_leg_is_nobody(face: float, limbs: float, expected: bool) -> None:
    """A leg passes for an upside-down trunk with hips: its face is unsure and its limbs are missing."""
    whole = candidate(0.98, 0.98, 0.99)
    visibility = np.full(33, limbs)
    visibility[:11], visibility[23:25] = face, 0.9
    leg = replace(whole, visibility=visibility, image=np.full((33, 2), 20.0))
    assert is_person(leg, width=50, height=100) is expected
