"""Hair closes over what it covers: ears under hair leave no trace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from munet.surface.anatomy import Anatomy
from munet.surface.operators import Floats, Ints, factorise, unit

# Ears that stand so far off the head, metres, are under hair.
_EARS_METRES = 0.012


def closed_hair(bare: Floats, dressed: Floats, pairs: Ints, anatomy: Anatomy) -> Floats:
    """Close hair over ears that it covers.

    Args:
        bare: (V, 3) rest vertices before they were moved to the outline, metres.
        dressed: (V, 3) the same after it.
        pairs: (E, 2) edges.
        anatomy: regions of the body.

    Returns:
        (V, 3) the dressed vertices, those that no hair covers unchanged.
    """
    ears = _covered(bare, dressed, anatomy)
    if not ears.any():
        return dressed
    center = dressed[anatomy.ears].mean(0)
    away = _stretched(dressed - center, pairs, ears)
    length = _stretched(np.linalg.norm(dressed - center, axis=1)[:, None], pairs, ears)
    return np.where(ears[:, None], center + length * unit(away), dressed)


def _covered(bare: Floats, dressed: Floats, anatomy: Anatomy) -> NDArray[np.bool_]:
    """Vertices (V,) of ears under hair."""
    off = np.linalg.norm(dressed - bare, axis=1)
    covered = np.zeros(len(off), np.bool_)
    for ear in (anatomy.ears & side for side in (bare[:, 0] > 0, bare[:, 0] <= 0)):
        if ear.any() and np.median(off[ear]) > _EARS_METRES:
            covered |= ear
    return covered


def _stretched(values: Floats, pairs: Ints, chosen: NDArray[np.bool_]) -> Floats:
    """Values (V, D), the chosen ones stretched evenly between the others."""
    near = chosen.copy()
    near[pairs[near[pairs].any(1)]] = True
    used = np.flatnonzero(near)
    inner = np.searchsorted(used, pairs[near[pairs].all(1)])
    graph = sparse.coo_array((np.ones(len(inner)), inner.T), (len(used), len(used)))
    graph = sparse.csr_array(graph + graph.T)
    laplace = sparse.csr_array(sparse.diags_array(np.asarray(graph.sum(1)).ravel()) - graph)
    free = chosen[used]
    rows = laplace[np.flatnonzero(free)]
    result = values.copy()
    outer = rows[:, np.flatnonzero(~free)] @ values[used[~free]]
    result[chosen] = factorise(sparse.csr_array(rows[:, np.flatnonzero(free)]))(-outer)
    return result
