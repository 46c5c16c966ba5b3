"""The result of the product: one person as plain arrays, on disk and on the wire.

The keys and shapes are a stable contract, written down in docs/result-format.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from munet.notes import recalled, told

Array = NDArray[Any]


@dataclass(frozen=True)
class Reconstruction:
    """One reconstructed person. V, F: body; S, G: clothed surface; J: bones (24 SMPL joints, then the fingers).

    Attributes:
        joints: (24, 3) float32 posed joints in SMPL order, camera frame, metres.
        pose: (24, 3) float32 local axis-angle, SMPL convention, root first.
        betas: (10,) float32 identity.
        translation: (3,) float32 of the body in the camera frame.
        camera_matrix: (3, 3) float32, pixels of the original photo.
        image_size: (2,) int32 width and height of the original photo, upright.
        body_vertices: (V, 3) float32 posed, camera frame.
        body_faces: (F, 3) int32.
        body_rest_vertices: (V, 3) float32 T-pose of this person, body frame.
        body_corrective: (V, 3) float32 pose corrective of this pose: skinning
            ``body_rest_vertices + body_corrective`` gives ``body_vertices``.
        body_weights: (V, J) float32 skinning weights, at most 4 a vertex.
        body_shape_dirs: (V, 3, 10) float16 change of the rest vertices per unit of beta.
        body_quads: (Q, 4) int32 the same body in quads (quad q = faces 2q, 2q + 1); may be empty.
        body_uv: (F, 3, 2) float32 per face corner, origin bottom left.
        surface_vertices, surface_faces, surface_rest_vertices, surface_weights, surface_quads, surface_uv:
            the same for the clothed surface; skinning ``surface_rest_vertices`` gives ``surface_vertices``.
        texture: (H, W, 3) uint8 sRGB, first row at the top (v = 1).
        bone_names: (J,) str.
        bone_parents: (J,) int32, -1 for the root.
        bone_heads: (J, 3) float32 rest joints of this person, body frame.
        bone_tails: (J, 3) float32 rest bone ends, body frame.
        bone_rotations: (J, 3) float32 local axis-angle; the first 24 equal ``pose``.
        joint_shape_dirs: (J, 3, 10) float16 change of the rest joints per unit of beta.
        body_model: name and SHA-256 of the body file.
        warnings: sentences for the user, which may be :class:`munet.notes.Note`.
        silhouette_iou: of the clothed surface with the mask.
        landmark_error: share of the person's height.
        box: (4,) float32 left, top, right, bottom in pixels of the original photo.
        up_cam: (3,) float32 unit vector against gravity in the camera frame; (0, -1, 0) for a level camera.
        pose_dirs_vertices: (N,) int32 vertex of the body that each of the N pose correctives moves; may be empty.
        pose_dirs_bones: (N,) int32 bone whose rotation moves it.
        pose_dirs: (N, 3, 9) float16 metres, body frame, per unit of the entries, row by row, of ``R - I`` of the bone.
        normal_map: (M, M, 3) uint8 tangent-space normals of the clothed surface, green up, first row at v = 1; M is 0
            where the networks were not asked.
    """

    joints: Array
    pose: Array
    betas: Array
    translation: Array
    camera_matrix: Array
    image_size: Array
    body_vertices: Array
    body_faces: Array
    body_rest_vertices: Array
    body_corrective: Array
    body_weights: Array
    body_shape_dirs: Array
    body_quads: Array
    body_uv: Array
    surface_vertices: Array
    surface_faces: Array
    surface_rest_vertices: Array
    surface_weights: Array
    surface_quads: Array
    surface_uv: Array
    texture: Array
    bone_names: Array
    bone_parents: Array
    bone_heads: Array
    bone_tails: Array
    bone_rotations: Array
    joint_shape_dirs: Array
    box: Array
    body_model: str
    silhouette_iou: float
    landmark_error: float
    warnings: tuple[str, ...] = field(default=())
    up_cam: Array = field(default_factory=lambda: np.array([0.0, -1.0, 0.0], dtype=np.float32))
    pose_dirs_vertices: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    pose_dirs_bones: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    pose_dirs: Array = field(default_factory=lambda: np.zeros((0, 3, 9), dtype=np.float16))
    normal_map: Array = field(default_factory=lambda: np.zeros((0, 0, 3), dtype=np.uint8))

    def arrays(self) -> dict[str, Array]:
        """Return every array attribute by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.type == "Array"}

    def facts(self) -> dict[str, Any]:
        """Return everything that is not an array, ready for JSON."""
        facts = {f.name: getattr(self, f.name) for f in fields(self) if f.type != "Array"}
        return {**facts, "warnings": list(self.warnings), "warning_codes": told(self.warnings)}

    @classmethod
    def from_parts(cls, arrays: dict[str, Array], facts: dict[str, Any]) -> Reconstruction:
        """Build a result from :meth:`arrays` and :meth:`facts`, which may lack codes of the warnings."""
        own = {name: value for name, value in facts.items() if name != "warning_codes"}
        warnings = recalled(facts["warnings"], facts.get("warning_codes", ()))
        return cls(**{**arrays, **own, "warnings": warnings})


def save_reconstruction(result: Reconstruction, path: Path, more: Mapping[str, Array] | None = None) -> None:
    """Write ``result``, and ``more`` arrays, as a compressed npz at ``path`` (which appears only when complete)."""
    facts = {key: np.asarray(value) for key, value in result.facts().items()}
    for name in ("warnings", "warning_codes"):
        facts[name] = np.asarray(facts[name], dtype=np.str_)
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **result.arrays(), **facts, **(more or {}))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_reconstruction(path: Path) -> Reconstruction:
    """Read a result written by :func:`save_reconstruction`, by an older version too; executes no code from the file."""
    with np.load(path, allow_pickle=False) as data:
        stored = {key: data[key] for key in data.files}
    absent = {f.name for f in fields(Reconstruction) if f.default_factory is not MISSING} - set(stored)
    names = {f.name: f.type for f in fields(Reconstruction) if f.name not in absent}
    arrays = {key: stored[key] for key, kind in names.items() if kind == "Array"}
    kept = [key for key, kind in names.items() if kind != "Array"] + ["warning_codes"]
    facts: dict[str, Any] = {key: stored[key].tolist() for key in kept if key in stored}
    return Reconstruction.from_parts(arrays, facts)
