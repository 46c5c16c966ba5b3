"""Where parts of the body overlap: pairs of vertices of two parts that face each other on the wrong side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from munet.surface.anatomy import PARTS
from munet.surface.operators import Floats, Ints, unit

# Among this many nearest vertices of another part the one straight behind the surface is chosen.
CANDIDATES = 12
# Surfaces face each other when the cosine between their normals is below this.
FACING = -0.3
# The partner lies this near to the straight line behind the surface.
ASIDE_METRES = 0.02
# How deep parts may overlap: less than they are thick, or far sides would be taken for each other.
LIMBS_METRES, HINGE_METRES = 0.08, 0.03
HINGES = ({"upper_arm", "forearm"}, {"thigh", "shin"}, {"shin", "foot"}, {"torso", "thigh"})
THIN = {"head", "foot"}
NEVER = ({"torso", "head"}, {"torso", "foot"}, {"head", "foot"})


@dataclass(frozen=True)
class Contacts:
    """Pairs of facing vertices. C: pairs.

    Attributes:
        first: (C,) vertices.
        second: (C,) vertices of another part.
        normal: (C, 3) unit, from the second to the first where they lie as they should.
        height: (C,) metres from the second to the first along the normal, negative where the parts overlap.
    """

    first: Ints
    second: Ints
    normal: Floats
    height: Floats

    def subset(self, kept: NDArray[np.bool_]) -> Contacts:
        """Some of the pairs."""
        return Contacts(self.first[kept], self.second[kept], self.normal[kept], self.height[kept])


def meeting_parts() -> Iterator[tuple[int, int, float]]:
    """Pairs of parts that can overlap, each in both orders, and how deep."""
    for (first, name), (second, other) in permutations(enumerate(PARTS), 2):
        depth = _deepest(name, other)
        if depth > 0:
            yield first, second, depth


def _deepest(name: str, other: str) -> float:
    """How deep two parts may overlap, metres; 0 when they never do."""
    kinds = {part.split("_", 1)[-1] for part in (name, other)}
    if kinds in NEVER:
        return 0.0
    opposite = {part.split("_")[0] for part in (name, other)} == {"left", "right"}
    shallow = kinds & THIN or (kinds in HINGES and not opposite)
    return HINGE_METRES if shallow else LIMBS_METRES


def find_contacts(points: Floats, normals: Floats, parts: Ints, nearer: float) -> Contacts:
    """Find where parts overlap or lie nearer to each other than ``nearer``.

    Args:
        points: (V, 3) metres.
        normals: (V, 3) unit.
        parts: (V,) index into ``PARTS``.
        nearer: metres.
    """
    members = [np.nonzero(parts == index)[0] for index in range(len(PARTS))]
    corners = [(points[m].min(0), points[m].max(0)) if len(m) else (np.full(3, np.inf),) * 2 for m in members]
    pairs = []
    for mine, other, depth in meeting_parts():
        low = np.maximum(corners[mine][0], corners[other][0]) - depth
        high = np.minimum(corners[mine][1], corners[other][1]) + depth
        if (low <= high).all():
            near, others = (_inside(points, members[part], low, high) for part in (mine, other))
            pairs.append(_facing_pairs(points, normals, near, others, depth))
    nobody = (np.zeros(0, np.int64),) * 2
    first, second = (np.concatenate(side) for side in zip(nobody, *pairs, strict=True))
    normal = unit(normals[second] - normals[first])
    height = np.einsum("ci,ci->c", points[first] - points[second], normal)
    return Contacts(first, second, normal, height).subset(height < nearer)


def _inside(points: Floats, chosen: Ints, low: Floats, high: Floats) -> Ints:
    """The chosen vertices within a box."""
    return chosen[((points[chosen] >= low) & (points[chosen] <= high)).all(1)]


def _facing_pairs(points: Floats, normals: Floats, near: Ints, others: Ints, depth: float) -> tuple[Ints, Ints]:
    """Those vertices of ``near`` and the vertices of ``others`` straight across, at most ``depth`` away."""
    if not len(near) or len(others) < CANDIDATES:
        return near[:0], others[:0]
    distance, nearest = cKDTree(points[others]).query(points[near], k=CANDIDATES, distance_upper_bound=depth)
    found: NDArray[np.bool_] = np.isfinite(distance)
    partner = others[np.where(found, nearest, 0)]
    height = np.einsum("vki,vki->vk", points[near][:, None] - points[partner], normals[partner])
    facing = np.einsum("vi,vki->vk", normals[near], normals[partner]) < FACING
    aside = np.sqrt(np.maximum(np.where(found, distance, 0) ** 2 - height**2, 0))
    aside = np.where(found & facing, aside, np.inf)
    best = (np.arange(len(near)), aside.argmin(1))
    kept = aside[best] < ASIDE_METRES
    return near[kept], partner[best][kept]
