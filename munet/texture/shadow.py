"""Broad shadows on one cloth, weakened: what an arm or the chin casts stays on a person that turns.

How much brighter or darker than usual a cloth is on its part of the person is evened out over a few centimetres and
partly taken away, the same for all channels. Folds are narrower and stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu

from munet.texture.light import cloth_on_parts
from munet.texture.materials import Materials
from munet.texture.priors import Evidence, weighted_quantile
from munet.texture.regions import Regions

Floats = NDArray[np.float32]

# How much of a shadow is taken away, its largest logarithm, and metres over which it is evened out.
_STRENGTH = 0.6
_MOST = 0.5
_WIDTH = 0.04
# Metres over which the change fades where nothing is seen.
_FADE = 0.2
_LIFT = np.float32(10)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def shadow_factor(
    seen: Evidence, materials: Materials, regions: Regions, stiffness: csr_array, areas: Floats
) -> Floats:
    """Find by how much each vertex is to become brighter or darker.

    Args:
        seen: colours of the vertices.
        materials: in these colours.
        regions: parts of the surface.
        stiffness: (S, S) of the surface, the same in all directions.
        areas: (S,) square metres.

    Returns:
        (S,) factors of sRGB values; 1 on head, hands and feet.
    """
    away = np.zeros(len(areas), np.float32)
    known = np.flatnonzero((seen.weight > 0) & (regions.zone >= 0))
    if len(known) == 0:
        return np.ones(len(areas), np.float32)
    bright = np.log(seen.colour[known] @ _LUMA + _LIFT)
    group = cloth_on_parts(materials, seen.colour[known], regions, known)
    for number in np.unique(group):
        mine = group == number
        level = weighted_quantile(bright[mine, None], (seen.weight * areas)[known[mine]])
        away[known[mine]] = _MOST * np.tanh((bright[mine] - level) / _MOST)
    sure = np.where(regions.zone >= 0, seen.weight, 1) * areas
    hold = sure.astype(np.float64) / _WIDTH**2
    matrix = stiffness + diags_array(hold + areas / _FADE**2)
    broad = splu(matrix.tocsc().astype(np.float64)).solve(hold * away)
    broad[regions.zone < 0] = 0
    return np.asarray(np.exp(-_STRENGTH * broad), np.float32)
