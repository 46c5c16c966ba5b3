"""Manifold-preserving decimation: quadric edge collapse under the link condition.

Garland and Heckbert, "Surface simplification using quadric error metrics", SIGGRAPH 1997; Dey et al., "Topology
preserving edge contraction", 1999 (the link condition keeps a closed surface closed and of the same genus).
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Collapser:
    """A triangle mesh whose edges can be contracted one by one."""

    def __init__(self, vertices: Array, faces: Index, length_weight: float) -> None:
        self.position = vertices.copy()
        self.length_weight = length_weight
        self.faces: list[tuple[int, int, int] | None] = [(int(a), int(b), int(c)) for a, b, c in faces]
        self.around: list[set[int]] = [set() for _ in vertices]
        for face, corners in enumerate(faces):
            for corner in corners:
                self.around[corner].add(face)
        self.quadric = self._quadrics(faces)
        self.version = np.zeros(len(vertices), dtype=np.int64)
        self.heap: list[tuple[float, int, int, int, int]] = []
        edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1), axis=0)
        for a, b in edges.tolist():
            self._push(a, b)

    def _quadrics(self, faces: Index) -> Array:
        a, b, c = (self.position[faces[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal, axis=1)
        normal /= np.maximum(area, 1e-20)[:, None]
        plane = np.concatenate([normal, -(normal * a).sum(1, keepdims=True)], 1)
        outer = plane[:, :, None] * plane[:, None, :] * (area / 6)[:, None, None]
        total = np.zeros((len(self.position), 4, 4))
        for k in range(3):
            np.add.at(total, faces[:, k], outer)
        return total

    def _push(self, a: int, b: int) -> None:
        if a > b:
            a, b = b, a
        middle = (self.position[a] + self.position[b]) / 2
        point = np.append(middle, 1.0)
        gap = self.position[a] - self.position[b]
        cost = float(point @ (self.quadric[a] + self.quadric[b]) @ point) + self.length_weight * float(gap @ gap) ** 2
        heapq.heappush(self.heap, (cost, a, b, int(self.version[a]), int(self.version[b])))

    def _neighbours(self, vertex: int) -> set[int]:
        found = {corner for face in self.around[vertex] for corner in self.faces[face] or ()}
        return found - {vertex}

    def _flips(self, vertex: int, other: int, target: Array) -> bool:
        for face in self.around[vertex]:
            corners = self.faces[face]
            if corners is None or other in corners:
                continue
            old = [self.position[k] for k in corners]
            new = [target if k == vertex else self.position[k] for k in corners]
            before = np.cross(old[1] - old[0], old[2] - old[0])
            after = np.cross(new[1] - new[0], new[2] - new[0])
            if before @ after < 0.2 * np.linalg.norm(before) * np.linalg.norm(after):
                return True
        return False

    def collapse(self, a: int, b: int) -> bool:
        """Contract edge (a, b) into a at its middle if the surface stays a manifold without flipped faces."""
        first, second = self._neighbours(a), self._neighbours(b)
        common = first & second
        if len(common) != 2 or len(first | second) < 6 or any(len(self.around[k]) <= 3 for k in common):
            return False
        target = (self.position[a] + self.position[b]) / 2
        if self._flips(a, b, target) or self._flips(b, a, target):
            return False
        for face in list(self.around[b]):
            corners = self.faces[face]
            if corners is None:
                continue
            if a in corners:
                self.faces[face] = None
                for corner in corners:
                    self.around[corner].discard(face)
            else:
                self.faces[face] = tuple(a if k == b else k for k in corners)  # type: ignore[assignment]
                self.around[a].add(face)
        self.around[b] = set()
        self.position[a] = target
        self.quadric[a] += self.quadric[b]
        self.version[[a, b]] += 1
        for neighbour in self._neighbours(a):
            self._push(a, neighbour)
        return True

    def run(self, count: int) -> tuple[Array, Index]:
        """Contract until ``count`` vertices are left; returns vertices and faces."""
        left = len(self.position)
        while left > count and self.heap:
            _, a, b, version_a, version_b = heapq.heappop(self.heap)
            fresh = self.version[a] == version_a and self.version[b] == version_b
            if fresh and self.around[a] and self.around[b] and self.collapse(a, b):
                left -= 1
        faces = np.array([face for face in self.faces if face is not None])
        used, compact = np.unique(faces, return_inverse=True)
        return self.position[used], compact.reshape(-1, 3)


def decimate(vertices: Array, faces: Index, count: int, length_weight: float = 4.0) -> tuple[Array, Index]:
    """Decimate a closed surface to ``count`` vertices; ``length_weight`` favours even edges over flat regions."""
    return Collapser(vertices, faces, length_weight).run(count)
