"""What the unseen side of a garment is made of: a vote of what is seen around trunk and limbs at the same height.

Votes of what turns away from the camera count more, for they lie nearest to the unseen side, and on the trunk what is
seen on one side only counts little: a panel under one arm stays there instead of flooding the back.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from munet.texture.materials import Materials
from munet.texture.priors import Evidence, skin_likeness, weighted_quantile
from munet.texture.regions import Regions, edges_of
from munet.texture.shades import related

Floats = NDArray[np.float32]

# Metres along a limb within which materials are compared.
_SLICE = 0.015
_ZONES = 6
_FEET = 5
# Trunk and arms wear one thing, and so do both legs.
_GARMENT = np.array([0, 0, 0, 1, 1, 2])
# What is seen frontally counts this much of what is seen at the outline, and what is on one side only this much.
_FRONTAL = 0.06
_ONE_SIDED = 0.35
# Weighted vertices of a slice from which its vote counts fully.
_ENOUGH = 6.0
# Say of the wider neighbourhood of a slice, and its width in slices.
_WIDE_SAY = 0.6
_WIDE = 6.0
# What counts as skin: its likeness and its share of the face; and what its votes on the trunk are worth.
_SKIN = 0.4
_ON_FACE = 0.15
_SKIN_SAY = 0.5
# Metres from the nearest seen vertex: nearer than the first neighbours decide, farther than the second the vote.
_REACH = (0.01, 0.08)
_FAR = 0.25
# A shadow's amount as a share of its cloth's, its lightness likewise, how far its chroma may be off (Lab), and the
# least share of the cloth at the heights where the shadow is.
_RARE = 0.2
_DEEP = (0.15, 0.6)
_HUE_NOISE = 9.0
_BESIDE = 0.15


@dataclass(frozen=True)
class Vote:
    """Verdicts for S vertices and K materials.

    Attributes:
        share: (S, K) float32 how likely each material is; rows sum to 1 or are 0 where nothing is known.
        colour: (S, K, 3) float32 usual colour of each material in the same part of the person.
        weight: (S,) float32 in [0, 1], rising with the distance from what is seen.
        usual: (P, K, 3) float32 the same colours for each part.
        zone: (S,) part of each vertex, -1 for none.
    """

    share: Floats
    colour: Floats
    weight: Floats
    usual: Floats
    zone: NDArray[np.int64]


def vote(
    seen: Evidence,
    facing: Floats,
    materials: Materials,
    regions: Regions,
    rest_vertices: Floats,
    distance: Floats,
) -> Vote:
    """Let the seen vertices of trunk, arms, legs and feet decide about the unseen ones.

    Args:
        seen: colours from the photo.
        facing: (S,) cosine of normal and line of sight.
        materials: of the person.
        regions: parts of the surface.
        rest_vertices: (S, 3) T-pose.
        distance: (S,) metres from what is seen, of :func:`distance_from_seen`.

    Returns:
        The verdicts; no weight outside these parts.
    """
    zone = np.where(regions.feet, _FEET, regions.zone)
    place = _slices(rest_vertices, regions)
    relevance = _FRONTAL + (1 - _FRONTAL) * (1 - np.clip(facing, 0, 1))
    belonging = materials.belonging(seen.colour)
    amount = belonging * (seen.weight * relevance * (zone >= 0))[:, None]
    left, right = (_table(amount * side[:, None], zone, place) for side in _sides(rest_vertices))
    both = left + right
    balance = np.minimum(left, right) / np.maximum(np.maximum(left, right), 1e-6)
    both[0] *= (_ONE_SIDED + (1 - _ONE_SIDED) * balance)[0]
    # A neckline is lower in front: the skin there says little about the back.
    on_face = (belonging * seen.weight[:, None])[regions.face].sum(0)
    is_skin = (skin_likeness(materials.colours) > _SKIN) & (on_face > _ON_FACE * on_face.sum())
    both[0] *= np.where(is_skin, _SKIN_SAY, 1)
    # Shades of one cloth vote together.
    support = both * (both @ materials.kinship)
    share = support / np.maximum(support.sum(-1, keepdims=True), 1e-6)
    sure = np.clip((left + right).sum(-1) / _ENOUGH, 0, 1)
    weight = sure[zone, place] * (zone >= 0) * np.clip((distance - _REACH[0]) / (_REACH[1] - _REACH[0]), 0, 1)
    # What is seen of a cloth's other shades counts for what it usually looks like: a fold's shadow goes around nobody.
    usual = _usual_colours(seen, belonging @ related(materials), zone, materials)
    for garment in np.unique(_GARMENT):
        its = np.flatnonzero(garment == _GARMENT)
        usual[its] = usual[its][:, lit_cloth((left + right)[its], materials)]
    return Vote(share[zone, place].astype(np.float32), usual[zone], weight.astype(np.float32), usual, zone)


def distance_from_seen(weight: Floats, rest_vertices: Floats, faces: NDArray[np.int32]) -> Floats:
    """Metres (S,) along the surface to the nearest vertex that is surely seen, at most a quarter of a metre."""
    seen = np.flatnonzero(weight > 0.5)
    if len(seen) == 0:
        return np.full(len(weight), _FAR, np.float32)
    first, second = edges_of(faces).T
    length = np.linalg.norm(rest_vertices[first] - rest_vertices[second], axis=1) + 1e-6
    graph = coo_array((length, (first, second)), shape=(len(weight), len(weight))).tocsr()
    found = dijkstra(graph, directed=False, indices=seen, min_only=True, limit=_FAR)
    return np.asarray(np.minimum(found, _FAR), np.float32)


def _slices(rest_vertices: Floats, regions: Regions) -> NDArray[np.int64]:
    """Number of every vertex's slice along its limb; a foot is one slice."""
    place = np.floor((rest_vertices * regions.axis).sum(1) / _SLICE).astype(np.int64)
    place[regions.feet] = place[~regions.feet].min(initial=0)
    return np.asarray(place - place.min() + 1, np.int64)


def _sides(rest_vertices: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    left = rest_vertices[:, 0] > 0
    return left, ~left


def _table(amount: Floats, zone: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """Amounts (zones, slices, K), a little smoothed along the limbs."""
    slices = int(place.max()) + 2
    group = np.maximum(zone, 0) * slices + place
    columns = [np.bincount(group, column, _ZONES * slices) for column in amount.T]
    table = np.stack(columns, -1).reshape(_ZONES, slices, -1)
    # Neighbouring slices have a say, so that shades of one garment do not alternate.
    near = table + gaussian_filter1d(table, 1.0, axis=1, mode="constant")
    return np.asarray(near + _WIDE_SAY * gaussian_filter1d(table, _WIDE, axis=1, mode="constant"))


def _usual_colours(seen: Evidence, belonging: Floats, zone: NDArray[np.int64], materials: Materials) -> Floats:
    """Median colour (zones, K, 3) of each material in each garment, or over the person where that has little of it."""
    usual = np.tile(materials.colours, (_ZONES, 1, 1)).astype(np.float32)
    everywhere = np.flatnonzero((zone >= 0) & (seen.weight > 0))
    for kind in range(len(materials.colours)):
        weight = seen.weight[everywhere] * belonging[everywhere, kind]
        if weight.sum() > _ENOUGH:
            usual[:, kind] = weighted_quantile(seen.colour[everywhere], weight)
    for number in range(_ZONES):
        inside = (_GARMENT[zone] == _GARMENT[number]) & (zone >= 0) & (seen.weight > 0)
        for kind in range(len(materials.colours)):
            weight = seen.weight[inside] * belonging[inside, kind]
            if weight.sum() > _ENOUGH:
                usual[number, kind] = weighted_quantile(seen.colour[inside], weight)
    return usual


def lit_cloth(table: NDArray[np.float64], materials: Materials) -> NDArray[np.int64]:
    """For each of K materials the one (K,) that it is the deep shadow of, or itself.

    A shadow is dark, rare, and found beside its cloth; its hue is little but noise.
    """
    amount = table.sum((0, 1))
    share = table / np.maximum(table.sum(-1, keepdims=True), 1e-9)
    beside = np.einsum("zsk,zsj->kj", table, share) / np.maximum(amount[:, None], 1e-9)
    lab = cv2.cvtColor(np.ascontiguousarray(materials.colours, np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0]
    darker = lab[:, :1] / np.maximum(lab[:, 0], 1)
    off = np.linalg.norm(lab[:, None, 1:] - darker[..., None] * lab[:, 1:], axis=-1)
    may = (darker > _DEEP[0]) & (darker < _DEEP[1]) & (off < _HUE_NOISE) & (amount[:, None] < _RARE * amount)
    score = np.where(may, beside, 0)
    return np.where(score.max(1) > _BESIDE, score.argmax(1), np.arange(len(score)))
