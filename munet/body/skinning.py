"""Linear blend skinning of a body model and its exact inverse, in plain torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.tree import JOINTS
from munet.errors import InvalidInputError
from munet.geometry.rotation import matrix_from_axis_angle


@dataclass(frozen=True)
class PosedBody:
    """B posed bodies in the body frame, metres.

    Attributes:
        vertices: (B, V, 3) posed (V is the number of chosen vertices).
        joints: (B, J, 3) posed.
        transforms: (B, J, 4, 4) from the rest pose to the posed body, translation included:
            ``vertices = sum_j weights[:, j] * transforms[j] @ rest_corrected``.
        rest_vertices: (B, V, 3) T-pose of the person, without pose correctives.
        rest_corrected: (B, V, 3) T-pose of the person with the correctives of this pose.
        rest_joints: (B, J, 3) joints of the person in the T-pose.
    """

    vertices: Tensor
    joints: Tensor
    transforms: Tensor
    rest_vertices: Tensor
    rest_corrected: Tensor
    rest_joints: Tensor


def pose_body(
    model: BodyModel,
    betas: Tensor,
    pose: Tensor,
    translation: Tensor | None = None,
    *,
    vertices: Tensor | None = None,
    correctives: bool = True,
) -> PosedBody:
    """Shape and pose bodies (SMPL, Loper et al. 2015, equations 2 to 10); differentiable.

    Args:
        model: the body model.
        betas: (B, 10) identity, or (1, 10) for all.
        pose: (B, K, 3) axis-angle in radians or (B, K, 3, 3) matrices, local to the parent joint, root first,
            with K = 24 (fingers rest) or K = J.
        translation: (B, 3) metres, added after the rotation about the root joint, or None.
        vertices: (S,) int64 vertices to pose, or None for all.
        correctives: whether to apply the pose correctives.

    Raises:
        InvalidInputError: an argument has the wrong shape.
    """
    rotations = _rotations(model, pose)
    _check(model, betas, rotations, translation)
    template, shape_dirs, pose_dirs, weights = model.template, model.shape_dirs, model.pose_dirs, model.weights
    if vertices is not None:
        template, shape_dirs, weights = template[vertices], shape_dirs[vertices], weights[vertices]
        pose_dirs = pose_dirs.select(vertices)
    rest_joints = model.joint_template + torch.einsum("jkn,bn->bjk", model.joint_shape_dirs, betas)
    rest = template + (betas @ shape_dirs.reshape(-1, betas.shape[1]).T).reshape(len(betas), -1, 3)
    rest = rest.expand(len(rotations), -1, -1)
    rest_joints = rest_joints.expand(len(rotations), -1, -1)
    corrected = rest
    if correctives:
        feature = rotations[:, 1:] - torch.eye(3, dtype=rotations.dtype, device=rotations.device)
        corrected = rest + pose_dirs.offsets(feature.reshape(len(rotations), -1, 9))
    transforms, joints = joint_transforms(model, rotations, rest_joints, translation)
    posed = blend(weights, transforms, corrected)
    return PosedBody(posed, joints, transforms, rest, corrected, rest_joints)


def joint_transforms(
    model: BodyModel, rotations: Tensor, rest_joints: Tensor, translation: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Rest-to-posed transforms (B, J, 4, 4) and posed joints (B, J, 3) by forward kinematics.

    Args:
        model: gives the tree.
        rotations: (B, K, 3, 3) local rotations, K = 24 or J; joints beyond K move with their parents.
        rest_joints: (B, J, 3) metres.
        translation: (B, 3) metres or None.
    """
    count = rotations.shape[1]
    levels, order, carrier = _plan(tuple(model.parents.tolist()), count)
    parents = model.parents.clamp_min(0)
    bones = (rest_joints - rest_joints[:, parents])[..., None]
    first = rest_joints[:, :1, :, None]
    turns = [rotations[:, :1]]
    places = [first if translation is None else first + translation[:, None, :, None]]
    for joints, above in levels:
        turns.append(turns[-1][:, above] @ rotations[:, joints])
        places.append(places[-1][:, above] + turns[-2][:, above] @ bones[:, joints])
    turn = torch.cat(turns, 1)[:, order]
    offset = torch.cat(places, 1)[:, order] - turn @ rest_joints[:, :count, :, None]
    upper = torch.cat([turn, offset], -1)[:, carrier]
    last = upper.new_tensor([0.0, 0, 0, 1]).expand(*upper.shape[:2], 1, 4)
    posed = (upper[..., :3] @ rest_joints[..., None]).squeeze(-1) + upper[..., 3]
    return torch.cat([upper, last], 2), posed


@lru_cache(maxsize=16)
def _plan(parents: tuple[int, ...], count: int) -> tuple[list[tuple[list[int], list[int]]], list[int], list[int]]:
    """How to walk a tree level by level.

    Args:
        parents: parents of the joints.
        count: number of joints that have rotations; later ones move with their nearest posed ancestor.

    Returns:
        Per level below the root its joints and their parents' places in the level above, the place of each posed
        joint in the concatenated levels, and the posed joint that carries each joint.
    """
    depth = [0] * count
    for joint in range(1, count):
        depth[joint] = depth[parents[joint]] + 1
    by_level = [[j for j in range(count) if depth[j] == level] for level in range(max(depth) + 1)]
    levels = [(joints, [above.index(parents[j]) for j in joints]) for above, joints in pairwise(by_level)]
    flat = [joint for level in by_level for joint in level]
    carrier = list(range(count))
    carrier += [0] * (len(parents) - count)
    for joint in range(count, len(parents)):
        carrier[joint] = carrier[parents[joint]]
    return levels, [flat.index(joint) for joint in range(count)], carrier


def blend(weights: Tensor, transforms: Tensor, points: Tensor) -> Tensor:
    """Linear blend skinning of rest points.

    Args:
        weights: (V, J).
        transforms: (B, J, 4, 4) rest to posed.
        points: (B, V, 3) or (V, 3) rest points, metres.

    Returns:
        (B, V, 3) posed points.
    """
    blended = blended_transforms(weights, transforms)
    return (blended[..., :3] @ points[..., None]).squeeze(-1) + blended[..., 3]


def blended_transforms(weights: Tensor, transforms: Tensor) -> Tensor:
    """Per-point affine maps (B, V, 3, 4) from weights (V, J) and transforms (B, J, 4, 4)."""
    batch, count = transforms.shape[:2]
    flat = transforms[:, :, :3].reshape(batch, count, 12)
    return (weights @ flat).reshape(batch, -1, 3, 4)


def unpose(weights: Tensor, transforms: Tensor, posed: Tensor) -> Tensor:
    """Rest points from posed ones: the exact inverse of ``blend``.

    Args:
        weights: (V, J) of the points.
        transforms: (B, J, 4, 4) rest to posed, for instance ``PosedBody.transforms``.
        posed: (B, V, 3) or (V, 3), metres, in the frame into which the transforms lead.

    Returns:
        (B, V, 3) rest points. Where a blended map is close to singular (a joint bent by nearly 180 degrees) the
        inverse is badly conditioned but still exact to rounding.
    """
    blended = blended_transforms(weights, transforms)
    target = (posed - blended[..., 3])[..., None]
    rest: Tensor = torch.linalg.solve(blended[..., :3], target)
    return rest.squeeze(-1)


def unpose_directions(weights: Tensor, transforms: Tensor, normals: Tensor) -> Tensor:
    """Unit normals (B, V, 3) of the rest surface from unit normals of the posed one (inverse transpose rule)."""
    blended = blended_transforms(weights, transforms)[..., :3]
    turned = (blended.transpose(-1, -2) @ normals[..., None]).squeeze(-1)
    return torch.nn.functional.normalize(turned, dim=-1)


def landmarks_body(model: BodyModel, vertices: Tensor) -> Tensor:
    """The 33 photo landmarks (B, 33, 3) of posed vertices (B, V, 3), body frame, metres."""
    batch, count = vertices.shape[:2]
    flat = vertices.permute(1, 0, 2).reshape(count, batch * 3)
    marks: Tensor = torch.sparse.mm(model.landmarks, flat)
    return marks.reshape(-1, batch, 3).permute(1, 0, 2)


def smpl_weights(model: BodyModel) -> Tensor:
    """Skinning weights (V, 24) of a model on the joints of SMPL: fingers and face go to the one that carries them."""
    weights = model.weights[:, :JOINTS].clone()
    parents = model.parents.tolist()
    for joint in range(JOINTS, model.weights.shape[1]):
        owner = joint
        while owner >= JOINTS:
            owner = parents[owner]
        weights[:, owner] += model.weights[:, joint]
    return weights


def _rotations(model: BodyModel, pose: Tensor) -> Tensor:
    if pose.ndim == 3 and pose.shape[-1] == 3:
        pose = matrix_from_axis_angle(pose)
    if pose.ndim != 4 or pose.shape[2:] != (3, 3) or pose.shape[1] not in {24, model.joint_count}:
        raise InvalidInputError(
            "The pose has the wrong shape.",
            detail=f"expected (B, K, 3) or (B, K, 3, 3) with K = 24 or {model.joint_count}, found {tuple(pose.shape)}",
        )
    return pose


def _check(model: BodyModel, betas: Tensor, rotations: Tensor, translation: Tensor | None) -> None:
    batch, known = len(rotations), model.shape_dirs.shape[2]
    if betas.ndim != 2 or betas.shape[1] != known or betas.shape[0] not in {1, batch}:
        raise InvalidInputError(
            "The betas have the wrong shape.", detail=f"expected ({batch}, {known}), found {tuple(betas.shape)}"
        )
    if translation is not None and tuple(translation.shape) not in {(batch, 3), (1, 3)}:
        raise InvalidInputError(
            "The translation has the wrong shape.", detail=f"expected ({batch}, 3), found {tuple(translation.shape)}"
        )
