"""How far limbs may swell before they run into each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from munet.surface.operators import Floats, Ints

NEIGHBOURS = 4
# Surfaces farther apart than this do not meet.
SEARCH_METRES = 0.35
# Between parts that swell remains this share of their distance, at most this much.
MARGIN_SHARE, MARGIN_METRES = 0.6, 0.012
FAR_METRES = 1.0


def clearance(points: Floats, normals: Floats, limb: Ints) -> Floats:
    """Offset (V,) along the normals at which each vertex would meet another part that swells as much.

    Two points d apart whose normals close the distance at rate r when both move by s meet at s = d / r; points whose
    surfaces do not face each other never meet. Parts that already overlap give no limit.

    Args:
        points: (V, 3) metres.
        normals: (V, 3) unit.
        limb: (V,) index of the limb of each vertex, -1 for vertices that meet nothing.
    """
    result = np.full(len(points), FAR_METRES)
    members = [np.nonzero(limb == index)[0] for index in np.unique(limb[limb >= 0])]
    for mine, others in chain(permutations(members, 2), _facing_parts(normals, members)):
        if len(mine) and len(others) >= NEIGHBOURS:
            found = cKDTree(points[others]).query(points[mine], k=NEIGHBOURS, distance_upper_bound=SEARCH_METRES)
            result[mine] = np.minimum(result[mine], _meeting(points, normals, mine, others, *found))
    return result


def _facing_parts(normals: Floats, members: list[Ints]) -> Iterator[tuple[Ints, Ints]]:
    """Parts of one limb with opposite normals, such as both sides of the crotch or of a bent elbow."""
    for member, axis, sign in product(members, range(3), (-1.0, 1.0)):
        along = sign * normals[member, axis]
        yield member[along > 0.5], member[along < -0.2]


def _meeting(points: Floats, normals: Floats, mine: Ints, others: Ints, distance: Floats, nearest: Ints) -> Floats:
    """Smallest offset (N,) at which the points ``mine`` meet one of their nearest points of another limb."""
    found: NDArray[np.bool_] = np.isfinite(distance)
    partner = others[np.where(found, nearest, 0)]
    towards = (points[partner] - points[mine][:, None]) / np.maximum(np.where(found, distance, 1), 1e-9)[..., None]
    leaving = np.einsum("vki,vi->vk", towards, normals[mine])
    closing: Floats = leaving - np.einsum("vki,vki->vk", towards, normals[partner])
    facing = found & (leaving > 0.2) & (closing > 0.5)
    room = distance - np.minimum(MARGIN_SHARE * distance, MARGIN_METRES)
    # Sides of a crease slide along each other while they close, so even slow closing ends after their distance.
    meet: Floats = np.where(facing, room / np.maximum(closing, 1.0), FAR_METRES)
    smallest: Floats = meet.min(1)
    return smallest
