"""Fine texture for what nobody sees: cloth sewn from the seen one, strands of hair, plain grain elsewhere."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from munet.render import vertex_normals
from munet.surface.result import ClothedSurface
from munet.texture.atlas import Texels
from munet.texture.cloth import Cloth, draw_charts, lay_tile, make_tile
from munet.texture.fill import Filled
from munet.texture.grain import grain
from munet.texture.light import KIN
from munet.texture.regions import Regions
from munet.texture.sample import Seen
from munet.texture.weave import HAIR, weave

Floats = NDArray[np.float32]

# Fine texture relative to its colour: at most, where no sample of it is seen, and for which share of the texels.
_MOST_FINE = np.float32(0.5)
_GRAIN = np.float32(0.02)
_FEW = 0.002
_SURE = 0.9
_RARE = 0.015
# Kind of texels between two materials, which have none of either's texture.
_BORDER = -2
# Added to the kind of what grows or sits on the scalp.
_HAIR = 64
# Skin is smoother than it looks where hairs, veins and shine are taken for its weave.
_ON_SKIN = np.float32(0.35)
# Brightness below which detail is not taken relative to it.
_DARKEST = np.float32(24)


def fine_texture(
    texels: Texels, seen: Seen, spread: Filled, regions: Regions, cloth: Cloth, seed: int, has_strands: bool = False
) -> Floats:
    """Make fine texture like that of each material where it is seen.

    Args:
        texels: N of them.
        seen: their colours from the photo.
        spread: what the surface is made of.
        regions: parts of the surface.
        cloth: the surface's vertices in the T-pose, of :func:`cloth_of`.
        seed: the same texture for the same seed.
        has_strands: the scalp gets its fine texture elsewhere.

    Returns:
        (N,) brightness relative to the smooth colour, 0 where everything is seen.
    """
    cloths = _cloths(spread)
    kind = _kinds(texels, cloths, regions, has_strands)
    skin = np.bincount(cloths[regions.face]).argmax() if regions.face.any() else _BORDER
    sure = np.flatnonzero((seen.weight > _SURE) & (kind >= 0))
    woven = sure[kind[sure] < _HAIR]
    charts = draw_charts(_at(texels.pick(woven), cloth), seen.colour[woven].mean(1), kind[woven])
    result = np.zeros(len(kind), np.float32)
    for number in np.unique(kind[kind != _BORDER]):
        unseen = np.flatnonzero((kind == number) & (seen.weight < 1))
        if len(unseen) < _FEW * len(kind):
            continue
        some, mine = texels.pick(unseen), sure[kind[sure] == number]
        made: Floats | None = None
        # What is rare is a border between materials: its roughness is nobody's texture.
        if len(mine) > _RARE * len(sure):
            if number >= _HAIR:
                made = _hair(texels, seen, spread, mine, some, seed)
            elif (tile := make_tile(charts, int(number), seed)) is not None:
                made = lay_tile(tile, _at(some, cloth)) * (_ON_SKIN if number == skin else 1)
        result[unseen] = _tiled(_GRAIN * grain(texels.size // 2, seed), some) if made is None else made
    return np.clip(result, -_MOST_FINE, _MOST_FINE)


def _cloths(spread: Filled) -> NDArray[np.int64]:
    """Number (S,) of each vertex's cloth; shades of one cloth have one texture."""
    _, cloth = connected_components(spread.kinship > KIN, directed=False)
    return np.asarray(cloth[spread.winner()], np.int64)


def _kinds(texels: Texels, cloths: NDArray[np.int64], regions: Regions, has_strands: bool) -> NDArray[np.int8]:
    """Number (N,) of each texel's material, hair apart; -1 for what is plain, and ``_BORDER``."""
    # Faces, hands and shoes have features, not a weave; hair is not sampled from clothes of its colour.
    plain = (regions.head & ~(regions.scalp & (not has_strands))) | regions.hands | regions.feet
    kind = np.where(plain, -1, cloths + _HAIR * regions.scalp).astype(np.int8)
    corners = kind[texels.corners]
    return np.where((corners == corners[:, :1]).all(1), corners[:, 0], _BORDER).astype(np.int8)


def _at(texels: Texels, vertices: Cloth) -> Cloth:
    """The points of cloth at texels, from those at vertices."""
    return Cloth(texels.carry(vertices.rest), texels.carry(vertices.normals), vertices.zone[texels.corners[:, 0]])


def _tiled(pattern: Floats, texels: Texels) -> Floats:
    """A pattern repeated over the atlas."""
    row, column = np.divmod(texels.index, texels.size)
    return np.asarray(pattern[row % len(pattern), column % len(pattern)], np.float32)


def _hair(
    texels: Texels, seen: Seen, spread: Filled, sure: NDArray[np.int64], unseen: Texels, seed: int
) -> Floats | None:
    """Fine texture of hair on ``unseen`` texels, like that at the positions ``sure``."""
    detail = np.zeros(texels.size**2, np.float32)
    trusted = np.zeros(texels.size**2, np.bool_)
    bright = spread.at(texels.pick(sure)).mean(1)
    detail[texels.index[sure]] = (seen.colour[sure].mean(1) - bright) / np.maximum(bright, _DARKEST)
    trusted[texels.index[sure]] = True
    square = (texels.size, texels.size)
    made = weave(texels.size, detail.reshape(square), trusted.reshape(square), seed, HAIR)
    return None if made is None else _tiled(made, unseen)


def cloth_of(surface: ClothedSurface, regions: Regions) -> Cloth:
    """The vertices of a surface as cloth in the T-pose."""
    faces = torch.from_numpy(surface.faces.astype(np.int64))
    normals = vertex_normals(torch.from_numpy(surface.rest_vertices), faces).numpy()
    return Cloth(surface.rest_vertices, normals, regions.zone)
