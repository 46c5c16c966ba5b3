"""How far limbs may swell before they run into each other."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from munet.surface.operators import Floats, Ints

NEIGHBOURS = 6
MARGIN_METRES = 0.002
FAR_METRES = 1.0


def clearance(points: Floats, normals: Floats, limb: Ints) -> Floats:
    """Offset (V,) along the normals at which each vertex would meet another limb that swells as much.

    Two points d apart whose normals close the distance at rate r when both move by s meet at s = d / r; points whose
    surfaces do not face each other never meet. Limbs that already overlap give no limit.

    Args:
        points: (V, 3) metres.
        normals: (V, 3) unit.
        limb: (V,) index of the limb of each vertex.
    """
    result = np.full(len(points), FAR_METRES)
    for index in np.unique(limb):
        mine, others = np.nonzero(limb == index)[0], np.nonzero(limb != index)[0]
        if not len(others):
            continue
        count = min(NEIGHBOURS, len(others))
        distance, nearest = cKDTree(points[others]).query(points[mine], k=count)
        distance, nearest = distance.reshape(len(mine), count), others[nearest.reshape(len(mine), count)]
        towards = (points[nearest] - points[mine][:, None]) / np.maximum(distance, 1e-9)[..., None]
        leaving = np.einsum("vki,vi->vk", towards, normals[mine])
        closing = leaving - np.einsum("vki,vki->vk", towards, normals[nearest])
        facing = (leaving > 0.2) & (closing > 0.5)
        meet = np.where(facing, (distance - MARGIN_METRES) / np.maximum(closing, 0.1), FAR_METRES)
        result[mine] = np.maximum(meet.min(1), 0)
    return result
