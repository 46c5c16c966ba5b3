"""Rotations in torch: axis-angle, matrices and the continuous 6D form (Zhou et al., CVPR 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.errors import InvalidInputError


def _require_last(tensor: Tensor, shape: tuple[int, ...], name: str) -> None:
    if tuple(tensor.shape[-len(shape) :]) != shape:
        raise InvalidInputError(
            f"{name} has the wrong shape.", detail=f"expected (..., {shape}), found {tuple(tensor.shape)}"
        )


def skew(vector: Tensor) -> Tensor:
    """Return the cross-product matrices (..., 3, 3) of vectors (..., 3)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vector.shape[:-1], 3, 3)


def matrix_from_axis_angle(axis_angle: Tensor) -> Tensor:
    """Rodrigues' formula: axis-angle (..., 3) in radians to matrices (..., 3, 3), smooth at zero."""
    _require_last(axis_angle, (3,), "axis_angle")
    squared = (axis_angle * axis_angle).sum(-1)
    small = squared < 1e-8
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    sine = torch.where(small, 1 - squared / 6, angle.sin() / angle)[..., None, None]
    cosine = torch.where(small, 0.5 - squared / 24, (1 - angle.cos()) / safe)[..., None, None]
    cross = skew(axis_angle)
    eye = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return eye + sine * cross + cosine * (cross @ cross)


def axis_angle_from_matrix(matrix: Tensor) -> Tensor:
    """Matrices (..., 3, 3) to axis-angle (..., 3) with an angle in [0, pi]."""
    quaternion = quaternion_from_matrix(matrix)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    length = quaternion[..., 1:].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(length, quaternion[..., :1])
    factor = torch.where(length < 1e-7, torch.full_like(length, 2.0), angle / length.clamp_min(1e-12))
    return quaternion[..., 1:] * factor


def quaternion_from_matrix(matrix: Tensor) -> Tensor:
    """Matrices (..., 3, 3) to unit quaternions (..., 4), w first, from the largest of four candidates."""
    _require_last(matrix, (3, 3), "matrix")
    m = matrix
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    candidates = torch.stack(
        [
            torch.stack([1 + m00 + m11 + m22, a, b, c], -1),
            torch.stack([a, 1 + m00 - m11 - m22, d, e], -1),
            torch.stack([b, d, 1 - m00 + m11 - m22, f], -1),
            torch.stack([c, e, f, 1 - m00 - m11 + m22], -1),
        ],
        -2,
    )
    best = candidates.diagonal(dim1=-2, dim2=-1).argmax(-1)
    chosen = candidates.gather(-2, best[..., None, None].expand(*best.shape, 1, 4)).squeeze(-2)
    return torch.nn.functional.normalize(chosen, dim=-1)


def matrix_from_6d(sixd: Tensor) -> Tensor:
    """First two columns (..., 6), not necessarily orthonormal, to matrices (..., 3, 3) by Gram-Schmidt."""
    _require_last(sixd, (6,), "sixd")
    first = torch.nn.functional.normalize(sixd[..., :3], dim=-1)
    second = sixd[..., 3:] - (first * sixd[..., 3:]).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)


def sixd_from_matrix(matrix: Tensor) -> Tensor:
    """Matrices (..., 3, 3) to their first two columns (..., 6)."""
    _require_last(matrix, (3, 3), "matrix")
    return torch.cat([matrix[..., 0], matrix[..., 1]], -1)


def rotation_between(source: Tensor, target: Tensor) -> Tensor:
    """Smallest rotations (..., 3, 3) that turn directions ``source`` (..., 3) onto ``target`` (..., 3)."""
    _require_last(source, (3,), "source")
    a = torch.nn.functional.normalize(source, dim=-1)
    b = torch.nn.functional.normalize(target, dim=-1)
    axis = torch.linalg.cross(a, b)
    cosine = (a * b).sum(-1, keepdim=True)
    helper = torch.where(a[..., :1].abs() < 0.9, a.new_tensor([1.0, 0, 0]), a.new_tensor([0, 1.0, 0]))
    opposite = torch.nn.functional.normalize(torch.linalg.cross(a, helper), dim=-1)
    axis = torch.where((axis.norm(dim=-1, keepdim=True) < 1e-7) & (cosine < 0), opposite, axis)
    sine = axis.norm(dim=-1, keepdim=True)
    angle = torch.atan2(torch.where(cosine < -1 + 1e-12, torch.zeros_like(sine), sine), cosine)
    return matrix_from_axis_angle(torch.nn.functional.normalize(axis, dim=-1) * angle)
