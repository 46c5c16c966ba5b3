"""A coarser graph with the same shape: half-edge collapses that keep the surface a closed manifold.

Shortest edges go first, so dense regions (fingers, face) thin out before the trunk does and the result is more even
than the original. A collapse is allowed where the two ends share exactly two neighbours (the link condition of Dey
et al., "Topology preserving edge contraction", 1999) and no face flips.
"""

from __future__ import annotations

import heapq

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.closest import closest_on_surface
from munet.errors import InvalidInputError
from munet.network.topology import Topology, build_topology

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_MIN_FLIP_COSINE = 0.2
_MAX_VALENCE = 9


def coarsen(topology: Topology, vertex_count: int) -> Topology:
    """Reduce a topology to about ``vertex_count`` vertices; the same input always gives the same result.

    Args:
        topology: of the body's graph level (its ``up`` is the identity).
        vertex_count: wanted number of vertices; fewer collapses happen where none is allowed any more.

    Returns:
        A topology whose ``up`` and ``down`` are the barycentric maps between the two rest surfaces.

    Raises:
        InvalidInputError: the count is not between 4 and that of the topology.
    """
    if not 4 <= vertex_count <= topology.vertex_count:
        raise InvalidInputError(
            "The coarse graph must have between 4 vertices and those of the fine one.",
            detail=f"expected 4 to {topology.vertex_count}, found {vertex_count}",
        )
    vertices = topology.template_body.cpu().double().numpy()
    fine_faces = topology.faces.cpu().numpy()
    kept, faces = _Collapser(vertices, fine_faces).run(vertex_count)
    coarse = vertices[kept]
    up = _barycentric_map(vertices, coarse, faces)
    down = _selection(kept, len(vertices))
    result = build_topology(torch.from_numpy(coarse).float(), torch.from_numpy(faces), up, down)
    return result.to(topology.faces.device)


class _Collapser:
    """The mesh while it shrinks: faces by number and the faces around every vertex."""

    def __init__(self, vertices: Array, faces: Index) -> None:
        self._points = [tuple(point) for point in vertices.tolist()]
        self._faces: dict[int, list[int]] = {number: list(face) for number, face in enumerate(faces.tolist())}
        self._around: list[set[int]] = [set() for _ in self._points]
        for number, face in self._faces.items():
            for vertex in face:
                self._around[vertex].add(number)

    def run(self, vertex_count: int) -> tuple[Index, Index]:
        """Collapse until ``vertex_count`` vertices are left: their old numbers (V,) and the new faces (F, 3)."""
        queue = [(self._length(a, b), a, b) for a in range(len(self._points)) for b in self._neighbours(a)]
        heapq.heapify(queue)
        left = len(self._points)
        while queue and left > vertex_count:
            _, gone, stays = heapq.heappop(queue)
            if self._allowed(gone, stays):
                self._collapse(gone, stays)
                left -= 1
                for other in sorted(self._neighbours(stays)):
                    heapq.heappush(queue, (self._length(stays, other), stays, other))
                    heapq.heappush(queue, (self._length(stays, other), other, stays))
        kept = np.array([vertex for vertex, faces in enumerate(self._around) if faces], np.int64)
        renumber = np.full(len(self._points), -1, np.int64)
        renumber[kept] = np.arange(len(kept))
        return kept, renumber[np.array([self._faces[number] for number in sorted(self._faces)], np.int64)]

    def _neighbours(self, vertex: int) -> set[int]:
        return {other for number in self._around[vertex] for other in self._faces[number]} - {vertex}

    def _length(self, a: int, b: int) -> float:
        return float(sum((x - y) ** 2 for x, y in zip(self._points[a], self._points[b], strict=True)))

    def _allowed(self, gone: int, stays: int) -> bool:
        around, kept = self._neighbours(gone), self._neighbours(stays)
        if stays not in around or len(around & kept) != 2 or len(around | kept) - 2 > _MAX_VALENCE:
            return False
        if any(len(self._around[shared]) <= 3 for shared in around & kept):
            return False
        return all(self._keeps_side(number, gone, stays) for number in self._around[gone] - self._around[stays])

    def _keeps_side(self, number: int, gone: int, stays: int) -> bool:
        face = self._faces[number]
        before = self._normal(face)
        after = self._normal([stays if vertex == gone else vertex for vertex in face])
        dot = sum(x * y for x, y in zip(before, after, strict=True))
        sizes = sum(x * x for x in before) * sum(x * x for x in after)
        return dot > 0 and bool(dot * dot > _MIN_FLIP_COSINE**2 * sizes)

    def _normal(self, face: list[int]) -> tuple[float, float, float]:
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (self._points[vertex] for vertex in face)
        ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
        return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx

    def _collapse(self, gone: int, stays: int) -> None:
        for number in sorted(self._around[gone] & self._around[stays]):
            for vertex in self._faces.pop(number):
                self._around[vertex].discard(number)
        for number in self._around[gone]:
            self._faces[number] = [stays if vertex == gone else vertex for vertex in self._faces[number]]
            self._around[stays].add(number)
        self._around[gone] = set()


def _barycentric_map(points: Array, vertices: Array, faces: Index) -> Tensor:
    face, weights = closest_on_surface(points, vertices, faces)
    rows = np.repeat(np.arange(len(points)), 3)
    index = torch.from_numpy(np.stack([rows, faces[face].reshape(-1)]))
    values = torch.from_numpy((weights / weights.sum(-1, keepdims=True)).reshape(-1)).float()
    return torch.sparse_coo_tensor(index, values, (len(points), len(vertices)), check_invariants=False).coalesce()


def _selection(kept: Index, count: int) -> Tensor:
    index = torch.from_numpy(np.stack([np.arange(len(kept)), kept]))
    return torch.sparse_coo_tensor(index, torch.ones(len(kept)), (len(kept), count), check_invariants=False).coalesce()
