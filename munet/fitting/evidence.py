"""What the photo says about each joint: what is seen, who stands, which knees are straight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.fitting.mask_field import MaskField, make_mask_field
from munet.perception.observation import LANDMARK_NAMES, PersonObservation

Array = NDArray[np.float64]

INDEX = {name: index for index, name in enumerate(LANDMARK_NAMES)}
SEEN = 0.5
"""Visibility from which a landmark counts as seen."""
_HIDDEN = 0.25
"""Square-root weight of a landmark that is hidden inside the photo: the detector's guess beats none."""
_POCKETED = 0.3
"""Share of its square-root weight that a landmark of a hand in a pocket keeps."""

DEPTH_BONES = tuple(
    (INDEX[a], INDEX[b])
    for a, b in (
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("left_wrist", "left_index"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("right_wrist", "right_index"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_heel", "left_foot_index"),
        ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("right_heel", "right_foot_index"),
        ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("left_ear", "right_ear"),
        ("left_ear", "nose"), ("right_ear", "nose"),
    )
)  # fmt: skip
"""Pairs of landmarks whose difference in depth is compared with the detector's 3D."""

_NEEDS: dict[int, tuple[tuple[str, ...], ...]] = {
    0: (("hip",), ("shoulder",)),
    1: (("hip", "knee"),),
    4: (("knee", "ankle"),),
    7: (("ankle", "foot_index"), ("ankle", "heel")),
    10: (),
    16: (("shoulder", "elbow"),),
    18: (("elbow", "wrist"),),
    20: (("wrist", "index"),),
    22: (),
}


@dataclass(frozen=True)
class Evidence:
    """One person's observation, prepared for the fit.

    Attributes:
        pixels: (33, 2) landmarks.
        trust: (33,) square-root weight of each landmark, 0 where it is not seen.
        depths: (len(DEPTH_BONES),) measured depth differences in metres.
        depth_trust: (len(DEPTH_BONES),) square-root weights.
        seen: (24,) joints with evidence.
        guessed: (24,) joints without, whose landmarks the detector guesses inside the photo.
        straight: (2,) how surely the left and right knee are straight, in [0, 1].
        standing: how surely the person stands on both feet, in [0, 1].
        height: rough height of the whole person in pixels.
        field: mask, or None.
        pocketed: (2,) left and right hand are in pockets.
    """

    pixels: Array
    trust: Array
    depths: Array
    depth_trust: Array
    seen: NDArray[np.bool_]
    guessed: NDArray[np.bool_]
    straight: Array
    standing: float
    height: float
    field: MaskField | None
    pocketed: NDArray[np.bool_]


_NOISE = {
    "hip": 2.0, "eye_inner": 1.5, "eye": 1.5, "eye_outer": 1.5, "ear": 1.5, "pinky": 2.0, "index": 2.0, "thumb": 2.0,
    "mouth": 1.5, "heel": 1.3, "foot_index": 1.3,
}  # fmt: skip
"""Noise of a landmark relative to the limb joints: hips hide in clothes, and many head points count as few."""


def inside_photo(observation: PersonObservation) -> NDArray[np.bool_]:
    """Return (33,): the landmark lies in the photo, though it may be hidden there."""
    height, width = observation.mask.shape
    pixels = observation.landmarks_image
    return np.asarray(((pixels >= 0) & (pixels <= [width, height])).all(axis=1), np.bool_)


def landmark_trust(observation: PersonObservation) -> Array:
    """Return square-root weights (33,) from visibility, lower for vague landmarks, little for hidden ones."""
    trust = np.clip((observation.visibility.astype(np.float64) - 0.35) / 0.5, 0, 1)
    trust = np.maximum(trust, np.where(inside_photo(observation), _HIDDEN, 0.0))
    for index, name in enumerate(LANDMARK_NAMES):
        plain = name.removeprefix("left_").removeprefix("right_").removesuffix("_left").removesuffix("_right")
        trust[index] /= _NOISE.get(plain, 1.0)
    return trust


def seen_joints(observation: PersonObservation) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two (24,): joints whose landmarks are seen, and joints that the detector guesses inside the photo."""
    sure = determined_joints(observation.visibility >= SEEN)
    return sure, determined_joints((observation.visibility >= SEEN) | inside_photo(observation)) & ~sure


def determined_joints(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (24,): the known landmarks (33,) fix the joint's rotation."""
    visible = {name: bool(value) for name, value in zip(LANDMARK_NAMES, known, strict=True)}
    seen = np.zeros(24, bool)
    hips = visible["left_hip"] and visible["right_hip"]
    shoulders = visible["left_shoulder"] or visible["right_shoulder"]
    seen[0] = shoulders or hips
    seen[[3, 6, 9]] = shoulders and hips
    head = visible["nose"] or visible["left_ear"] or visible["right_ear"]
    seen[[12, 15]] = head
    for side, offset in (("left", 0), ("right", 1)):
        seen[13 + offset] = visible[f"{side}_shoulder"]
        for joint, choices in _NEEDS.items():
            if joint > 0 and choices:
                seen[joint + offset] = any(all(visible[f"{side}_{name}"] for name in choice) for choice in choices)
        seen[10 + offset] = visible[f"{side}_foot_index"] and seen[7 + offset]
        seen[22 + offset] = seen[20 + offset]
    return seen


def straight_knees(pixels: Array, seen: NDArray[np.bool_]) -> Array:
    """Return (2,): hip, knee and ankle lie on a line and neither half of the leg is foreshortened against the other."""
    out = np.zeros(2)
    for side, name in enumerate(("left", "right")):
        if not (seen[1 + side] and seen[4 + side]):
            continue
        hip, knee, ankle = (pixels[INDEX[f"{name}_{part}"]] for part in ("hip", "knee", "ankle"))
        thigh, shin = knee - hip, ankle - knee
        lengths = np.linalg.norm(thigh), np.linalg.norm(shin)
        if min(lengths) < 1e-6:
            continue
        bend = np.arccos(np.clip(thigh @ shin / (lengths[0] * lengths[1]), -1, 1))
        ratio = abs(np.log(lengths[0] / lengths[1]))
        out[side] = np.clip((np.radians(22) - bend) / np.radians(10), 0, 1) * np.clip((0.45 - ratio) / 0.2, 0, 1)
    return out


def standing_on_feet(pixels: Array, seen: NDArray[np.bool_]) -> float:
    """Return how surely the person stands on both feet: legs seen, knees below hips, ankles well below knees."""
    if not seen[[1, 2, 4, 5]].all():
        return 0.0
    share = 1.0
    for name in ("left", "right"):
        shoulder, hip, knee, ankle = (pixels[INDEX[f"{name}_{p}"]][1] for p in ("shoulder", "hip", "knee", "ankle"))
        trunk = max(hip - shoulder, 1e-6)
        share *= np.clip(((knee - hip) / trunk - 0.25) / 0.2, 0, 1) * np.clip(
            ((ankle - knee) / trunk - 0.35) / 0.2, 0, 1
        )
    ankles = pixels[INDEX["left_ankle"]][1], pixels[INDEX["right_ankle"]][1]
    leg = max(ankles) - min(pixels[INDEX["left_hip"]][1], pixels[INDEX["right_hip"]][1])
    return float(share * np.clip((0.3 - abs(ankles[0] - ankles[1]) / max(leg, 1e-6)) / 0.1, 0, 1))


def gather_evidence(
    observation: PersonObservation, height: float, pocketed: NDArray[np.bool_] | None = None
) -> Evidence:
    """Prepare an observation.

    Args:
        observation: what was seen of the person.
        height: rough height of the whole person in pixels.
        pocketed: (2,) left and right hand are in pockets, so that their landmarks are guesses; None for neither.
    """
    pocketed = np.zeros(2, np.bool_) if pocketed is None else pocketed
    pixels = observation.landmarks_image.astype(np.float64)
    world = observation.landmarks_world.astype(np.float64)
    seen, guessed = seen_joints(observation)
    trust = landmark_trust(observation)
    for side in np.flatnonzero(pocketed):
        trust[[INDEX[f"{('left', 'right')[side]}_{part}"] for part in ("index", "pinky", "thumb")]] *= _POCKETED
    first, second = np.array(DEPTH_BONES).T
    standing = standing_on_feet(pixels, seen)
    return Evidence(
        pixels=pixels,
        trust=trust,
        depths=world[second, 2] - world[first, 2],
        depth_trust=np.minimum(trust[first], trust[second]),
        seen=seen,
        guessed=guessed,
        straight=straight_knees(pixels, seen),
        standing=standing,
        height=height,
        field=make_mask_field(observation.mask, observation.box, 0.15 * height),
        pocketed=pocketed,
    )
