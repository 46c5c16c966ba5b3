"""Hair on the head where nobody sees it: where it grows, its usual colour and its strands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.texture.atlas import Texels
from munet.texture.fill import Filled
from munet.texture.priors import weighted_quantile
from munet.texture.regions import Regions
from munet.texture.rim import colour_bins, histogram
from munet.texture.sample import Seen
from munet.texture.strands import grow, unroll

Floats = NDArray[np.float32]

_SURE = 0.75
# Texels of a 2048 texture that must surely show hair.
_FEWEST = 3600
# A colour is hair's where it is so much commoner on the scalp than on the face; one rare on both tells nothing.
_MORE_OFTEN = 1.0
_KNOWN = 2e-4
# Share of the commonest colour of hair from which a colour is one of hair, and how bright hair is where nobody sees it.
_COMMON = 0.05
_USUAL = 0.45


@dataclass(frozen=True)
class Hair:
    """What hair looks like at M of the texels.

    Attributes:
        place: (M,) int64 positions in the list of texels.
        share: (M,) float32 in [0, 1], how far hair grows there.
        colour: (M, 3) float32.
    """

    place: NDArray[np.int64]
    share: Floats
    colour: Floats


def grown_hair(
    texels: Texels, seen: Seen, spread: Filled, regions: Regions, rest_vertices: Floats, seed: int
) -> Hair | None:
    """Hair for the texels of the head that are not surely seen.

    Args:
        texels: of the surface.
        seen: their colours from the photo.
        spread: smooth colours of the surface.
        regions: parts of the surface.
        rest_vertices: (S, 3) T-pose.
        seed: of what is random.

    Returns:
        The hair, None where too little of it is seen.
    """
    sure = seen.weight > _SURE
    shown = np.flatnonzero(regions.scalp[texels.corners[:, 0]] & sure)
    bare = np.flatnonzero((regions.face & ~regions.crown)[texels.corners[:, 0]] & sure)
    kind = Likeness(seen.colour[shown], seen.colour[bare])
    shown = shown[kind.is_hair(seen.colour[shown])]
    if len(shown) < _FEWEST * (texels.size / 2048) ** 2:
        return None
    sheet = unroll(rest_vertices, regions)
    strands = grow(sheet, texels.pick(shown).carry(rest_vertices), seen.colour[shown], seed)
    if strands is None:
        return None
    hairy = regions.scalp | regions.nape
    share = (hairy & ~kind.is_skin(spread.smooth, hairy)).astype(np.float32)
    wanted = np.flatnonzero((share > 0)[texels.corners].any(1) & (seen.weight < 1))
    some = texels.pick(wanted)
    usual = weighted_quantile(seen.colour[shown], np.ones(len(shown), np.float32), _USUAL)
    alike = kind.how_hairy(spread.smooth)[:, None]
    smooth = some.carry(alike * spread.smooth + (1 - alike) * usual)
    factor = strands.at(some.carry(rest_vertices))
    edge = np.clip((some.carry(share[:, None])[:, 0] - 0.25) / 0.5, 0, 1)
    return Hair(wanted, edge.astype(np.float32), np.minimum(smooth * factor, 255))


class Likeness:
    """Which colours are hair's, from colours of the scalp (N, 3) and of the face (M, 3)."""

    def __init__(self, scalp: Floats, face: Floats) -> None:
        self._face, self._all = histogram(face), histogram(scalp)
        hair = scalp[self.is_hair(scalp)]
        self._hair = histogram(hair) if len(hair) else self._all

    def is_hair(self, colour: Floats) -> NDArray[np.bool_]:
        """Which colours (N, 3) are commoner on the scalp than on the face."""
        bins = colour_bins(colour)
        return np.asarray(self._all[bins] > _MORE_OFTEN * self._face[bins])

    def is_skin(self, colour: Floats, hairy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which colours (N, 3) are the face's; those of neither are where hair is not likely."""
        bins = colour_bins(colour)
        known = np.maximum(self._all[bins], self._face[bins]) > _KNOWN
        return np.where(known | ~hairy, ~self.is_hair(colour), False)

    def how_hairy(self, colour: Floats) -> Floats:
        """How usual colours (N, 3) are for hair, in [0, 1]."""
        usual = self._hair[colour_bins(colour)] / (_COMMON * self._hair.max())
        return np.asarray(np.clip(usual, 0, 1), np.float32)
