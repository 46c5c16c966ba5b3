"""Names of joints, and which joints of two definitions can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from munet.body.model import SMPL_JOINT_NAMES
from munet.errors import InvalidInputError
from munet.evaluation.alignment import Array

# Order of the 17 joints that J_regressor_h36m.npy gives (GraphCMR, SPIN).
H36M_JOINTS = (
    "pelvis", "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle", "spine", "neck", "jaw",
    "head", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
)  # fmt: skip

LIMB_JOINTS = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow",
    "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip

# The 14 joints common to LSP and Human3.6M on which 3DPW and Human3.6M are reported, and the 17 of MPI-INF-3DHP.
LSP_JOINTS = (*LIMB_JOINTS, "neck", "head")
ALL_H36M_JOINTS = (*LSP_JOINTS, "pelvis", "spine", "jaw")
SMPL_JOINTS = SMPL_JOINT_NAMES


@dataclass(frozen=True)
class JointSet:
    """Which joints a number counts.

    Attributes:
        name: for the report.
        counted: names of the joints whose errors are averaged.
        note: what a reader must know about their definition.
    """

    name: str
    counted: tuple[str, ...]
    note: str


def pick(names: tuple[str, ...], positions: Array, wanted: tuple[str, ...]) -> Array:
    """Return the rows of ``positions`` (J, ...) named ``wanted``.

    Raises:
        InvalidInputError: a wanted joint is not there.
    """
    missing = [name for name in wanted if name not in names]
    if missing or len(positions) != len(names):
        raise InvalidInputError(
            "The joints do not fit the protocol.",
            detail=f"{len(positions)} positions for {len(names)} names; missing: {', '.join(missing) or 'none'}",
        )
    chosen: Array = np.asarray(positions)[[names.index(name) for name in wanted]]
    return chosen
