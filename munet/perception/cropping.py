"""Which parts of a person lie outside the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from munet.notes import Note
from munet.perception.observation import LANDMARK_NAMES

PARTS = (
    ("head", "lies", "it", ("nose", "left_eye", "right_eye")),
    ("left arm", "lies", "it", ("left_elbow", "left_wrist")),
    ("right arm", "lies", "it", ("right_elbow", "right_wrist")),
    ("legs", "lie", "they", ("left_knee", "right_knee", "left_ankle", "right_ankle")),
    ("feet", "lie", "they", ("left_ankle", "right_ankle", "left_foot_index", "right_foot_index")),
)


def inside_image(points: NDArray[np.floating], width: int, height: int) -> NDArray[np.bool_]:
    """Return which of the pixels (N, 2) lie inside an image."""
    return np.asarray(((points >= 0) & (points <= (width, height))).all(axis=1))


def describe_cropping(landmarks: NDArray[np.floating], width: int, height: int) -> tuple[str, ...]:
    """Return a sentence per body part of which every landmark (33, 2) lies outside the image."""
    inside = inside_image(landmarks, width, height)
    sentences = []
    hidden: set[str] = set()
    for part, verb, pronoun, names in PARTS:
        if any(inside[LANDMARK_NAMES.index(name)] for name in names) or (part == "feet" and "legs" in hidden):
            continue
        hidden.add(part)
        text = f"The {part} {verb} outside the photo: {pronoun} will rest."
        sentences.append(Note(text, "PART_OUTSIDE", part=part))
    return tuple(sentences)
