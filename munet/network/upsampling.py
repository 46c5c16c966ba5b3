"""A map from a coarse graph to the body's graph level that is fitted to bodies, not only to the rest pose.

Barycentric weights cut corners: they shrink round limbs and crease bent ones. Weights over the ring of coarse vertices
around each fine vertex, found by least squares on posed bodies of many shapes, do so much less.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.network.topology import Topology, sparse_apply

_SAMPLES = 48
_POSE_DEVIATION = 0.35
_BODY_JOINTS = 24
_RING = 12
# Square metres that a change of a weight by 1 is worth, per sample.
_STIFFNESS = 3e-6
# Square metres by which the ring's weights together are held to 1; the rest is scaled away.
_SUM = 1.0


@torch.no_grad()
def fit_upsampling(model: BodyModel, topology: Topology, seed: int = 0) -> Topology:
    """Replace the map up of a coarse topology by one fitted to a body model.

    Args:
        model: body model with a graph level.
        topology: coarsened from that level.
        seed: of the shapes and poses.

    Returns:
        The same topology with another ``up``, whose rows still sum to 1.

    Raises:
        InvalidInputError: the model has no graph level.
    """
    fine = _posed(model, seed)
    coarse = sparse_apply(topology.down, fine)
    start = topology.up.to_dense()
    ring = _ring(topology, start)
    weights = _fitted(fine, coarse[:, ring], start.gather(1, ring))
    rows = torch.arange(len(ring), device=ring.device)[:, None].expand_as(ring)
    index = torch.stack([rows.reshape(-1), ring.reshape(-1)])
    up = torch.sparse_coo_tensor(index, weights.reshape(-1), start.shape, check_invariants=False).coalesce()
    return replace(topology, up=up)


def _posed(model: BodyModel, seed: int) -> Tensor:
    """Fine graph vertices (S, N, 3) of random bodies."""
    if model.graph is None:
        raise InvalidInputError("The body model has no graph level.", detail=f"found {model.name}")
    generator = torch.Generator().manual_seed(seed)
    betas = torch.randn(_SAMPLES, model.shape_dirs.shape[-1], generator=generator).to(model.device)
    pose = _POSE_DEVIATION * torch.randn(_SAMPLES, _BODY_JOINTS, 3, generator=generator).to(model.device)
    return sparse_apply(model.graph.down, pose_body(model, betas, pose, None).vertices)


def _ring(topology: Topology, start: Tensor) -> Tensor:
    """Nearest coarse vertices (N, K) in the rest pose among those of the face above each fine vertex and around it."""
    reached = start @ topology.average.to_dense() > 0
    rest = start @ topology.template_body
    distances = torch.cdist(rest, topology.template_body).masked_fill(~reached, torch.inf)
    near = distances.topk(min(_RING, topology.vertex_count), largest=False)
    # Vertices with fewer neighbours repeat their nearest one; its weight is then shared.
    return torch.where(near.values.isfinite(), near.indices, near.indices[:, :1])


def _fitted(fine: Tensor, around: Tensor, start: Tensor) -> Tensor:
    """Weights (N, K) that give fine (S, N, 3) from around (S, N, K, 3), near ``start`` (N, K)."""
    relative = (around - fine[:, :, None]).permute(1, 2, 0, 3).flatten(2).double()
    count = relative.shape[1]
    stiffness = _STIFFNESS * len(fine)
    gram = relative @ relative.transpose(1, 2) + _SUM + stiffness * torch.eye(count, device=fine.device).double()
    wanted = _SUM + stiffness * start.double()
    weights: Tensor = torch.linalg.solve(gram, wanted[..., None])[..., 0]
    return (weights / weights.sum(1, keepdim=True)).float()
