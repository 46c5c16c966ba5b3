"""The photo's light, taken out of what is seen as far as the shape explains it.

The brightness of one cloth, seen from different sides, follows the light of the scene, which for matt surfaces is a
smooth function of the normal: nine spherical harmonics are enough (Ramamoorthi and Hanrahan, SIGGRAPH 2001, section 3).
One such function is fitted to the brightness of all that is seen, with a level of its own for every cloth on every part
of the person, so that dark trousers are no shade. Most of it is then taken away. Cast shadows and folds stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from munet.texture.materials import Materials
from munet.texture.priors import Evidence
from munet.texture.regions import Regions

Floats = NDArray[np.float32]

# How much of the light is taken away, and the largest change of the logarithm of a colour.
_STRENGTH = 0.7
_MOST = 0.3
# Spreads of the logarithm of the brightness: of one cloth in one light, and of the light's coefficients.
_NOISE = 0.2
_PRIOR = 0.3
# So many vertices tell something of their own: neighbours have the same folds and the same prints.
_INDEPENDENT = 150.0
# Shades that are related at least so much are one cloth in different light.
KIN = 0.25
_ROUNDS = 8
# sRGB: brightness that is added before the logarithm, where cameras lift and crush shadows.
_LIFT = 12.0
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def light_factor(
    evidence: Evidence, materials: Materials, regions: Regions, normals_cam: Floats, areas: Floats
) -> Floats:
    """Find by how much each vertex is to become brighter or darker.

    Args:
        evidence: colours of the vertices as the photo shows them.
        materials: in these colours.
        regions: parts of the surface.
        normals_cam: (S, 3) unit normals in the photo's pose, camera frame.
        areas: (S,) of the vertices.

    Returns:
        (S,) factors of sRGB values, around 1 over what is seen; all 1 where the light is even or nothing is seen.
    """
    known = np.flatnonzero(evidence.weight > 0)
    weight = (evidence.weight * areas)[known].astype(np.float64)
    if len(known) == 0 or weight.sum() <= 0:
        return np.ones(len(evidence.weight), np.float32)
    weight *= _INDEPENDENT / weight.sum()
    bright = np.log(evidence.colour[known] @ _LUMA + _LIFT)
    groups = cloth_on_parts(materials, evidence.colour[known], regions, known)
    harmonics = _harmonics(normals_cam.astype(np.float64))
    coefficients = _fit(bright.astype(np.float64), harmonics[known], groups, weight)
    light = harmonics @ coefficients
    light -= np.average(light[known], weights=weight)
    return np.exp(-_MOST * np.tanh(_STRENGTH * light / _MOST)).astype(np.float32)


def _parts(regions: Regions) -> NDArray[np.int64]:
    """Number (S,) of the part of the person, the same on both sides."""
    part = np.select([regions.zone >= 3, regions.zone >= 1], [2, 1], 0)
    for number, chosen in enumerate((regions.head, regions.scalp, regions.face, regions.hands, regions.feet), 3):
        part[chosen] = number
    return np.asarray(part, np.int64)


def cloth_on_parts(
    materials: Materials, colour: Floats, regions: Regions, vertices: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number (N,) of what has one colour but for the light: a cloth on one part, from colours (N, 3) of vertices."""
    count, cloth = connected_components(materials.kinship > KIN, directed=False)
    number = cloth[materials.belonging(colour).argmax(1)] + count * _parts(regions)[vertices]
    _, group = np.unique(number, return_inverse=True)
    return np.asarray(group.reshape(-1), np.int64)


def _harmonics(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The eight harmonics of the first and second degree (S, 8), each of variance 1 over the sphere."""
    x, y, z = normal.T
    first = [np.sqrt(3) * axis for axis in (x, y, z)]
    mixed = [np.sqrt(15) * pair for pair in (x * y, y * z, x * z)]
    pure = [np.sqrt(5) / 2 * (3 * z * z - 1), np.sqrt(15) / 2 * (x * x - y * y)]
    return np.stack([*first, *mixed, *pure], 1)


def _fit(
    bright: NDArray[np.float64],
    harmonics: NDArray[np.float64],
    group: NDArray[np.int64],
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Coefficients (8,) of the light; outliers lose their say (Geman and McClure), each group keeps its own level."""
    coefficients: NDArray[np.float64] = np.zeros(harmonics.shape[1])
    prior = np.eye(len(coefficients)) * (_NOISE / _PRIOR) ** 2
    say = weight.copy()
    for _ in range(_ROUNDS):
        total = np.maximum(np.bincount(group, say), 1e-12)
        means = [np.bincount(group, say * column) / total for column in harmonics.T]
        centred = harmonics - np.stack(means, 1)[group]
        level = (np.bincount(group, say * bright) / total)[group]
        weighted = centred * say[:, None]
        coefficients = np.asarray(
            np.linalg.solve(centred.T @ weighted + prior, weighted.T @ (bright - level)), np.float64
        )
        residual = bright - level - centred @ coefficients
        say = weight / (1 + (residual / (2 * _NOISE)) ** 2) ** 2
    return coefficients
