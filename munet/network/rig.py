"""A posed body on the networks' graph that can be turned further at its joints."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from munet.body.model import SMPL_PARENTS
from munet.body.tree import JOINTS, with_hands


@dataclass(frozen=True)
class GraphRig:
    """How a graph hangs on the joints of its body model.

    Attributes:
        weights: (V, 24) of the graph's vertices, rows sum to 1; fingers belong to the wrists.
        mark_weights: (33, 24) of the photo landmarks.
        shape_dirs: (V, 3, 10) metres, body frame, rest pose.
        mark_shape_dirs: (33, 3, 10).
        joint_shape_dirs: (24, 3, 10).
    """

    weights: Tensor
    mark_weights: Tensor
    shape_dirs: Tensor
    mark_shape_dirs: Tensor
    joint_shape_dirs: Tensor

    def to(self, device: torch.device | str) -> GraphRig:
        """The same rig on another device."""
        return GraphRig(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


@dataclass(frozen=True)
class GivenPose:
    """The pose of bodies; metres, body frame, pelvis at the origin.

    Attributes:
        turns: (B, 24, 3, 3) global rotations of the joints.
        joints: (B, 24, 3).
        marks: (B, 33, 3) photo landmarks.
        betas: (B, 10) identity.
    """

    turns: Tensor
    joints: Tensor
    marks: Tensor
    betas: Tensor

    def to(self, device: torch.device | str) -> GivenPose:
        """The same pose on another device."""
        return GivenPose(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def detach(self) -> GivenPose:
        """The same pose without its history."""
        return GivenPose(**{field.name: getattr(self, field.name).detach() for field in fields(self)})


def turn_further(
    rig: GraphRig, vertices: Tensor, pose: GivenPose, turns: Tensor, betas: Tensor
) -> tuple[Tensor, GivenPose]:
    """Turn bodies at their joints, from the pelvis outwards, and change their shape.

    Args:
        rig: of the graph.
        vertices: (B, V, 3) metres, body frame.
        pose: of the bodies.
        turns: (B, 22, 3, 3) rotations by which each joint turns on, in the axes of the body frame.
        betas: (B, 10) that are added to the identity.

    Returns:
        Vertices and pose; exactly the given ones for identities and zeros.
    """
    full = with_hands(turns)
    turned = full @ pose.turns
    joints = moved_joints(rig, pose, full, turned, betas)

    def carried(points: Tensor, weights: Tensor, dirs: Tensor) -> Tensor:
        # Every joint carries all points; linear blend of the results (few joints, few thousand points).
        turn = torch.einsum("vj,bjkl->bvkl", weights, full)
        shift = joints - (full @ pose.joints[..., None])[..., 0]
        grown = torch.einsum("vj,bjkl->bvkl", weights, turned) @ (dirs @ betas.T).permute(2, 0, 1)[..., None]
        base = torch.einsum("bvkl,bvl->bvk", turn, points) + torch.einsum("vj,bjk->bvk", weights, shift)
        own = torch.einsum("vj,bjk->bvk", weights, (turned @ _shape_of(rig, betas)[..., None])[..., 0])
        return base + grown[..., 0] - own

    moved = carried(vertices, rig.weights, rig.shape_dirs)
    marks = carried(pose.marks, rig.mark_weights, rig.mark_shape_dirs)
    return moved, GivenPose(turned, joints, marks, pose.betas + betas)


def _shape_of(rig: GraphRig, betas: Tensor) -> Tensor:
    """How far (B, 24, 3) the joints of the rest pose move with the shape."""
    return torch.einsum("jck,bk->bjc", rig.joint_shape_dirs, betas)


def moved_joints(rig: GraphRig, pose: GivenPose, turns: Tensor, turned: Tensor, betas: Tensor) -> Tensor:
    """Joints (B, 24, 3) after every joint turned on by ``turns`` to ``turned`` (B, 24, 3, 3) and the shape changed."""
    shape = _shape_of(rig, betas)
    joints = [pose.joints[:, 0]]
    for joint in range(1, JOINTS):
        parent = SMPL_PARENTS[joint]
        bone = turns[:, parent] @ (pose.joints[:, joint] - pose.joints[:, parent])[..., None]
        grown = turned[:, parent] @ (shape[:, joint] - shape[:, parent])[..., None]
        joints.append(joints[parent] + (bone + grown)[..., 0])
    return torch.stack(joints, 1)
