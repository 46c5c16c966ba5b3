"""What a clip gives: one person, and where and how it is in each frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from munet.reconstruction import Reconstruction


@dataclass(frozen=True)
class Motion:
    """Motion of one person.

    Attributes:
        pose: (T, 24, 3) float32 axis-angle, SMPL's convention, root first, as ``Reconstruction.pose``.
        translation: (T, 3) float32 of the body in the camera frame, as ``Reconstruction.translation``.
        confidence: (T,) float32 in [0, 1]; 0 where the person was not seen and the motion is filled in.
        fps: frames a second.
        frames: (T,) int32 numbers of the frames in the file.
        still: index into the T frames of the one that gave clothes and texture.
    """

    pose: NDArray[np.float32]
    translation: NDArray[np.float32]
    confidence: NDArray[np.float32]
    fps: float
    frames: NDArray[np.int32]
    still: int

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the keys that come to those of the person (docs/result-format.md)."""
        return {
            "pose_sequence": self.pose,
            "translation_sequence": self.translation,
            "confidence_sequence": self.confidence,
            "frame_sequence": self.frames,
        }

    def facts(self) -> dict[str, Any]:
        """Return what is not an array, ready for JSON."""
        return {"fps": self.fps, "still": self.still}


@dataclass(frozen=True)
class ClipResult:
    """What a clip gave.

    Attributes:
        person: in the pose of the frame ``motion.still``.
        motion: of the person.
        seconds: time spent in each stage.
        warnings: sentences about the clip as a whole.
        preview: (H, W, 3) uint8 sRGB picture for the eye.
    """

    person: Reconstruction
    motion: Motion
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    preview: NDArray[np.uint8]
