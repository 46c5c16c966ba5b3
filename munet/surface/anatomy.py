"""What each vertex of the body may do: how far cloth or hair may stand off it, what is locked, whose limb it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.surface.operators import Floats, Ints

SMPL_JOINTS = 24
FINGERS_OF_A_HAND = 15
LEFT_WRIST, RIGHT_WRIST = 20, 21
HEAD, NECK = 15, 12
FEET = (7, 8, 10, 11)

# Farthest that clothes or hair plausibly stand off the skin at each SMPL joint, metres; in between along the bones.
OUTWARD_METRES = np.array(
    [
        0.12, 0.14, 0.14, 0.12, 0.13, 0.13, 0.11, 0.07, 0.07, 0.10, 0.03, 0.03,
        0.05, 0.08, 0.08, 0.14, 0.08, 0.08, 0.07, 0.07, 0.025, 0.025, 0.0, 0.0,
    ]
)  # fmt: skip
# Where the fitted body is fatter than the photo the surface may go under the skin, but only this far.
INWARD_METRES = 0.010
# Clothes are assumed to stand off the skin this far where the photo does not tell.
EASE_METRES = np.array(
    [6, 6, 6, 6, 4, 4, 6, 2, 2, 6, 0, 0, 1, 4, 4, 0, 3, 3, 1, 1, 0, 0, 0, 0]
) / 1000  # fmt: skip
# Farthest from the skin where a limb leaves the photo: an outline there may belong to a sleeve or to what is cut off.
CUT_OFF_METRES = 0.04
# Cloth lies on the shoulders: what stands up higher there is hair or a shoulder that the fit has too low.
RESTING_METRES = 0.035
# The forearm is taken to be in the pocket from this share of its length on.
POCKET_SHARE = 0.5
HAND_SHARE = 0.5
# An unseen limb is hidden by something when more than this share of it lies outside the mask.
HIDDEN_SHARE = 0.2
# What is hidden begins at this share of the bone before.
HIDDEN_FROM = 0.3
# What is so near to the middle of an ear belongs to it, unless neck or face move it or hold it.
EAR_METRES = 0.045
HEAD_SHARE, UNLOCKED = 0.8, 0.02
# Bones along which a registration shift is interpolated from the joint to the next one.
LONG_BONES = {1: 4, 2: 5, 4: 7, 5: 8, 16: 18, 17: 19, 18: 20, 19: 21}
SHOULDER_JOINTS = (9, 13, 14, 16, 17)
# Joints of the trunk and the thighs, thick enough to be smoothed strongly.
TRUNK_JOINTS = (0, 1, 2, 3, 6, 9, 13, 14)
LIMBS = {"torso": (0, 3, 6, 9, 12, 13, 14), "head": (15,), "left_leg": (1, 4, 7, 10), "right_leg": (2, 5, 8, 11),
         "left_arm": (16, 18, 20, 22), "right_arm": (17, 19, 21, 23)}  # fmt: skip
# The limbs in pieces between two hinges, hands with the forearms.
PARTS = {"torso": (0, 3, 6, 9, 12, 13, 14), "head": (15,),
         "left_upper_arm": (16,), "right_upper_arm": (17,), "left_forearm": (18, 20, 22), "right_forearm": (19, 21, 23),
         "left_thigh": (1,), "right_thigh": (2,), "left_shin": (4,), "right_shin": (5,),
         "left_foot": (7, 10), "right_foot": (8, 11)}  # fmt: skip


@dataclass(frozen=True)
class Anatomy:
    """Per-vertex facts of the body that dressing needs. V: vertices.

    Attributes:
        outward: (V,) metres, largest offset outward.
        inward: (V,) metres, largest offset inward.
        ease: (V,) metres, offset where the photo does not tell.
        locked: (V,) in [0, 1]: 1 keeps the body's own surface (face, hands, eyes).
        feet: (V,) in [0, 1]: belongs to a foot.
        limb: (V,) int64 index into ``LIMBS``, -1 for what meets no other limb.
        part: (V,) int64 index into ``PARTS``, -1 for what meets no other part.
        cuffs: (V, 2) in [0, 1]: left and right hand, growing from 0 at the elbow to 1 at the wrist.
        folded: (V, 24) weights, fingers folded into the hands.
        along: (V, 24) the same, from joint to joint linear along the long bones.
        hands: (V,) bool: hands whose outline may be seen.
        ears: (V,) bool: ears and what is next to them, the face left out.
        hidden: (V,) bool: belongs to a limb that something hides, or the photo's border: the mask ends there too early.
    """

    outward: Floats
    inward: Floats
    ease: Floats
    locked: Floats
    feet: Floats
    limb: Ints
    part: Ints
    cuffs: Floats
    folded: Floats
    along: Floats
    hands: NDArray[np.bool_]
    ears: NDArray[np.bool_]
    hidden: NDArray[np.bool_]

    @property
    def bystanders(self) -> NDArray[np.bool_]:
        """Which vertices (V,) belong to the trunk or a leg."""
        return np.isin(self.limb, [list(LIMBS).index(name) for name in ("torso", "left_leg", "right_leg")])


def fold_fingers(weights: Floats) -> Floats:
    """Sum weights (V, J) of fingers and hands into the wrists, of SMPL-X's jaw and eyes into the head: (V, 24)."""
    folded = weights[:, :SMPL_JOINTS].copy()
    left, right, face = np.split(weights[:, SMPL_JOINTS:], [FINGERS_OF_A_HAND, 2 * FINGERS_OF_A_HAND], 1)
    folded[:, LEFT_WRIST] += folded[:, 22] + left.sum(1)
    folded[:, RIGHT_WRIST] += folded[:, 23] + right.sum(1)
    folded[:, HEAD] += face.sum(1)
    folded[:, 22:24] = 0
    return folded


def describe(
    weights: Floats, template: Floats, normals: Floats, joints: Floats, landmarks: Floats, parts: NDArray[np.int8]
) -> Anatomy:
    """Derive the anatomy of a body.

    Args:
        weights: (V, J) skinning weights.
        template: (V, 3) T-pose, body frame.
        normals: (V, 3) unit, of the template.
        joints: (J, 3) of the template.
        landmarks: (33, 3) of the template.
        parts: (V,) 0 for skin, otherwise eyes.
    """
    folded = fold_fingers(weights)
    hands = folded[:, LEFT_WRIST] + folded[:, RIGHT_WRIST]
    face = face_region(template, landmarks) * (folded[:, HEAD] + folded[:, NECK] > 0.3)
    locked = np.maximum.reduce([_ramp(hands, 0.35, 0.75), face, (parts > 0).astype(np.float64)])
    along = bone_interpolation(folded, template, joints)
    upward = _ramp(normals[:, 1], 0.3, 0.7) * along[:, list(SHOULDER_JOINTS)].sum(1)
    outward = (1 - upward) * (along @ OUTWARD_METRES) + upward * RESTING_METRES
    ears = np.linalg.norm(template[:, None] - landmarks[7:9], axis=2).min(1) < EAR_METRES
    return Anatomy(
        outward=outward * (1 - locked),
        inward=np.full(len(template), INWARD_METRES) * (1 - locked),
        ease=(folded @ EASE_METRES) * (1 - locked),
        locked=locked,
        feet=folded[:, list(FEET)].sum(1),
        limb=_owners(folded, LIMBS),
        part=_owners(folded, PARTS),
        cuffs=along[:, [LEFT_WRIST, RIGHT_WRIST]],
        folded=folded,
        along=along,
        hands=hands > HAND_SHARE,
        ears=ears & (folded[:, HEAD] > HEAD_SHARE) & (locked < UNLOCKED),
        hidden=np.zeros(len(template), np.bool_),
    )


def with_pockets(anatomy: Anatomy, pocketed: NDArray[np.bool_]) -> Anatomy:
    """The anatomy of somebody whose left or right hand (2,) is in a pocket: hand and cuff may be inside the clothes."""
    inside = (anatomy.cuffs[:, pocketed] > POCKET_SHARE).any(1)
    limb, part = (np.where(inside, -1, owner) for owner in (anatomy.limb, anatomy.part))
    return replace(anatomy, limb=limb, part=part, hands=anatomy.hands & ~inside)


def without_contacts(anatomy: Anatomy, chosen: NDArray[np.bool_]) -> Anatomy:
    """The anatomy with vertices (V,) that may touch every part."""
    return replace(anatomy, part=np.where(chosen, -1, anatomy.part))


def with_cut_off_limbs(anatomy: Anatomy, seen: NDArray[np.bool_]) -> Anatomy:
    """The anatomy of somebody whose joints (24,) are not all seen: nothing stands far off a limb that leaves the photo.

    A bone counts as leaving when the joint at its end is not seen; the pelvis when both thighs leave.
    """
    leaves = ~seen
    for joint, child in LONG_BONES.items():
        leaves[joint] |= ~seen[child]
    leaves[0] |= leaves[1] and leaves[2]
    limit = np.where(leaves, CUT_OFF_METRES, np.inf)
    farthest = np.minimum(OUTWARD_METRES, limit)
    share = anatomy.folded @ (farthest / np.maximum(OUTWARD_METRES, 1e-9))
    return replace(anatomy, outward=anatomy.outward * share)


def with_hidden_limbs(anatomy: Anatomy, lost: Floats) -> Anatomy:
    """The anatomy of somebody whose bones are lost to these shares (24,): unseen, and outside the mask."""
    limbs = [joint for joint in LONG_BONES if lost[joint] > HIDDEN_SHARE]
    share = np.maximum(anatomy.folded[:, limbs].sum(1), anatomy.along[:, limbs].sum(1))
    return replace(anatomy, hidden=share > HIDDEN_FROM)


def dressable(anatomy: Anatomy) -> Floats:
    """Where (V,) in [0, 1] clothes hang whose thickness can be expected: not on head, neck, hands and feet."""
    folded = anatomy.folded
    bare = folded[:, [HEAD, NECK]].sum(1) + folded[:, [LEFT_WRIST, RIGHT_WRIST]].sum(1) + anatomy.feet
    return (1 - _ramp(bare, 0.0, 0.6)) * (1 - anatomy.locked)


def _owners(folded: Floats, groups: dict[str, tuple[int, ...]]) -> Ints:
    """The group of joints (V,) that moves each vertex most."""
    shares = np.stack([folded[:, list(joints)].sum(1) for joints in groups.values()], 1)
    owner: Ints = shares.argmax(1)
    return owner


def face_region(template: Floats, landmarks: Floats) -> Floats:
    """Face (V,) in [0, 1]: from the chin to the hairline; the jaw up to the ears, the upper face in front of them.

    Args:
        template: (V, 3) T-pose, body frame (y up, facing +z).
        landmarks: (33, 3) of the template in the order of ``LANDMARK_NAMES``.
    """
    nose, ears, mouth = landmarks[0], landmarks[7:9].mean(0), landmarks[9:11].mean(0)
    eyes = landmarks[[2, 5]].mean(0)
    brow, depth = eyes[1] - mouth[1], nose[2] - ears[2]
    forward, height = (template[:, 2] - ears[2]) / depth, (template[:, 1] - eyes[1]) / brow
    # Hair frames the temples, the jaw is bare up to the ears.
    edge = 0.02 + 0.23 * _ramp(height, -1.1, -0.6)
    front = _ramp(forward - edge, 0.0, 0.3)
    return front * _ramp(-height, -0.95, -0.6) * _ramp(height, -2.5, -1.9)


def bone_interpolation(folded: Floats, points: Floats, joints: Floats) -> Floats:
    """Weights (V, 24) with which shifts of the joints move the vertices, linear along the long bones.

    Args:
        folded: (V, 24) skinning weights without fingers.
        points: (V, 3) posed vertices.
        joints: (24+, 3) posed joints in the same frame.
    """
    result = folded.copy()
    for joint, child in LONG_BONES.items():
        bone = joints[child] - joints[joint]
        along = np.clip((points - joints[joint]) @ bone / max(float(bone @ bone), 1e-9), 0, 1)
        moved = folded[:, joint] * along
        result[:, joint] -= moved
        result[:, child] += moved
    return result


def _ramp(values: Floats, start: float, end: float) -> Floats:
    """Smooth step from 0 at ``start`` to 1 at ``end``."""
    x = np.clip((values - start) / (end - start), 0, 1)
    return x * x * (3 - 2 * x)
