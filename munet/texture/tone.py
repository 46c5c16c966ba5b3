"""The tone of unseen cloth: the usual one of its material, and near what is seen a little of the tone there.

Materials flow around limbs, so that hems stay lines; their tones must not, or every fold at the outline becomes a band
around the back. A tone is carried on evenly in all directions instead, and fades within a hand's breadth (screened
Poisson equation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu

from munet.texture.priors import Evidence

Floats = NDArray[np.float32]

# Metres over which a tone fades and over which what is seen is evened out at its border.
_FADE = 0.06
_EVEN = 0.01
# Largest logarithm of a tone that is carried on; brightness added before the logarithm.
_MOST = 0.4
_LIFT = np.float32(10)


def toned(
    seen: Evidence,
    belonging: Floats,
    usual: Floats,
    other: Floats,
    part: NDArray[np.int64],
    stiffness: csr_array,
    areas: Floats,
) -> Floats:
    """Colours of K materials at S vertices.

    Args:
        seen: colours from the photo.
        belonging: (S, K) of these colours to the materials.
        usual: (P, K, 3) usual colour of each material in each part of the person.
        other: (S, K, 3) colours where the part is -1.
        part: (S,) number of the part, or -1.
        stiffness: (S, S) of the surface, the same in all directions.
        areas: (S,) square metres.

    Returns:
        (S, K, 3) sRGB.
    """
    fade = areas.astype(np.float64) / _FADE**2
    soft = splu((stiffness + diags_array(fade)).tocsc()).solve(np.eye(len(usual) + 1)[part] * fade[:, None]).clip(0)
    # Head and hands keep what they have; what is next to them takes after them.
    beside = np.where(part < 0, 1, np.clip(2 * soft[:, -1:].T, 0, 1)).T
    parts = soft[:, :-1] / np.maximum(soft[:, :-1].sum(1, keepdims=True), 1e-9)
    level = (1 - beside)[..., None] * np.tensordot(parts, usual, 1) + beside[..., None] * other
    there = (belonging[..., None] * level).sum(1)
    tone = np.log((seen.colour + _LIFT) / (there + _LIFT))
    tone = _MOST * np.tanh(tone / _MOST)
    hold = seen.weight * areas / _EVEN**2
    spread = splu((stiffness + diags_array(fade + hold)).tocsc()).solve(tone * hold[:, None])
    spread[part < 0] = 0
    return np.asarray(np.clip((level + _LIFT) * np.exp(spread)[:, None] - _LIFT, 0, 255), np.float32)
