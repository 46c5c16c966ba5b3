"""How wrong hypotheses are, and how much of the blame each of them takes."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.network import HYPOTHESES, Poses
from munet.training.lifting.skeleton import Skeleton
from munet.training.lifting.views import Batch

_JOINTS, _ALIGNED, _TURNS, _REPROJECTION, _BETAS, _CONFIDENCE = 7.0, 5.0, 1.0, 2.0, 0.02, 0.1
_SHARING = 0.15
"""Difference of costs at which a worse hypothesis still takes a third of the weight of the best."""
_LEAST_SHARE = 0.02
_TRUSTED = 0.3
"""Share of the blame that hypotheses take by their confidence: what is trusted shall not be wild."""
_SPREAD = 0.05
_HIDDEN = 0.1


def hypothesis_costs(poses: Poses, batch: Batch, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """Cost (B, K) of every hypothesis, and how far its joints (B, K, 24, 3) are off in metres."""
    count = len(batch.betas)
    joints, marks = skeleton.pose(poses.turns.flatten(0, 1), poses.betas.flatten(0, 1))
    joints, marks = (points.reshape(count, HYPOTHESES, -1, 3) for points in (joints, marks))
    wrong = joints - batch.joints[:, None]
    aligned = aligned_distance(joints, batch.joints[:, None].expand_as(joints))
    far = wrong.square().sum(-1).add(1e-8).sqrt().mean(-1)
    turned = (poses.turns - batch.turns[:, None]).square().sum((-1, -2)).add(1e-6).sqrt().mean(-1)
    placed = project(marks, poses.place, batch.view.scale)
    off = (placed - batch.view.marks[:, None]).abs().sum(-1).clamp_max(2)
    weight = (_HIDDEN + (1 - _HIDDEN) * batch.view.known)[:, None]
    off = (off * weight).sum(-1) / weight.sum(-1)
    shape = (poses.betas - batch.betas[:, None]).square().mean(-1)
    return _JOINTS * far + _ALIGNED * aligned + _TURNS * turned + _REPROJECTION * off + _BETAS * shape, wrong


def aligned_distance(joints: Tensor, truth: Tensor) -> Tensor:
    """Mean distance (...,) of joints (..., J, 3) after a similarity that brings them near the truth.

    Turn and size are those of one Gauss-Newton step from no change, exact for small turns.
    """
    ours, theirs = (points - points.mean(-2, keepdim=True) for points in (joints, truth))
    with torch.no_grad():
        square = ours.square().sum((-1, -2))
        inertia = square[..., None, None] * torch.eye(3) - ours.transpose(-1, -2) @ ours
        moment = torch.linalg.cross(ours, theirs).sum(-2)
        turn = matrix_from_axis_angle(torch.linalg.solve(inertia + 1e-4 * torch.eye(3), moment)).transpose(-1, -2)
        size = ((ours @ turn) * theirs).sum((-1, -2)) / square.clamp_min(1e-6)
    apart = size[..., None, None] * (ours @ turn) - theirs
    return apart.square().sum(-1).add(1e-8).sqrt().mean(-1)


def project(marks: Tensor, place: Tensor, scale: Tensor) -> Tensor:
    """Where landmarks (B, K, M, 3), root-centred with y up, fall in the units of ``View.marks``."""
    depth = place[..., 2].clamp(-3, 4).exp() / scale[:, None]
    size = (depth * scale[:, None])[..., None]
    x = marks[..., 0] + place[..., :1] * size
    y = -marks[..., 1] + place[..., 1:2] * size
    z = (depth[..., None] - marks[..., 2]).clamp_min(0.1)
    return torch.stack([x, y], -1) / (z * scale[:, None, None])[..., None]


def lifting_loss(poses: Poses, batch: Batch, skeleton: Skeleton) -> tuple[Tensor, dict[str, Tensor]]:
    """Soft winner-takes-all (after Rupprecht et al., ICCV 2017) with a confidence that learns who wins.

    Returns:
        The loss, and for the log the mean distance of joints in metres of the surest and of the best hypothesis.
    """
    costs, wrong = hypothesis_costs(poses, batch, skeleton)
    far = wrong.detach().norm(dim=-1).mean(-1)
    shares = torch.softmax(-costs.detach() / _SHARING, 1)
    blame = _LEAST_SHARE + (1 - HYPOTHESES * _LEAST_SHARE) * shares
    sure = -(shares * torch.log_softmax(poses.logits, 1)).sum(1)
    trusted = torch.softmax(poses.logits, 1).detach()
    spread = (trusted * spread_cost(poses.spreads, wrong.detach())).sum(1)
    blame = (1 - _TRUSTED) * blame + _TRUSTED * trusted
    loss = (blame * costs).sum(1).mean() + _CONFIDENCE * sure.mean() + _SPREAD * spread.mean()
    surest = far.gather(1, poses.logits.argmax(1, keepdim=True)).mean()
    return loss, {"surest_m": surest.detach(), "best_m": far.min(1).values.mean().detach()}


def spread_cost(spreads: Tensor, wrong: Tensor) -> Tensor:
    """Negative log-likelihood (B, K) of errors (B, K, 24, 3) under Laplace distributions (Kendall and Gal, 2017)."""
    flat, deep = wrong[..., :2].abs().mean(-1), wrong[..., 2].abs()
    spreads = spreads.clamp(-6, 1)
    cost: Tensor = 2 * (spreads[..., 0] + flat * (-spreads[..., 0]).exp()) + spreads[..., 1]
    return (cost + deep * (-spreads[..., 1]).exp())[..., 1:].mean(-1)
