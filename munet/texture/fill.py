"""Colours for the whole surface from the colours of its seen part: materials spread over the mesh.

What is spread is the belonging to each material and, within each, its colour; the most likely material wins, so that
a hem stays a line behind the back instead of blurring into a gradient. Borders of clothes run around limbs and trunk:
everything flows easily around them and hardly along them. The spreading minimises a sum of squares, solved at once as
a sparse linear system (random walks for segmentation, Grady, PAMI 2006; screened Poisson equation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from munet.texture.atlas import Texels
from munet.texture.materials import Materials
from munet.texture.priors import Evidence, prior_colours
from munet.texture.regions import Regions
from munet.texture.shades import calm_shades
from munet.texture.tone import toned
from munet.texture.vote import distance_from_seen, vote

Floats = NDArray[np.float32]

_ALONG = 0.002
_SEEN = 20.0
_MIRRORED = 0.15
_PRIOR = 0.4
_VOTE = 0.08
_FLOOR = 1e-6
# Square metres: no triangle counts more, however the unposing stretched it.
_LARGEST = 4e-4
# Metres along a limb within which materials are compared, and shares below and above which one is doubted or not.
_SLICE = 0.03
_RARE = (0.12, 0.35)
_ZONES = 5
# How often the likelihood of a material, relative to the likeliest, is squared.
_DECISIVENESS = 4
_CHUNK = 1 << 17


@dataclass(frozen=True)
class Filled:
    """Colours of a whole surface with S vertices and K materials.

    Attributes:
        share: (S, K) float32 belonging of each vertex to the materials, rows sum to 1.
        kinship: (K, K) float32 how much materials are shades of each other.
        shades: (S, K, 3) float32 what each material looks like there.
        smooth: (S, 3) float32 colour at the vertices, where the most likely materials prevail.
    """

    share: Floats
    kinship: Floats
    shades: Floats
    smooth: Floats

    def winner(self) -> NDArray[np.int64]:
        """Most likely material (S,) of every vertex, shades of one cloth taken together."""
        return np.asarray((self.share @ self.kinship).argmax(1), np.int64)

    def at(self, texels: Texels) -> Floats:
        """Colour (N, 3) of texels; a border between materials runs as a line through the faces that it crosses."""
        colour = texels.carry(self.smooth)
        winner = self.winner()[texels.corners]
        crossed = np.flatnonzero((winner != winner[:, :1]).any(1))
        for start in range(0, len(crossed), _CHUNK):
            chosen = crossed[start : start + _CHUNK]
            some = texels.pick(chosen)
            shades = some.carry(self.shades.reshape(len(self.shades), -1)).reshape(len(chosen), -1, 3)
            colour[chosen] = _decided(some.carry(self.share), self.kinship, shades)
        return colour


def fill_vertices(
    seen: Evidence,
    materials: Materials,
    facing: Floats,
    mirrored: NDArray[np.int64],
    regions: Regions,
    rest_vertices: Floats,
    faces: NDArray[np.int32],
) -> Filled:
    """Give every vertex a colour.

    Args:
        seen: colours from the photo.
        materials: of the person.
        facing: (S,) cosine of normal and line of sight.
        mirrored: (S,) the opposite vertex of each.
        regions: parts of the surface.
        rest_vertices: (S, 3) T-pose.
        faces: (G, 3).

    Returns:
        The seen colours where they are certain, continued elsewhere.
    """
    distance = distance_from_seen(seen.weight, rest_vertices, faces)
    prior = prior_colours(seen, materials, regions)
    voted = vote(seen, facing, materials, regions, rest_vertices, distance)
    unseen = 1 - np.clip(seen.weight, 0, 1)
    kinds = materials.belonging(seen.colour)
    shades = calm_shades(seen, kinds, materials, regions.zone)
    belonging = kinds * common_materials(seen, materials, regions, rest_vertices)
    sources = (
        (shades, belonging * (_SEEN * seen.weight)[:, None]),
        (shades[mirrored], belonging[mirrored] * (_MIRRORED * unseen * seen.weight[mirrored])[:, None]),
        (prior.colour[:, None], materials.belonging(prior.colour) * (_PRIOR * unseen**2 * prior.weight)[:, None]),
        (voted.colour, voted.share * (_VOTE * unseen**2 * voted.weight)[:, None]),
    )
    # Per material how much of it there is, and that times its colour: (S, K, 4).
    known = np.zeros((len(unseen), len(materials.colours), 4))
    for colour, share in sources:
        known[..., 0] += share
        known[..., 1:] += share[:, :, None] * colour
    matrix = laplacian(rest_vertices, faces, regions, _ALONG) + diags_array(known[..., 0].sum(1) + _FLOOR)
    # A trace of everything keeps pieces that nothing is known about from being undefined.
    spread = splu(matrix.tocsc().astype(np.float64)).solve(
        known.reshape(len(unseen), -1) + _FLOOR * known.mean(0).ravel()
    )
    spread = spread.reshape(known.shape)
    areas = vertex_areas(rest_vertices, faces)
    isotropic = laplacian(rest_vertices, faces, regions)
    tones = toned(seen, kinds, voted.usual, _shades(spread, materials), voted.zone, isotropic, areas)
    return _filled(spread[..., 0], tones, materials)


def common_materials(seen: Evidence, materials: Materials, regions: Regions, rest_vertices: Floats) -> Floats:
    """Doubt materials that are rare at their place along a limb, such as an arm's colour on the shirt behind it.

    Returns:
        (S, K) in [0.02, 1], rising with the material's share of what is seen of the same limb at the same height.
    """
    place = ((rest_vertices * regions.axis).sum(1) / _SLICE).astype(np.int64)
    place = place - place.min() + 1
    slices = int(place.max()) + 2
    group = np.maximum(regions.zone, 0) * slices + place
    amount = materials.belonging(seen.colour) * (seen.weight * (regions.zone >= 0))[:, None]
    table = np.stack([np.bincount(group, column, slices * _ZONES) for column in amount.T], -1)
    table = table.reshape(_ZONES, slices, -1)
    table[:, 1:-1] = table[:, :-2] + table[:, 1:-1] + table[:, 2:]
    share = (table / np.maximum(table.sum(-1, keepdims=True), 1e-6)).reshape(slices * _ZONES, -1)
    common = np.clip((share - _RARE[0]) / (_RARE[1] - _RARE[0]), 0.02, 1)[group]
    common[regions.zone < 0] = 1
    return np.asarray(common, np.float32)


def _shades(spread: NDArray[np.float64], materials: Materials) -> Floats:
    """Colours (S, K, 3) of the materials from shares and coloured shares (S, K, 4)."""
    share = np.clip(spread[..., :1], 1e-12, None)
    return np.asarray(np.clip((spread[..., 1:] + 1e-4 * materials.colours) / (share + 1e-4), 0, 255), np.float32)


def _filled(spread: NDArray[np.float64], shades: Floats, materials: Materials) -> Filled:
    """Colours from shares (S, K) and what each material looks like (S, K, 3)."""
    share = np.clip(spread, 1e-12, None)
    share = (share / share.sum(1, keepdims=True)).astype(np.float32)
    return Filled(share, materials.kinship, shades, _decided(share, materials.kinship, shades))


def _decided(share: Floats, kinship: Floats, shades: Floats) -> Floats:
    """Colour (N, 3) where the most likely of K materials prevail, from shares (N, K) and their shades (N, K, 3).

    Shades of one material do not compete but blend.
    """
    support = share @ kinship
    decided = support / support.max(1, keepdims=True)
    for _ in range(_DECISIVENESS):
        decided *= decided
    decided *= share
    return np.asarray((decided[..., None] * shades).sum(1) / decided.sum(1)[:, None], np.float32)


def vertex_areas(vertices: Floats, faces: NDArray[np.int32]) -> Floats:
    """Area (S,) that belongs to each vertex: a third of its faces', no face above ``_LARGEST``."""
    first, second, third = (vertices[faces[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(second - first, third - first), axis=1) / 2
    share = np.repeat(np.minimum(area, _LARGEST) / 3, 3)
    return np.bincount(faces.ravel(), share, len(vertices)).astype(np.float32)


def laplacian(rest_vertices: Floats, faces: NDArray[np.int32], regions: Regions, along_share: float = 1.0) -> csr_array:
    """Stiffness matrix (S, S) of linear finite elements with less conductance along limbs, and none into shoes."""
    corners = rest_vertices[faces].astype(np.float64)
    opposite = np.roll(corners, -1, 1) - np.roll(corners, 1, 1)
    crossed = np.cross(opposite[:, 0], opposite[:, 1])
    doubled = np.maximum(np.linalg.norm(crossed, axis=1), 1e-8)
    gradient = np.cross((crossed / doubled[:, None])[:, None], opposite) / doubled[:, None, None]
    axis = regions.axis[faces].mean(1)
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-6)
    along = (gradient * axis[:, None]).sum(-1)
    # Hair on the head has no borders that run around it.
    blocked = np.where(regions.head[faces].all(1), 0.0, 1 - along_share)
    stiffness = gradient @ gradient.transpose(0, 2, 1) - blocked[:, None, None] * along[:, :, None] * along[:, None]
    feet = regions.feet[faces].sum(1)
    stiffness *= (np.minimum(doubled / 2, _LARGEST) * ((feet == 0) | (feet == 3)))[:, None, None]
    rows, columns = np.repeat(faces, 3, 1).ravel(), np.tile(faces, (1, 3)).ravel()
    count = len(rest_vertices)
    return coo_array((stiffness.ravel(), (rows, columns)), shape=(count, count)).tocsr()
