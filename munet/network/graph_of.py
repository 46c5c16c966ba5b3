"""The graph on which a configuration works for a body model."""

from __future__ import annotations

from munet.body.model import BodyModel
from munet.errors import InvalidInputError
from munet.network.coarsen import coarsen
from munet.network.config import NetworkConfig
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
    if not config.graph_vertices:
        return topology
    return fit_upsampling(model, coarsen(topology, config.graph_vertices))
