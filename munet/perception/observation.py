"""What perception knows about one photo and the people in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LANDMARK_NAMES = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip


@dataclass(frozen=True)
class Photo:
    """A decoded photo, upright, at working resolution.

    Attributes:
        image: (H, W, 3) uint8 sRGB; at most a few thousand pixels on the long side.
        original_size: (width, height) of the upright photo before it was reduced.
        scale: working pixels per original pixel (at most 1).
        focal: focal length in working pixels from EXIF, or None.
        name: file name without folder.
        sha256: hash of the file's bytes.
        warnings: sentences for the user (for instance "reduced from 100 megapixels").
    """

    image: NDArray[np.uint8]
    original_size: tuple[int, int]
    scale: float
    focal: float | None
    name: str
    sha256: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PersonObservation:
    """One person in a photo, in working pixels.

    Attributes:
        box: (4,) float32 left, top, right, bottom of the whole person.
        score: detector confidence in [0, 1].
        landmarks_image: (33, 2) float32 pixels, in the order of LANDMARK_NAMES; may lie outside the image.
        landmarks_world: (33, 3) float32 metres, hip centred, axes of the camera frame (x right, y down, z forward).
        visibility: (33,) float32 in [0, 1]: seen in the photo (0 when outside the image).
        mask: (H, W) float32 in [0, 1] of this person over the whole working image.
        warnings: sentences for the user, for instance about a cropped person.
    """

    box: NDArray[np.float32]
    score: float
    landmarks_image: NDArray[np.float32]
    landmarks_world: NDArray[np.float32]
    visibility: NDArray[np.float32]
    mask: NDArray[np.float32]
    warnings: tuple[str, ...] = ()
