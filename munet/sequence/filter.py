"""From the poses of single frames to one smooth motion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from munet.fitting.body_points import BodyPoints
from munet.fitting.rig import TO_CAMERA, State, pose_skeleton
from munet.fitting.so3 import log_rotation
from munet.sequence.feet import planted
from munet.sequence.fit import Figure, FrameFit
from munet.sequence.motion import Motion
from munet.sequence.settings import ClipSettings
from munet.sequence.smooth import fill_gaps, smooth_by_speed, smooth_way

Array = NDArray[np.float64]

LONGEST_SECONDS = 0.2
"""Standard deviation of the window at full smoothing."""
DEPTH_FACTOR = 2.0
"""How much longer the window along the view is."""
FILLED_TRUST = 0.02
"""Of a frame that was filled in: next to nothing beside measured ones, but enough where no other is in reach."""
_FEET = [7, 8, 10, 11]
_UNKNOWN = np.tile(np.eye(3), (24, 1, 1))


def filtered(
    body: BodyPoints,
    fits: Sequence[FrameFit | None],
    frames: Sequence[int],
    figure: Figure,
    fps: float,
    clip: ClipSettings,
    still: int,
) -> Motion:
    """Fill gaps, smooth rotations and way, and hold resting feet.

    Args:
        body: points of the body.
        fits: of each frame, None where there is none; at least one is not.
        frames: their numbers in the file.
        figure: shape and camera of the clip.
        fps: frames a second of the clip.
        clip: how much to smooth, and whether feet are held.
        still: index of the frame that gave clothes and texture.
    """
    known = np.array([fit is not None for fit in fits])
    rest = (body.rig.joints[0] + body.rig.joint_dirs[0] @ figure.betas) * TO_CAMERA
    rotations = np.stack([_UNKNOWN if fit is None else fit.state.rotations for fit in fits])
    hips = np.stack([np.zeros(3) if fit is None else rest + fit.state.translation for fit in fits])
    rotations, hips = fill_gaps(rotations, hips, known)
    trust = np.stack([np.zeros(24) if fit is None else fit.trust for fit in fits])
    sigma = clip.smoothing * LONGEST_SECONDS * fps
    held = np.maximum(trust, FILLED_TRUST)
    rotations = smooth_by_speed(rotations, held, sigma, fps)
    hips = smooth_way(hips, held.mean(1), sigma, DEPTH_FACTOR * sigma)
    if clip.plant_feet:
        hips = planted(hips, *_feet(body, rotations, hips - rest, figure), fps)
    return Motion(
        pose=log_rotation(rotations).astype(np.float32),
        translation=(hips - rest).astype(np.float32),
        confidence=trust.mean(1).astype(np.float32),
        fps=float(fps),
        frames=np.array(frames, dtype=np.int32),
        still=still,
    )


def _feet(body: BodyPoints, rotations: Array, translations: Array, figure: Figure) -> tuple[Array, Array]:
    """Return ankles and balls of the feet (T, 4, 3), camera frame, and the direction up."""
    states = [
        State(turns, figure.betas, place, figure.log_focal, figure.tilt)
        for turns, place in zip(rotations, translations, strict=True)
    ]
    heads = np.stack([pose_skeleton(body.rig, state).heads[_FEET] for state in states])
    return heads * TO_CAMERA + translations[:, None], states[0].up_cam
