"""MuNet's networks: template graph -> body graph and camera -> clothed surface graph."""

from munet.network.coarsen import coarsen
from munet.network.config import CONFIGS, PAPER, SMALL, NetworkConfig
from munet.network.graph_of import network_topology
from munet.network.inputs import NetworkInputs
from munet.network.munet import MuNet, MuNetOutput, TrueBody, create_munet
from munet.network.topology import Topology, build_topology, topology_of_level
from munet.network.weights import load_munet, save_munet

__all__ = [
    "CONFIGS",
    "PAPER",
    "SMALL",
    "MuNet",
    "MuNetOutput",
    "NetworkConfig",
    "NetworkInputs",
    "Topology",
    "TrueBody",
    "build_topology",
    "coarsen",
    "create_munet",
    "load_munet",
    "network_topology",
    "save_munet",
    "topology_of_level",
]
