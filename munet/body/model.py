"""The body model: a mean person, its shape space, its skeleton and its skinning."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from munet.body.graph import GraphLevel

SMPL_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

SMPL_JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip

FINGER_NAMES = ("index", "middle", "pinky", "ring", "thumb")

FINGER_JOINT_NAMES = tuple(
    f"{side}_{finger}{part}" for side in ("left", "right") for finger in FINGER_NAMES for part in (1, 2, 3)
)


@dataclass(frozen=True)
class PoseDirs:
    """Pose correctives, linear in ``R - I`` of the joints but the root, stored only where they act.

    Attributes:
        joints: (V, S) int64: the rows of the feature (joint number minus one) that move a vertex, or None where
            every joint moves every vertex (S = J - 1 in order).
        dirs: (V, 3, S * 9) metres per unit of the feature.
    """

    joints: Tensor | None
    dirs: Tensor

    def offsets(self, feature: Tensor) -> Tensor:
        """Offsets (B, V, 3) in metres for features (B, K, 9) of joints 1..K, K at least 23; later joints rest."""
        batch = feature.shape[0]
        if self.joints is None:
            count, known = self.dirs.shape[0], min(feature.shape[1] * 9, self.dirs.shape[2])
            flat = self.dirs[..., :known].reshape(count * 3, known)
            return (feature.reshape(batch, -1)[:, :known] @ flat.T).reshape(batch, count, 3)
        local = feature[:, self.joints].reshape(batch, self.dirs.shape[0], -1, 1)
        return (self.dirs @ local).squeeze(-1)

    def select(self, vertices: Tensor) -> PoseDirs:
        """The correctives of some vertices (K,)."""
        return PoseDirs(None if self.joints is None else self.joints[vertices], self.dirs[vertices])

    def dense(self) -> Tensor:
        """The same correctives as one array (V, 3, 207)."""
        if self.joints is None:
            return self.dirs
        count, slots = self.joints.shape
        full = self.dirs.new_zeros(count, 3, 23, 9)
        index = self.joints[:, None, :, None].expand(count, 3, slots, 9)
        return full.scatter_add(2, index, self.dirs.reshape(count, 3, slots, 9)).reshape(count, 3, 207)

    def entries(self, smallest: float) -> tuple[Tensor, Tensor, Tensor]:
        """The correctives as a list, without what moves nothing by more than ``smallest`` metres per unit.

        Returns:
            Vertices (N,) and joints (N,), root 0, int64; offsets (N, 3, 9) in metres per unit of ``R - I``.
        """
        count = self.dirs.shape[0]
        blocks = self.dirs.reshape(count, 3, -1, 9)
        vertices, slots = torch.nonzero(blocks.abs().amax(dim=(1, 3)) > smallest, as_tuple=True)
        joints = slots + 1 if self.joints is None else self.joints[vertices, slots] + 1
        return vertices, joints, blocks[vertices, :, slots]

    def to(self, device: torch.device | str) -> PoseDirs:
        """The same correctives on another device."""
        return PoseDirs(None if self.joints is None else self.joints.to(device), self.dirs.to(device))


@dataclass(frozen=True)
class BodyModel:
    """A skinned statistical body in the SMPL family's conventions.

    Metres; rest pose is SMPL's T-pose in the body frame (y up, facing +z, left arm along +x, palms down); joints
    0..23 are SMPL's. Loper et al., "SMPL: A Skinned Multi-Person Linear Model", SIGGRAPH Asia 2015.

    Attributes:
        name: name of the file.
        sha256: hash of the file's bytes.
        template: (V, 3) mean person.
        shape_dirs: (V, 3, 10) metres per unit of beta.
        pose_dirs: correctives linear in ``R - I`` of joints 1..23.
        joint_template: (J, 3) joints of the mean person.
        joint_shape_dirs: (J, 3, 10).
        tail_template: (J, 3) bone ends for a rig.
        tail_shape_dirs: (J, 3, 10).
        weights: (V, J) skinning, rows sum to 1.
        parents: (J,) int64, -1 for the root; a parent precedes its children.
        joint_names: J names.
        faces: (F, 3) int64, counter-clockwise from outside.
        quads: (Q, 4) int64, quad q is faces 2q and 2q + 1; empty for a triangle mesh.
        uv: (F, 3, 2) per face corner, origin bottom left.
        parts: (V,) int8: 0 skin, 1 left eye, 2 right eye.
        landmarks: (33, V) sparse regressor of the photo landmarks from vertices.
        graph: the coarse level for graph networks, or None.
    """

    name: str
    sha256: str
    template: Tensor
    shape_dirs: Tensor
    pose_dirs: PoseDirs
    joint_template: Tensor
    joint_shape_dirs: Tensor
    tail_template: Tensor
    tail_shape_dirs: Tensor
    weights: Tensor
    parents: Tensor
    joint_names: tuple[str, ...]
    faces: Tensor
    quads: Tensor
    uv: Tensor
    parts: Tensor
    landmarks: Tensor
    graph: GraphLevel | None

    @property
    def vertex_count(self) -> int:
        """Number of vertices V."""
        return self.template.shape[0]

    @property
    def joint_count(self) -> int:
        """Number of joints J."""
        return self.joint_template.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.template.device

    def to(self, device: torch.device | str) -> Self:
        """The same model on another device."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor | PoseDirs | GraphLevel):
                moved[field.name] = value.to(device)
        return replace(self, **moved)

    def landmark_support(self) -> tuple[Tensor, Tensor]:
        """The vertices that the landmarks need, (K,) int64, and the dense regressor (33, K) on them."""
        regressor = self.landmarks.coalesce()
        rows, columns = regressor.indices()
        support, inverse = torch.unique(columns, return_inverse=True)
        dense = regressor.values().new_zeros(regressor.shape[0], len(support))
        dense[rows, inverse] = regressor.values()
        return support, dense
