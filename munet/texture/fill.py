"""Colours for the whole surface from the colours of its seen part: anisotropic diffusion over the mesh.

Borders of clothes run around limbs and trunk: colour flows easily around them and hardly along them, so that a belt
or a hem goes on behind the back instead of blurring there. The sum of squares that is minimised is Perona-Malik-like
diffusion with fixed conductance, solved at once as a sparse linear system (Poisson image editing, Perez et al.,
SIGGRAPH 2003, with screening).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import splu

from munet.texture.regions import Regions

Floats = NDArray[np.float32]

_ALONG = 0.005
_SEEN = 20.0
_MIRRORED = 0.15
_PRIOR = 0.4
_GREY = 128.0
_FLOOR = 1e-6


@dataclass(frozen=True)
class Evidence:
    """What is known of the colour of each vertex.

    Attributes:
        colour: (S, 3) float32 sRGB 0 to 255.
        weight: (S,) float32 in [0, 1].
    """

    colour: Floats
    weight: Floats


def typical_colour(evidence: Evidence, chosen: NDArray[np.bool_]) -> Floats | None:
    """Median colour (3,) of the well seen vertices among ``chosen``; None when fewer than a handful are."""
    good = chosen & (evidence.weight > 0.5)
    if good.sum() < 5:
        good = chosen & (evidence.weight > 0.05)
    if good.sum() < 5:
        return None
    return np.asarray(np.median(evidence.colour[good], 0), np.float32)


def prior_colours(evidence: Evidence, regions: Regions) -> Evidence:
    """Colours of parts that must not take those of their seen neighbours: hair of the scalp, skin of face and hands.

    Hair is the median of the scalp's seen part and stays unknown when none of it is seen; skin is the median of the
    face, or of the hands when the face is not seen.
    """
    colour = np.full_like(evidence.colour, _GREY)
    weight = np.zeros_like(evidence.weight)
    face, hands = typical_colour(evidence, regions.face), typical_colour(evidence, regions.hands)
    for chosen, known in (
        (regions.scalp, typical_colour(evidence, regions.scalp)),
        (regions.face, face if face is not None else hands),
        (regions.hands, hands if hands is not None else face),
    ):
        if known is not None:
            colour[chosen] = known
            weight[chosen] = 1
    return Evidence(colour, weight)


def fill_vertices(
    seen: Evidence, mirrored: NDArray[np.int64], regions: Regions, rest_vertices: Floats, edges: NDArray[np.int64]
) -> Floats:
    """Give every vertex a colour.

    Args:
        seen: colours from the photo.
        mirrored: (S,) the opposite vertex of each.
        regions: parts of the surface.
        rest_vertices: (S, 3) T-pose.
        edges: (E, 2).

    Returns:
        (S, 3) float32: the seen colours where they are certain, smooth continuation elsewhere.
    """
    prior = prior_colours(seen, regions)
    unseen = 1 - np.clip(seen.weight, 0, 1)
    known = np.stack(
        [_SEEN * seen.weight, _MIRRORED * unseen * seen.weight[mirrored], _PRIOR * unseen**2 * prior.weight]
    )
    # A trace of the overall colour keeps pieces that nothing is known about from being undefined.
    overall = np.average(seen.colour, axis=0, weights=seen.weight + 1e-9)
    colours = np.stack([seen.colour, seen.colour[mirrored], prior.colour])
    target = np.einsum("kn,knc->nc", known, colours, dtype=np.float64)
    matrix = _laplacian(rest_vertices, edges, regions) + diags_array(known.sum(0) + _FLOOR)
    solved: Floats = splu(matrix.tocsc().astype(np.float64)).solve(target + _FLOOR * overall).astype(np.float32)
    return solved.clip(0, 255)


def _laplacian(rest_vertices: Floats, edges: NDArray[np.int64], regions: Regions) -> coo_array:
    first, second = edges.T
    along = rest_vertices[second] - rest_vertices[first]
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
    axis = regions.axis[first] + regions.axis[second]
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-6)
    cosine = (along * axis).sum(1) / length
    conductance = (_ALONG + (1 - _ALONG) * (1 - cosine**2)) * np.median(length) / length
    # Hair on the head has no such borders.
    on_head = regions.head[first] & regions.head[second]
    conductance[on_head] = 0.3
    count = len(rest_vertices)
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    weights = coo_array((np.tile(conductance, 2), (rows, columns)), shape=(count, count)).tocsr()
    return diags_array(weights.sum(1)) - weights
