"""The coarse level of the body on which graph networks work."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.errors import InvalidInputError


@dataclass(frozen=True)
class GraphLevel:
    """A closed genus-0 manifold of about 7k vertices that follows the skin.

    Attributes:
        faces: (G, 3) int64, counter-clockwise from outside; every edge lies in exactly two faces.
        down: (N, V) sparse: coarse vertices from fine ones (barycentric on the skin).
        up: (V, N) sparse: fine values from coarse ones (barycentric on the coarse surface).
    """

    faces: Tensor
    down: Tensor
    up: Tensor

    @property
    def vertex_count(self) -> int:
        """Number of coarse vertices N."""
        return self.down.shape[0]

    def edges(self) -> Tensor:
        """Undirected edges (E, 2) int64, lower index first."""
        return face_edges(self.faces)[0]

    def edge_neighbours(self) -> Tensor:
        """The four edges (E, 4) int64 that share a face with each edge, in the order of Hanocka et al. 2019."""
        return edge_neighbours(self.faces)

    def to(self, device: torch.device | str) -> GraphLevel:
        """The same level on another device."""
        return GraphLevel(self.faces.to(device), self.down.to(device), self.up.to(device))


def face_edges(faces: Tensor) -> tuple[Tensor, Tensor]:
    """Edges (E, 2) of triangles (F, 3) and the edge (F, 3) opposite to corner k + 2, that is (k, k + 1)."""
    pairs = torch.stack([faces, faces.roll(-1, 1)], -1)
    edges, inverse = torch.unique(pairs.sort(-1).values.reshape(-1, 2), dim=0, return_inverse=True)
    return edges, inverse.reshape(-1, 3)


def edge_neighbours(faces: Tensor) -> Tensor:
    """Four neighbours per edge of a closed manifold: the other two edges of its two faces.

    Hanocka et al., "MeshCNN: A Network with an Edge", SIGGRAPH 2019, section 3.

    Args:
        faces: (F, 3) int64 of a closed manifold.

    Returns:
        (E, 4) int64 edges in the order of ``face_edges``.

    Raises:
        InvalidInputError: an edge does not lie in exactly two faces.
    """
    edges, of_face = face_edges(faces)
    counts = torch.bincount(of_face.reshape(-1), minlength=len(edges))
    if not bool((counts == 2).all()):
        raise InvalidInputError(
            "The mesh is not a closed manifold.",
            detail=f"expected every edge in 2 faces, found between {int(counts.min())} and {int(counts.max())}",
        )
    owner = of_face.reshape(-1)
    others = torch.stack([of_face.roll(-1, 1), of_face.roll(-2, 1)], -1).reshape(-1, 2)
    order = torch.argsort(owner, stable=True)
    return others[order].reshape(-1, 4)


def euler_characteristic(faces: Tensor) -> int:
    """V - E + F of the vertices that faces (F, 3) use; 2 for a sphere."""
    return len(torch.unique(faces)) - len(face_edges(faces)[0]) + len(faces)
