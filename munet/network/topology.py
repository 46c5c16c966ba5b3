"""Everything the graph networks need to know about a triangle graph, computed once and shared by the batch."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from munet.body.graph import GraphLevel, edge_neighbours, face_edges
from munet.errors import InvalidInputError
from munet.network.rig import GraphRig


@dataclass(frozen=True)
class Topology:
    """A closed 2-manifold triangle graph: template, edges and their neighbours, averages.

    Attributes:
        template_body: (V, 3) metres, body frame, rest pose.
        faces: (F, 3) int64, counter-clockwise from outside.
        edges: (E, 2) int64, lower vertex first.
        neighbours: (E, 4) int64 edges (a, b, c, d): a and b follow the edge inside one face, c and d inside the other.
        average: (V, V) sparse, rows sum to 1, self loops included (Kipf & Welling, ICLR 2017).
        degree: (V,) number of edges at each vertex.
        up: (N, V) sparse: values of the N vertices of the body's graph level from this graph's.
        down: (V, N) sparse: this graph's values from those of the body's graph level.
        rig: how the graph hangs on the body's joints, for networks that turn them.
    """

    template_body: Tensor
    faces: Tensor
    edges: Tensor
    neighbours: Tensor
    average: Tensor
    degree: Tensor
    up: Tensor
    down: Tensor
    rig: GraphRig | None = None

    @property
    def vertex_count(self) -> int:
        """Number of vertices V."""
        return self.template_body.shape[0]

    @property
    def edge_count(self) -> int:
        """Number of edges E."""
        return self.edges.shape[0]

    @property
    def template_unit(self) -> Tensor:
        """(V, 3) template centred on its bounding box and divided by its largest coordinate: within [-1, 1]."""
        middle = (self.template_body.amin(0) + self.template_body.amax(0)) / 2
        centred = self.template_body - middle
        return centred / centred.abs().max()

    def to(self, device: torch.device | str) -> Topology:
        """The same topology on another device."""
        moved = {field.name: getattr(self, field.name).to(device) for field in fields(self) if field.name != "rig"}
        return Topology(**moved, rig=None if self.rig is None else self.rig.to(device))

    def upsample(self, values: Tensor) -> Tensor:
        """Carry values (B, V, C) to the body's graph level: (B, N, C)."""
        return sparse_apply(self.up, values)


def build_topology(
    template_body: Tensor, faces: Tensor, up: Tensor | None = None, down: Tensor | None = None
) -> Topology:
    """Precompute the topology of a closed manifold.

    Args:
        template_body: (V, 3) float.
        faces: (F, 3) int64.
        up: (N, V) sparse map to the body's graph level; the identity without it.
        down: (V, N) sparse map from the body's graph level; the identity without it.

    Raises:
        InvalidInputError: a shape is wrong or an edge does not lie in exactly two faces.
    """
    if template_body.dim() != 2 or template_body.shape[-1] != 3 or faces.dim() != 2 or faces.shape[-1] != 3:
        raise InvalidInputError(
            "A topology takes vertices (V, 3) and faces (F, 3).",
            detail=f"found {tuple(template_body.shape)} and {tuple(faces.shape)}",
        )
    edges, _ = face_edges(faces)
    count = len(template_body)
    identity = _identity(count, template_body.device)
    return Topology(
        template_body=template_body.float(),
        faces=faces,
        edges=edges,
        neighbours=edge_neighbours(faces),
        average=_average(edges, count),
        degree=torch.bincount(edges.reshape(-1), minlength=count).float(),
        up=identity if up is None else up,
        down=identity if down is None else down,
    )


def topology_of_level(level: GraphLevel, template_body: Tensor) -> Topology:
    """The topology of a body's graph level.

    Args:
        level: of :class:`munet.body.model.BodyModel`.
        template_body: (V, 3) the body model's fine template.
    """
    return build_topology(torch.sparse.mm(level.down, template_body), level.faces)


def sparse_apply(matrix: Tensor, values: Tensor) -> Tensor:
    """Apply a sparse matrix (R, V) to values (B, V, C): (B, R, C), in float32 whatever autocast says."""
    batch, _, channels = values.shape
    with torch.autocast(values.device.type, enabled=False):
        columns = values.float().transpose(0, 1).reshape(values.shape[1], batch * channels)
        product: Tensor = torch.sparse.mm(matrix, columns)
    return product.reshape(-1, batch, channels).transpose(0, 1)


def _identity(count: int, device: torch.device) -> Tensor:
    index = torch.arange(count, device=device)
    return torch.sparse_coo_tensor(
        torch.stack([index, index]),
        torch.ones(count, device=device),
        (count, count),
        is_coalesced=True,
        check_invariants=False,
    )


def _average(edges: Tensor, count: int) -> Tensor:
    loops = torch.arange(count, device=edges.device)
    rows = torch.cat([edges[:, 0], edges[:, 1], loops])
    columns = torch.cat([edges[:, 1], edges[:, 0], loops])
    share = 1 / torch.bincount(rows, minlength=count).float()
    return torch.sparse_coo_tensor(
        torch.stack([rows, columns]), share[rows], (count, count), check_invariants=False
    ).coalesce()
