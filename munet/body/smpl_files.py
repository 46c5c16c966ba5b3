"""SMPL, SMPL-H and SMPL-X files that the user has licensed, as the project's body model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from munet.body.model import FINGER_JOINT_NAMES, SMPL_JOINT_NAMES, SMPL_PARENTS, BodyModel, PoseDirs
from munet.body.smpl_reader import ORDERS, Array, read_smpl_file
from munet.body.transfer import bone_ends, transfer_landmarks, transfer_uv

BETAS = 10

_EXTRA_NAMES = ("jaw", "left_eye", "right_eye")
_PALMS = {22: (20, 27), 23: (21, 42)}
_PALM_SHARE = 0.75


def load_smpl_file(path: Path, default: BodyModel) -> BodyModel:
    """Read a body model file in the official format.

    Args:
        path: .npz or .pkl (chumpy arrays need no chumpy) of SMPL, SMPL-H or SMPL-X.
        default: the default body, from which the photo landmarks are transferred (its landmark vertices are carried
            to the joints of the file's template and replaced by the nearest vertices there) and, where the file has
            none, the texture coordinates.

    Raises:
        BodyFileError: the file is missing, damaged, of another format, or holds anything but arrays.
    """
    file = read_smpl_file(path)
    return _build(file.arrays, file.name, file.sha256, default)


def _build(arrays: dict[str, Array], name: str, sha256: str, default: BodyModel) -> BodyModel:
    _, order = ORDERS[arrays["weights"].shape[1]]
    template = _real(arrays["v_template"])
    shape_dirs = torch.zeros(*template.shape, BETAS)
    known = min(BETAS, arrays["shapedirs"].shape[2])
    shape_dirs[..., :known] = _real(arrays["shapedirs"][..., :known])
    regressor = _joint_rows(arrays["J_regressor"], order)
    joint_template = _real(regressor @ arrays["v_template"])
    joint_shape_dirs = torch.zeros(len(order), 3, BETAS)
    joint_shape_dirs[..., :known] = _real(np.einsum("jv,vkn->jkn", regressor, arrays["shapedirs"][..., :known]))
    weights = torch.zeros(len(template), len(order))
    for new, old in enumerate(order):
        if old is not None:
            weights[:, new] = _real(arrays["weights"][:, old])
    parents = torch.tensor(_parents(order))
    faces = torch.from_numpy(arrays["f"].astype(np.int64))
    tails = bone_ends(parents, joint_template, joint_shape_dirs, template, shape_dirs, weights)
    uv = _file_uv(arrays, len(faces))
    if uv is None:
        uv = transfer_uv(default, template, joint_template, weights, faces)
    return BodyModel(
        name=name,
        sha256=sha256,
        template=template,
        shape_dirs=shape_dirs,
        pose_dirs=PoseDirs(None, _pose_dirs(arrays["posedirs"], order)),
        joint_template=joint_template,
        joint_shape_dirs=joint_shape_dirs,
        tail_template=tails[0],
        tail_shape_dirs=tails[1],
        weights=weights,
        parents=parents,
        joint_names=(SMPL_JOINT_NAMES + FINGER_JOINT_NAMES + _EXTRA_NAMES)[: len(order)],
        faces=faces,
        quads=torch.zeros(0, 4, dtype=torch.int64),
        uv=uv,
        parts=_parts(weights),
        landmarks=transfer_landmarks(default, template, joint_template),
        graph=None,
    )


def _real(values: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _joint_rows(regressor: Array, order: tuple[int | None, ...]) -> Array:
    return np.stack([_palm(regressor, order, new) if old is None else regressor[old] for new, old in enumerate(order)])


def _palm(regressor: Array, order: tuple[int | None, ...], joint: int) -> Array:
    wrist, finger = (regressor[order[end]] for end in _PALMS[joint])
    result: Array = (1 - _PALM_SHARE) * wrist + _PALM_SHARE * finger
    return result


def _pose_dirs(values: Array, order: tuple[int | None, ...]) -> Tensor:
    blocks = values.reshape(*values.shape[:2], -1, 9)
    result = np.zeros((*values.shape[:2], len(order) - 1, 9), np.float32)
    for new, old in enumerate(order):
        if new and old is not None:
            result[:, :, new - 1] = blocks[:, :, old - 1]
    return torch.from_numpy(result.reshape(*values.shape[:2], -1))


def _parents(order: tuple[int | None, ...]) -> list[int]:
    parents = list(SMPL_PARENTS)
    for first in range(24, min(len(order), 54), 3):
        parents += [22 if first < 39 else 23, first, first + 1]
    return parents + [15] * (len(order) - len(parents))


def _parts(weights: Tensor) -> Tensor:
    parts = torch.zeros(len(weights), dtype=torch.int8)
    if weights.shape[1] == 57:
        parts[weights[:, 55] > 0.5] = 1
        parts[weights[:, 56] > 0.5] = 2
    return parts


def _file_uv(arrays: dict[str, Any], faces: int) -> Tensor | None:
    if "vt" not in arrays or "ft" not in arrays or len(arrays["ft"]) != faces:
        return None
    return _real(arrays["vt"][arrays["ft"].astype(np.int64)])
