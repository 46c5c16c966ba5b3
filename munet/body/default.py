"""The body that comes with the project."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.graph import GraphLevel
from munet.body.model import BodyModel, PoseDirs
from munet.errors import BodyFileError

DEFAULT_BODY_FILE = Path(__file__).resolve().parent.parent / "assets" / "default_body.npz"

FORMAT = "munet-body-1"


def load_default_body(device: torch.device | str = "cpu", path: Path = DEFAULT_BODY_FILE) -> BodyModel:
    """Read the default body (made by scripts/make_default_body.py).

    Args:
        device: where the tensors go.
        path: the file; the project's own unless given.

    Raises:
        BodyFileError: the file is missing, damaged or of another format.
    """
    try:
        data = path.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays: dict[str, NDArray[Any]] = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        hint = f"Install MuNet again; the file munet/assets/{path.name} belongs to it."
        raise BodyFileError("The default body can not be read.", detail=f"{path.name}: {error}.", hint=hint) from error
    found = str(arrays.get("format", ""))
    if found != FORMAT:
        raise BodyFileError("The default body has another format.", detail=f"expected {FORMAT}, found {found!r}")
    return body_from_arrays(arrays, path.name, hashlib.sha256(data).hexdigest()).to(device)


def body_from_arrays(arrays: dict[str, NDArray[Any]], name: str, sha256: str) -> BodyModel:
    """Build the model from the file's arrays (format in docs/body-model.md)."""

    def real(key: str) -> Tensor:
        return torch.from_numpy(arrays[key].astype(np.float32))

    def whole(key: str) -> Tensor:
        return torch.from_numpy(arrays[key].astype(np.int64))

    count, joints = len(arrays["template"]), len(arrays["parents"])
    weights = torch.zeros(count, joints).scatter_add_(1, whole("weight_joints"), _normalised(real("weight_values")))
    quads = whole("quads")
    faces = torch.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)
    corners = real("uv")[whole("quads_uv")]
    uv = torch.stack([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]], 1).reshape(-1, 3, 2)
    return BodyModel(
        name=name,
        sha256=sha256,
        template=real("template"),
        shape_dirs=real("shape_dirs") * real("shape_scale"),
        pose_dirs=_pose_dirs(arrays),
        joint_template=real("joint_template"),
        joint_shape_dirs=real("joint_shape_dirs"),
        tail_template=real("tail_template"),
        tail_shape_dirs=real("tail_shape_dirs"),
        weights=weights,
        parents=whole("parents"),
        joint_names=tuple(str(n) for n in arrays["joint_names"]),
        faces=faces,
        quads=quads,
        uv=uv,
        parts=torch.from_numpy(arrays["parts"].astype(np.int8)),
        landmarks=_sparse(arrays, "landmarks"),
        graph=GraphLevel(whole("graph_faces"), _sparse(arrays, "graph_down"), _sparse(arrays, "graph_up")),
    )


def _normalised(values: Tensor) -> Tensor:
    return values / values.sum(1, keepdim=True)


def _pose_dirs(arrays: dict[str, NDArray[Any]]) -> PoseDirs:
    joints = torch.from_numpy(arrays["pose_joints"].astype(np.int64))
    return PoseDirs(joints, torch.from_numpy(arrays["pose_dirs"].astype(np.float32)))


def _sparse(arrays: dict[str, NDArray[Any]], key: str) -> Tensor:
    """Rows with a fixed number of entries, (R, S) columns and values, to a sparse matrix with rows that sum to 1."""
    columns = torch.from_numpy(arrays[f"{key}_columns"].astype(np.int64))
    values = _normalised(torch.from_numpy(arrays[f"{key}_values"].astype(np.float32)))
    rows = torch.arange(len(columns))[:, None].expand_as(columns)
    used = values.reshape(-1) != 0
    index = torch.stack([rows.reshape(-1), columns.reshape(-1)])[:, used]
    width = int(arrays[f"{key}_width"])
    matrix = torch.sparse_coo_tensor(index, values.reshape(-1)[used], (len(columns), width), check_invariants=True)
    return matrix.coalesce()
