"""What colour a part of a person has when the photo does not show it: skin, hair, or the clothes next to it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.materials import Materials
from munet.texture.regions import Regions

Floats = NDArray[np.float32]

_GREY = np.full(3, 128, np.float32)
_SHOES = np.array([58, 54, 52], np.float32)
# Sum of vertex weights below which a part counts as not seen.
_FEW = 5.0
# Shares of legs and hands that must be seen to tell what they wear.
_LEG_SHARE = 0.12
_HAND_SHARE = 0.01
# Share of the crown that a material other than the face's needs to be hair (or a hat) and not an eyebrow.
_HAIR_SHARE = 0.2
# Share of the face from which a material counts as the face's.
_FACE_SHARE = 0.3
_HAIR_QUANTILE = 0.35
# Share of hair in what is seen below the ears from which it hangs down behind as well.
_LONG = 0.5
# Clothes spread from where they are seen; their prior decides only far from there.
_CLOTHES = 0.004


@dataclass(frozen=True)
class Evidence:
    """What is known of the colour of each vertex.

    Attributes:
        colour: (S, 3) float32 sRGB 0 to 255.
        weight: (S,) float32 in [0, 1].
    """

    colour: Floats
    weight: Floats


def prior_colours(evidence: Evidence, materials: Materials, regions: Regions) -> Evidence:
    """Colours of parts that are not seen: hair of the scalp, skin of face and hands, clothes of trunk and limbs.

    Skin is what prevails on the face, or on the hands when no face is seen. Legs that are hardly seen take after the
    trunk, feet after ordinary dark shoes.
    """
    amount = materials.belonging(evidence.colour) * evidence.weight[:, None]
    kinship = materials.kinship
    skin = skin_likeness(evidence.colour)[:, None]
    face = _prevailing(evidence, amount * skin, kinship, regions.face)
    hands = _prevailing(evidence, amount, kinship, regions.hands, _HAND_SHARE * float(regions.hands.sum()))
    in_arms = (regions.zone == 1) | (regions.zone == 2)
    upper = _prevailing(evidence, amount, kinship, (regions.zone == 0) | in_arms)
    on_legs = regions.zone >= 3
    legs = _prevailing(evidence, amount, kinship, on_legs, _LEG_SHARE * float(on_legs.sum()))
    arms = _prevailing(evidence, amount, kinship, in_arms)
    feet = _prevailing(evidence, amount, kinship, regions.feet)
    hair = _hair(evidence, amount, regions)
    colour = np.tile(_GREY, (len(evidence.weight), 1))
    weight = np.zeros_like(evidence.weight)
    for chosen, known, strength in (
        (regions.scalp, hair, 1.0),
        (regions.face, _first(face, hands), 1.0),
        (regions.nape, hair if _is_long(hair, evidence, materials, regions) else _first(face, hands), 1.0),
        (regions.hands, _first(hands, face), 1.0),
        (regions.zone == 0, _first(upper, legs), _CLOTHES),
        (in_arms, _first(arms, upper), _CLOTHES),
        (on_legs, _first(legs, upper), _CLOTHES),
        (regions.feet, _first(feet, _SHOES), _CLOTHES if feet is not None else 1.0),
    ):
        if known is not None:
            colour[chosen] = known
            weight[chosen] = strength
    return Evidence(colour, weight)


def skin_likeness(colour: Floats) -> Floats:
    """How far colours (S, 3) could be skin of any tone: 0.05 for hues and greys that skin never has, to 1."""
    _, a, b = cv2.cvtColor(np.ascontiguousarray(colour, np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0].T
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    likely = np.clip((chroma - 6) / 6, 0, 1) * np.clip((60 - chroma) / 10, 0, 1)
    likely *= np.clip((hue - 12) / 12, 0, 1) * np.clip((88 - hue) / 10, 0, 1)
    return np.asarray(np.maximum(likely, 0.05), np.float32)


def _first(*colours: Floats | None) -> Floats | None:
    return next((colour for colour in colours if colour is not None), None)


def _prevailing(
    evidence: Evidence, amount: Floats, kinship: Floats, chosen: NDArray[np.bool_], least: float = _FEW
) -> Floats | None:
    """Mean colour (3,) of the commonest material and its shades on ``chosen`` vertices; None if hardly any is seen."""
    total = amount[chosen].sum(0)
    if total.sum() < max(least, _FEW):
        return None
    share = amount[chosen] @ kinship[(kinship @ total).argmax()]
    return np.asarray(np.average(evidence.colour[chosen], axis=0, weights=share), np.float32)


def _hair(evidence: Evidence, amount: Floats, regions: Regions) -> Floats | None:
    """Commonest material of the scalp, or else of the crown, that is not the face's, unless it is next to nothing."""
    enough = amount[regions.scalp].sum() > _FEW
    chosen = regions.scalp if enough else regions.crown
    total = amount[chosen].sum(0)
    if total.sum() < _FEW:
        return None
    other = total.copy()
    # A black beard is no reason to call black hair skin.
    low = regions.face & ~regions.crown
    on_face = amount[low] * skin_likeness(evidence.colour[low])[:, None]
    other[on_face.sum(0) > _FACE_SHARE * on_face.sum()] = 0
    kind = other if other.sum() > _HAIR_SHARE * total.sum() else total
    weight = (amount[chosen] * (kind > 0)).sum(1)
    # Shine makes hair look lighter than the side that nobody sees.
    return weighted_quantile(evidence.colour[chosen], weight, _HAIR_QUANTILE)


def _is_long(hair: Floats | None, evidence: Evidence, materials: Materials, regions: Regions) -> bool:
    """Whether the photo shows hair rather than skin at the sides of the head below the ears."""
    seen = regions.beside & (evidence.weight > 0)
    if hair is None or evidence.weight[seen].sum() < _FEW:
        return False
    kind = materials.belonging(hair[None])[0] @ materials.kinship
    alike = materials.belonging(evidence.colour[seen]) @ kind
    return float(np.average(alike, weights=evidence.weight[seen])) > _LONG


def weighted_quantile(values: Floats, weight: Floats, quantile: float = 0.5) -> Floats:
    """Quantile (C,) of values (N, C), each column on its own, under weights (N,)."""
    order = values.argsort(0)
    total = weight[order].cumsum(0)
    place = np.minimum((total < total[-1] * quantile).sum(0), len(values) - 1)
    return np.asarray(values[order[place, np.arange(values.shape[1])], np.arange(values.shape[1])], np.float32)
