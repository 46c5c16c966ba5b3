"""Reading licensed SMPL, SMPL-H and SMPL-X files into plain arrays; without torch."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from munet.body.safe_pickle import as_array, read_pickle
from munet.errors import BodyFileError

Array = NDArray[np.float64]

NEEDED = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")

# Joint numbers of each kind of file in the order of the body model; None is SMPL's hand joint, which the two richer
# kinds lack: it lies in the palm between wrist and middle finger and has no weight.
_FACE = (22, 23, 24)
ORDERS: dict[int, tuple[str, tuple[int | None, ...]]] = {
    24: ("SMPL", tuple(range(24))),
    52: ("SMPL-H", (*range(22), None, None, *range(22, 52))),
    55: ("SMPL-X", (*range(22), None, None, *range(25, 55), *_FACE)),
}


@dataclass(frozen=True)
class SmplFile:
    """The checked contents of a file.

    Attributes:
        name: of the file.
        sha256: of its bytes.
        arrays: by the names of the official format.
    """

    name: str
    sha256: str
    arrays: dict[str, Array]


def read_smpl_file(path: Path) -> SmplFile:
    """Read and check a file.

    Raises:
        BodyFileError: the file is missing, damaged, of another format, or holds anything but arrays.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BodyFileError("The body file can not be read.", detail=f"{path.name}: {error}") from error
    arrays = _read_arrays(data, path.suffix.lower(), path.name)
    _check(arrays, path.name)
    return SmplFile(path.name, hashlib.sha256(data).hexdigest(), arrays)


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
