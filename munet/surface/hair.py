"""Hair closes over what it covers: ears under hair leave no trace, and long hair runs down the neck without a ledge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from munet.surface.anatomy import HEAD, NECK, UNLOCKED, Anatomy
from munet.surface.operators import Floats, Ints, factorise, unit

# Ears that stand so far off the head, metres, are under hair, and so is then what stands farther off below them.
_EARS_METRES, _BELOW_METRES = 0.012, 0.025
_MOVED_BY_HEAD = 0.4


def closed_hair(bare: Floats, dressed: Floats, pairs: Ints, anatomy: Anatomy) -> Floats:
    """Close hair over ears and neck that it covers.

    Args:
        bare: (V, 3) rest vertices before they were moved to the outline, metres.
        dressed: (V, 3) the same after it.
        pairs: (E, 2) edges.
        anatomy: regions of the body.

    Returns:
        (V, 3) the dressed vertices, those that no hair covers unchanged.
    """
    ears, below = _covered(bare, dressed, anatomy)
    if not ears.any():
        return dressed
    center = dressed[anatomy.ears].mean(0)
    away = _bent(dressed - center, pairs, ears)
    length = _bent(np.linalg.norm(dressed - center, axis=1)[:, None], pairs, ears)
    closed = np.where(ears[:, None], center + length * unit(away), dressed)
    return _bent(closed, pairs, below, stiff=True)


def _covered(bare: Floats, dressed: Floats, anatomy: Anatomy) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Vertices (V,) of ears under hair, and where both ears are, of the back of the neck under it."""
    off = np.linalg.norm(dressed - bare, axis=1)
    ears = [anatomy.ears & side for side in (bare[:, 0] > 0, bare[:, 0] <= 0)]
    hidden = [ear.any() and bool(np.median(off[ear]) > _EARS_METRES) for ear in ears]
    covered = np.logical_or.reduce([ear & under for ear, under in zip(ears, hidden, strict=True)])
    below = np.zeros(len(off), np.bool_)
    if all(hidden):
        middle = bare[anatomy.ears].mean(0)
        behind = (bare[:, 2] < middle[2]) & (bare[:, 1] < middle[1])
        below = behind & (anatomy.folded[:, [HEAD, NECK]].sum(1) > _MOVED_BY_HEAD) & (off > _BELOW_METRES)
    return covered, below & ~covered & (anatomy.locked < UNLOCKED)


def _bent(values: Floats, pairs: Ints, chosen: NDArray[np.bool_], *, stiff: bool = False) -> Floats:
    """Values (V, D), the chosen ones stretched evenly between the others, or bent as little as these allow."""
    if not chosen.any():
        return values
    near = chosen.copy()
    for _ in range(2):
        near[pairs[near[pairs].any(1)]] = True
    used = np.flatnonzero(near)
    inner = np.searchsorted(used, pairs[near[pairs].all(1)])
    graph = sparse.coo_array((np.ones(len(inner)), inner.T), (len(used), len(used)))
    graph = sparse.csr_array(graph + graph.T)
    laplace = sparse.csr_array(sparse.diags_array(np.asarray(graph.sum(1)).ravel()) - graph)
    energy = sparse.csr_array(laplace @ laplace) if stiff else laplace
    free = chosen[used]
    rows = energy[np.flatnonzero(free)]
    result = values.copy()
    outer = rows[:, np.flatnonzero(~free)] @ values[used[~free]]
    result[chosen] = factorise(sparse.csr_array(rows[:, np.flatnonzero(free)]))(-outer)
    return result
