"""The graph on which a configuration works for a body model."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import smpl_weights
from munet.body.tree import JOINTS
from munet.errors import InvalidInputError
from munet.network.coarsen import coarsen
from munet.network.config import NetworkConfig
from munet.network.joints import graph_values
from munet.network.rig import GraphRig
from munet.network.topology import Topology, topology_of_level
from munet.network.upsampling import fit_upsampling


def network_topology(model: BodyModel, config: NetworkConfig) -> Topology:
    """Topology of the body's graph level, coarsened where the configuration asks for it. Compute once and keep.

    Raises:
        InvalidInputError: the body model has no graph level.
    """
    if model.graph is None:
        raise InvalidInputError("The body model has no graph level.", detail=f"found {model.name}")
    topology = topology_of_level(model.graph, model.template)
    if config.graph_vertices:
        topology = fit_upsampling(model, coarsen(topology, config.graph_vertices))
    return replace(topology, rig=graph_rig(model, topology)) if config.body.evidence else topology


def graph_rig(model: BodyModel, topology: Topology) -> GraphRig:
    """The rig of a body model's graph.

    Raises:
        InvalidInputError: the model has no graph level.
    """
    weights = smpl_weights(model)
    dirs, betas = model.shape_dirs.flatten(1), model.shape_dirs.shape[-1]
    return GraphRig(
        weights=_shares(graph_values(model, topology, weights[None])[0]),
        mark_weights=_shares(model.landmarks @ weights),
        shape_dirs=graph_values(model, topology, dirs[None])[0].reshape(-1, 3, betas),
        mark_shape_dirs=(model.landmarks @ dirs).reshape(-1, 3, betas),
        joint_shape_dirs=model.joint_shape_dirs[:JOINTS],
    )


def _shares(weights: Tensor) -> Tensor:
    return weights / weights.sum(1, keepdim=True).clamp_min(1e-9)
