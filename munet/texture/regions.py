"""Which part of a person each vertex of a surface belongs to, read off its weights and its T-pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from munet.surface.result import ClothedSurface

Floats = NDArray[np.float32]

_HEAD = 15
_NECK = 12
_ARMS = ((16, 18), (17, 19))
_LEGS = ((1, 4), (2, 5))
_HANDS = (20, 21, 22, 23)
_FEET = (7, 8, 10, 11)
_TOES = (10, 11)
_FIRST_FINGER = 24
_FIRST_OF_FACE = 54
# A separate piece with fewer vertices than this share of the surface, moved by the head, is an eye.
_EYE_SHARE = 0.05
# The hairline from nape to forehead: depth (0 at the back of a bald head, 1 at the nose) and height above which hair
# grows (0 at the chin, 1 at the crown of a bald head); ears end at 0.57.
_HAIRLINE_DEPTH = (0.2, 0.32, 0.36, 0.55, 0.7, 0.85, 1.0)
_HAIRLINE_HEIGHT = (0.2, 0.3, 0.58, 0.6, 0.7, 0.82, 0.85)
# Where eyes are and how deep a head is, in bald head heights.
_EYE_HEIGHT = 0.54
_HEAD_DEPTH = 0.88
_CROWN = 0.6
# In bald heads: height of the ears' lower end, how far forward ears reach, and the depth of the sides.
_EAR_HEIGHT = 0.4
_NAPE_DEPTH = 0.57
_BESIDE = (0.45, 0.15)
# Ears farther from the middle of the face than this (bald head heights) lie under hair; bare ones end at 0.42.
_UNDER_HAIR = 0.48
# Necklines and collars are lower in front: what runs around the trunk leans by so much (radians) at the neck, and by
# less down to so far (metres) below it.
_NECKLINE = 0.4
_NECKLINE_REACH = 0.22


@dataclass(frozen=True)
class Regions:
    """Parts of a surface with S vertices.

    Attributes:
        head, hands, eyes, scalp: (S,) bool; the scalp is the part of the head where hair grows, eyes are in no other.
        crown: (S,) bool upper part of the head, where hair is looked for.
        nape: (S,) bool ears and back of the head below the hairline.
        beside: (S,) bool sides of the head below the ears, where long hair hangs.
        face: (S,) bool the rest of the head, and the front of the neck.
        feet: (S,) bool.
        zone: (S,) int64 0 trunk, 1 and 2 left and right arm, 3 and 4 left and right leg, -1 anything else.
        axis: (S, 3) unit direction of the limb in the T-pose, which clothes and their borders run around.
    """

    head: NDArray[np.bool_]
    hands: NDArray[np.bool_]
    eyes: NDArray[np.bool_]
    scalp: NDArray[np.bool_]
    crown: NDArray[np.bool_]
    nape: NDArray[np.bool_]
    beside: NDArray[np.bool_]
    face: NDArray[np.bool_]
    feet: NDArray[np.bool_]
    zone: NDArray[np.int64]
    axis: Floats


def regions_of(surface: ClothedSurface) -> Regions:
    """Tell head, scalp, face, hands and eyes of a surface apart."""
    joint = surface.weights.argmax(1)
    joint[joint >= _FIRST_OF_FACE] = _HEAD
    eyes = _eyes(surface, joint)
    head = (joint == _HEAD) & ~eyes
    hands = np.isin(joint, _HANDS) | (joint >= _FIRST_FINGER)
    place = _place_on_head(surface.rest_vertices, head, eyes)
    scalp = head & (place[:, 1] > np.interp(place[:, 2], _HAIRLINE_DEPTH, _HAIRLINE_HEIGHT))
    scalp |= _under_hair(place, head & ~scalp & (place[:, 2] < _NAPE_DEPTH), eyes)
    crown = head & (place[:, 1] > _CROWN)
    below = head & ~scalp & (place[:, 1] < _EAR_HEIGHT)
    nape, beside = head & ~scalp & (place[:, 2] < _NAPE_DEPTH), below & (np.abs(place[:, 2] - _BESIDE[0]) < _BESIDE[1])
    feet = np.isin(joint, _FEET)
    zone = _zones(joint)
    zone[head | eyes | hands | feet] = -1
    axis = np.zeros_like(surface.rest_vertices)
    axis[:, 1] = 1
    axis[zone == 0] = _around_trunk(surface.rest_vertices, joint)[zone == 0]
    axis[np.isin(zone, (1, 2)) | hands] = (1, 0, 0)
    axis[np.isin(joint, _TOES)] = (0, 0, 1)
    return Regions(head, hands & ~eyes, eyes, scalp, crown, nape, beside, head & ~scalp, feet, zone, axis)


def _under_hair(place: Floats, nape: NDArray[np.bool_], eyes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Ear and nape of each side (S,) where the surface stands off so far that only hair can be there."""
    covered = np.zeros_like(nape)
    if not eyes.any():
        return covered
    aside = place[:, 0] - place[eyes, 0].mean()
    for side in (nape & (aside > 0), nape & (aside <= 0)):
        if side.any() and np.median(np.abs(aside[side])) > _UNDER_HAIR:
            covered |= side
    return covered


def _around_trunk(rest_vertices: Floats, joint: NDArray[np.int64]) -> Floats:
    """Unit directions (S, 3) that borders of clothes on the trunk run around: upright, leaning forward at the neck."""
    lean = np.zeros(len(joint), np.float32)
    neck = rest_vertices[joint == _NECK, 1]
    if len(neck):
        below = float(neck.min()) - rest_vertices[:, 1]
        share = np.clip(1 - below / np.float32(_NECKLINE_REACH), 0, 1)
        lean = np.float32(_NECKLINE) * share * share * (3 - 2 * share)
    return np.stack([np.zeros_like(lean), np.cos(lean), np.sin(lean)], 1)


def _zones(joint: NDArray[np.int64]) -> NDArray[np.int64]:
    zone = np.zeros(len(joint), np.int64)
    for number, joints in enumerate((*_ARMS, *_LEGS), start=1):
        zone[np.isin(joint, joints)] = number
    return zone


def edges_of(faces: NDArray[np.int32]) -> NDArray[np.int64]:
    """Edges (E, 2) of a triangle mesh, each once, lower vertex first."""
    halves = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    halves.sort(1)
    count = int(faces.max()) + 1
    keys = np.unique(halves[:, 0] * count + halves[:, 1])
    return np.stack([keys // count, keys % count], 1)


def _eyes(surface: ClothedSurface, joint: NDArray[np.int64]) -> NDArray[np.bool_]:
    count = len(surface.rest_vertices)
    first, second = edges_of(surface.faces).T
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    _, piece = connected_components(graph, directed=False)
    size = np.bincount(piece)
    on_head = np.bincount(piece, joint == _HEAD) > 0.5 * size
    small: NDArray[np.bool_] = ((size < _EYE_SHARE * count) & on_head)[piece]
    return small


def _place_on_head(rest_vertices: Floats, head: NDArray[np.bool_], eyes: NDArray[np.bool_]) -> Floats:
    """Place across, height and depth of every vertex on the head, in units of the bald head under the hair.

    Chin, nose and eyes tell its size, because hair adds to the rest; without eyes the whole head does.
    """
    if not head.any():
        return np.zeros_like(rest_vertices)
    low, high = rest_vertices[head].min(0), rest_vertices[head].max(0)
    tall = float(high[1] - low[1])
    if eyes.any():
        tall = float(rest_vertices[eyes, 1].mean() - low[1]) / _EYE_HEIGHT
    tall = max(tall, 1e-6)
    place = np.asarray((rest_vertices - low) / np.float32(tall), np.float32)
    place[:, 2] = 1 - (high[2] - rest_vertices[:, 2]) / np.float32(tall * _HEAD_DEPTH)
    return place
