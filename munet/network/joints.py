"""A linear regressor of a body model's joints from the vertices of a network's graph."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.network.topology import Topology, sparse_apply

_RING = 64
_SAMPLES = 48
_POSE_DEVIATION = 0.35
_EQUAL = 0.03
_SUM = 10.0
_BODY_JOINTS = 24
_STEPS = 2.0**22


@torch.no_grad()
def joint_regressor(model: BodyModel, topology: Topology, seed: int = 0) -> Tensor:
    """Regress the 24 SMPL joints from skin around each, where the bones on both sides share it.

    The weights are fitted to random shapes and poses by least squares, held near equal weights that sum to 1.

    Args:
        model: body model with a graph level.
        topology: of its graph, possibly coarsened.
        seed: of the shapes and poses.

    Returns:
        (24, V) float32.

    Raises:
        InvalidInputError: the model has no graph level.
    """
    weights = graph_values(model, topology, model.weights[None])[0]
    generator = torch.Generator().manual_seed(seed)
    betas = torch.randn(_SAMPLES, model.shape_dirs.shape[-1], generator=generator)
    pose = _POSE_DEVIATION * torch.randn(_SAMPLES, _BODY_JOINTS, 3, generator=generator)
    posed = pose_body(model, betas.to(model.device), pose.to(model.device), None)
    vertices = graph_values(model, topology, posed.vertices)
    result = torch.zeros(_BODY_JOINTS, topology.vertex_count, device=vertices.device)
    for joint in range(_BODY_JOINTS):
        ring = _shared_skin(weights, model.parents, joint).topk(_RING).indices
        result[joint, ring] = _ring_weights(vertices[:, ring], posed.joints[:, joint])
    return result


def graph_values(model: BodyModel, topology: Topology, values: Tensor) -> Tensor:
    """Carry values (B, F, C) of a body model's vertices to the graph of a topology: (B, V, C).

    Raises:
        InvalidInputError: the model has no graph level.
    """
    if model.graph is None:
        raise InvalidInputError("The body model has no graph level.", detail=f"found {model.name}")
    return sparse_apply(topology.down, sparse_apply(model.graph.down, values))


def _shared_skin(weights: Tensor, parents: Tensor, joint: int) -> Tensor:
    parent = int(parents[joint])
    if parent >= 0:
        return weights[:, joint] * weights[:, parent]
    children = (parents == joint).nonzero()[:, 0]
    return weights[:, joint] * weights[:, children].sum(1)


def _ring_weights(vertices: Tensor, joint: Tensor) -> Tensor:
    """Weights (K,) of ring vertices (S, K, 3) that give the joint (S, 3) in every sample."""
    count = vertices.shape[1]
    # Places relative to the joint: the weights' sum then matters only through its own row.
    relative = (vertices - joint[:, None]).transpose(1, 2).reshape(-1, count)
    ones = vertices.new_full((1, count), _SUM)
    rows = torch.cat([relative, ones, _EQUAL * torch.eye(count, device=vertices.device)])
    zeros = vertices.new_zeros(len(relative))
    wanted = torch.cat([zeros, vertices.new_tensor([_SUM]), vertices.new_full((count,), _EQUAL / count)])
    solution: Tensor = torch.linalg.lstsq(rows.double(), wanted.double()[:, None]).solution[:, 0]
    solution = solution / solution.sum()
    # The last digits follow the arrays' places in memory; a training that goes on wants the same weights again.
    return ((solution * _STEPS).round() / _STEPS).float()
