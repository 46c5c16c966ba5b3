"""One reconstructed person, checked, as the importer wants it. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import bad_result
from .pictures import check_pictures

Array = NDArray[Any]

_SHAPES: dict[str, tuple[int | str, ...]] = {
    "joints": (24, 3),
    "pose": (24, 3),
    "betas": ("B",),
    "translation": (3,),
    "camera_matrix": (3, 3),
    "image_size": (2,),
    "body_vertices": ("V", 3),
    "body_faces": ("F", 3),
    "body_rest_vertices": ("V", 3),
    "body_corrective": ("V", 3),
    "body_weights": ("V", "J"),
    "body_shape_dirs": ("V", 3, "B"),
    "body_quads": ("Q", 4),
    "body_uv": ("F", 3, 2),
    "surface_vertices": ("S", 3),
    "surface_faces": ("G", 3),
    "surface_rest_vertices": ("S", 3),
    "surface_weights": ("S", "J"),
    "surface_quads": ("P", 4),
    "surface_uv": ("G", 3, 2),
    "bone_names": ("J",),
    "bone_parents": ("J",),
    "bone_heads": ("J", 3),
    "bone_tails": ("J", 3),
    "bone_rotations": ("J", 3),
    "joint_shape_dirs": ("J", 3, "B"),
}
_OPTIONAL: dict[str, tuple[int | str, ...]] = {
    "texture": ("H", "W", 3),
    "texture_png": ("A",),
    "normal_map_png": ("C",),
    "box": (4,),
    "up_cam": (3,),
    "pose_dirs_vertices": ("N",),
    "pose_dirs_bones": ("N",),
    "pose_dirs": ("N", 3, 9),
    "normal_map": ("M", "M", 3),
    "pose_sequence": ("T", 24, 3),
    "translation_sequence": ("T", 3),
    "confidence_sequence": ("T",),
    "frame_sequence": ("T",),
}
_LEVEL = np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True)
class Skin:
    """A skinned mesh. V vertices, F triangles, Q quads, J bones.

    Attributes:
        vertices_cam: (V, 3) posed, camera frame.
        rest_vertices_body: (V, 3) T-pose, body frame.
        weights: (V, J) skinning weights.
        faces: (F, 3) triangles.
        quads: (Q, 4) quads; quad q covers the triangles 2q and 2q + 1; may be empty.
        uv: (F, 3, 2) per triangle corner, origin bottom left.
    """

    vertices_cam: Array
    rest_vertices_body: Array
    weights: Array
    faces: Array
    quads: Array
    uv: Array


@dataclass(frozen=True)
class Character:
    """One person as the backend sends it (see docs/result-format.md), checked.

    Attributes:
        body: the naked body.
        surface: the clothed surface.
        arrays: every array of the result by its name in the contract.
        facts: everything that is not an array.
    """

    body: Skin
    surface: Skin
    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]

    @property
    def bone_names(self) -> list[str]:
        """SMPL names of the bones, in order."""
        return [str(name) for name in self.arrays["bone_names"]]

    @property
    def up_cam(self) -> Array:
        """Unit vector (3,) against gravity in the camera frame."""
        up = np.asarray(self.arrays.get("up_cam", _LEVEL), dtype=np.float64)
        length = float(np.linalg.norm(up))
        return up / length if length > 1e-6 else _LEVEL

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the upright photo in pixels."""
        width, height = self.arrays["image_size"]
        return int(width), int(height)


def _check_shapes(arrays: Mapping[str, Array]) -> None:
    sizes: dict[str, int] = {}
    for name, shape in {**_SHAPES, **_OPTIONAL}.items():
        if name in _OPTIONAL and name not in arrays:
            continue
        if name not in arrays:
            raise bad_result(f"The array {name} is missing.")
        found = arrays[name].shape
        expected = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in shape)
        fits = len(found) == len(expected) and all(
            isinstance(e, str) or e == f for e, f in zip(expected, found, strict=True)
        )
        if not fits:
            raise bad_result(f"{name}: expected shape {expected}, found {found}.")
        sizes.update({size: f for size, f in zip(shape, found, strict=True) if isinstance(size, str)})


def _check_values(arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise bad_result(f"{name} holds values that are not finite.")
    for prefix in ("body", "surface"):
        count = len(arrays[f"{prefix}_vertices"])
        for kind in ("faces", "quads"):
            index = arrays[f"{prefix}_{kind}"]
            if index.size and not 0 <= index.min() <= index.max() < count:
                found = f"{index.min()}..{index.max()}"
                raise bad_result(f"{prefix}_{kind}: expected indices below {count}, found {found}.")
        if 2 * len(arrays[f"{prefix}_quads"]) > len(arrays[f"{prefix}_faces"]):
            raise bad_result(f"{prefix}_quads: expected two triangles for every quad.")
    parents = arrays["bone_parents"]
    if len(parents) < 24 or parents[0] != -1 or not all(0 <= p < i for i, p in enumerate(parents[1:].tolist(), 1)):
        raise bad_result("bone_parents: expected one root, first, and every parent before its children.")


def _check_correctives(arrays: Mapping[str, Array]) -> None:
    if len({name in arrays for name in _OPTIONAL if name.startswith("pose_dirs")}) > 1:
        raise bad_result("pose_dirs: expected all three of its arrays or none.")
    for kind, known in (("vertices", "body_vertices"), ("bones", "bone_parents")):
        index, count = arrays.get(f"pose_dirs_{kind}"), len(arrays[known])
        if index is not None and index.size and not 0 <= index.min() <= index.max() < count:
            found = f"{index.min()}..{index.max()}"
            raise bad_result(f"pose_dirs_{kind}: expected indices below {count}, found {found}.")


def _skin(arrays: Mapping[str, Array], prefix: str) -> Skin:
    return Skin(
        vertices_cam=arrays[f"{prefix}_vertices"],
        rest_vertices_body=arrays[f"{prefix}_rest_vertices"],
        weights=arrays[f"{prefix}_weights"],
        faces=arrays[f"{prefix}_faces"],
        quads=arrays[f"{prefix}_quads"],
        uv=arrays[f"{prefix}_uv"],
    )


def read_character(arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> Character:
    """Check the arrays and facts of one person.

    Raises:
        AddonError: BAD_RESULT if an array is missing, has another shape or holds impossible values.
    """
    _check_shapes(arrays)
    _check_values(arrays)
    _check_correctives(arrays)
    try:
        check_pictures(arrays)
    except ValueError as error:
        raise bad_result(str(error)) from error
    return Character(_skin(arrays, "body"), _skin(arrays, "surface"), dict(arrays), dict(facts))


def load_character(path: Path) -> Character:
    """Read a ``person_*.npz``; executes no code from the file.

    Raises:
        AddonError: BAD_RESULT if the file is not such a result.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            stored = {name: data[name] for name in data.files}
    except (OSError, ValueError) as error:
        raise bad_result(f"{path.name}: {error}") from error
    known = {**_SHAPES, **_OPTIONAL}
    facts = {name: value.tolist() for name, value in stored.items() if name not in known}
    return read_character({name: value for name, value in stored.items() if name in known}, facts)
