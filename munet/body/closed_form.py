"""From vertices back to a rig: rotations, identity and place of a body whose vertices were moved freely."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import PosedBody, pose_body, smpl_weights
from munet.body.tree import JOINTS, local_rotations
from munet.errors import InvalidInputError

# Vertices of posed bodies come back to 4 mm; to 8 mm after two.
_ROUNDS = 6
# Keeps betas that the vertices do not tell near the mean; metres of a vertex for one unit of beta.
_RIDGE = 1e-3


@dataclass(frozen=True)
class RigFit:
    """A body of the model; body frame.

    Attributes:
        rotations: (24, 3, 3) local rotations, root first.
        betas: (10,) identity.
        translation: (3,) metres, as :func:`munet.body.skinning.pose_body` takes it.
    """

    rotations: Tensor
    betas: Tensor
    translation: Tensor


@torch.no_grad()
def fit_vertices(model: BodyModel, vertices_body: Tensor) -> RigFit:
    """Find the body of a model that lies nearest to vertices, without a search.

    As in smplfitter (Sárándi and Pons-Moll, NeurIPS 2024): each part is turned onto its vertices (Kabsch 1976), then
    identity and place follow from linear least squares; again from the result.

    Args:
        model: whose body is wanted; hands and face rest.
        vertices_body: (V, 3) metres, body frame.

    Raises:
        InvalidInputError: the vertices are not those of the model.
    """
    if vertices_body.shape != model.template.shape:
        raise InvalidInputError(
            "The vertices do not belong to the body model.",
            detail=f"expected {tuple(model.template.shape)}, found {tuple(vertices_body.shape)}",
        )
    target = vertices_body.to(model.template)
    shares = _shares(model)
    turns = torch.eye(3).to(target).expand(JOINTS, 3, 3)
    betas, place = target.new_zeros(model.shape_dirs.shape[-1]), target.mean(0) - model.template.mean(0)
    for _ in range(_ROUNDS):
        posed = _posed(model, betas[None], turns, place[None])
        turns = _turned_onto(posed.vertices[0], target, shares) @ turns
        betas, place = _identity(model, turns, target)
    return RigFit(local_rotations(turns), betas, place)


def _posed(model: BodyModel, betas: Tensor, turns: Tensor, place: Tensor | None) -> PosedBody:
    return pose_body(model, betas, local_rotations(turns).expand(len(betas), -1, -1, -1), place)


def _shares(model: BodyModel) -> Tensor:
    """How far (24, V) vertices belong to the joints of SMPL alone, fingers and face to the one that carries them."""
    weights = smpl_weights(model)
    return (weights.T / weights.sum(1)) ** 4


def _turned_onto(source: Tensor, target: Tensor, shares: Tensor) -> Tensor:
    """Rotations (24, 3, 3) that best turn the parts of source (V, 3) onto those of target (V, 3)."""
    weights = shares / shares.sum(1, keepdim=True)
    centred = [points - (weights @ points)[:, None] for points in (source, target)]
    covariance = torch.einsum("jv,jva,jvb->jab", weights, *centred)
    u, _, vt = torch.linalg.svd(covariance)
    sign = torch.ones_like(covariance[..., 0])
    sign[:, 2] = torch.linalg.det(u @ vt)
    turned: Tensor = vt.transpose(1, 2) @ (sign[..., None] * u.transpose(1, 2))
    return turned


def _identity(model: BodyModel, turns: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Betas (10,) and translation (3,) by least squares: with fixed rotations vertices are linear in both."""
    count = model.shape_dirs.shape[-1]
    betas = torch.cat([target.new_zeros(1, count), torch.eye(count).to(target)])
    made = _posed(model, betas, turns, None).vertices
    along = (made[1:] - made[:1]).flatten(1).T
    shift = torch.eye(3).to(target).repeat(len(target), 1)
    system = torch.cat([along, shift], 1).double()
    held = torch.zeros(count + 3, dtype=torch.float64, device=target.device)
    held[:count] = len(target) * _RIDGE**2
    right = system.T @ (target - made[0]).flatten().double()
    solved = torch.linalg.solve(system.T @ system + torch.diag(held), right).to(target)
    return solved[:count], solved[count:]
