"""SMPL, SMPL-H and SMPL-X files that the user has licensed, as the project's body model."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.model import FINGER_JOINT_NAMES, SMPL_JOINT_NAMES, SMPL_PARENTS, BodyModel, PoseDirs
from munet.body.safe_pickle import as_array, read_pickle
from munet.body.transfer import bone_ends, transfer_landmarks, transfer_uv
from munet.errors import BodyFileError

Array = NDArray[np.float64]

BETAS = 10
NEEDED = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")

# Joint numbers of each kind of file in the order of the body model; None is SMPL's hand joint, which the two richer
# kinds lack: it lies in the palm between wrist and middle finger and has no weight.
_FACE = (22, 23, 24)
ORDERS: dict[int, tuple[str, tuple[int | None, ...]]] = {
    24: ("SMPL", tuple(range(24))),
    52: ("SMPL-H", (*range(22), None, None, *range(22, 52))),
    55: ("SMPL-X", (*range(22), None, None, *range(25, 55), *_FACE)),
}
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
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BodyFileError("The body file can not be read.", detail=f"{path.name}: {error}") from error
    arrays = _read_arrays(data, path.suffix.lower(), path.name)
    _check(arrays, path.name)
    return _build(arrays, path.name, hashlib.sha256(data).hexdigest(), default)


def _read_arrays(data: bytes, suffix: str, name: str) -> dict[str, Array]:
    if suffix == ".npz":
        return _read_npz(data, name)
    if suffix == ".pkl":
        content = read_pickle(io.BytesIO(data))
        if not isinstance(content, dict):
            raise BodyFileError("The body file is not in the SMPL format.", detail=f"{name} holds no dictionary")
        return {key: as_array(content[key], key) for key in (*NEEDED, "vt", "ft") if key in content}
    raise BodyFileError("The body file has an unknown ending.", detail=f"expected .npz or .pkl, found {name}")


def _read_npz(data: bytes, name: str) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
            wanted = [key for key in (*NEEDED, "vt", "ft") if f"{key}.npy" in members]
            return {key: _read_npy(archive.read(f"{key}.npy"), key) for key in wanted}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise BodyFileError("The body file is damaged.", detail=f"{name}: {error}") from error


def _read_npy(data: bytes, key: str) -> Array:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, dtype = reader(stream)
    if not dtype.hasobject:
        return as_array(np.load(io.BytesIO(data), allow_pickle=False), key)
    held = read_pickle(stream)
    if isinstance(held, np.ndarray) and held.dtype.hasobject and held.size == 1:
        held = held.reshape(-1)[0]
    return as_array(held, key)


def _check(arrays: dict[str, Array], name: str) -> None:
    missing = [key for key in NEEDED if key not in arrays]
    if missing:
        raise BodyFileError("The body file is not in the SMPL format.", detail=f"{name} lacks {', '.join(missing)}")
    vertices, joints = len(arrays["v_template"]), arrays["kintree_table"].shape[-1]
    if joints not in ORDERS:
        raise BodyFileError("The body file has an unknown skeleton.", detail=f"expected 24, 52 or 55, found {joints}")
    expected: dict[str, tuple[int, ...]] = {
        "v_template": (vertices, 3),
        "weights": (vertices, joints),
        "J_regressor": (joints, vertices),
        "posedirs": (vertices, 3, (joints - 1) * 9),
        "kintree_table": (2, joints),
    }
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise BodyFileError("The body file is damaged.", detail=f"{key}: expected {shape}, {arrays[key].shape}")
    shapes, faces = arrays["shapedirs"], arrays["f"]
    if shapes.ndim != 3 or shapes.shape[:2] != (vertices, 3) or faces.ndim != 2 or faces.shape[1] != 3:
        raise BodyFileError("The body file is damaged.", detail=f"shapedirs {shapes.shape}, f {faces.shape}")
    if faces.min() < 0 or faces.max() >= vertices:
        raise BodyFileError("The body file is damaged.", detail="a face names a vertex that is not there")


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
