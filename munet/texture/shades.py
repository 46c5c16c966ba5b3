"""Shadows stay where the photo shows them: what spreads to unseen cloth is nearly of its usual brightness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.materials import Materials
from munet.texture.priors import Evidence, weighted_quantile

Floats = NDArray[np.float32]

_ZONES = 5
# Logarithm of the brightness by which a spread colour departs from the usual one at most.
_MOST = np.float32(0.1)
# Weighted vertices of a cloth without which a part of the person has no usual brightness of its own.
_ENOUGH = 6.0
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_DARKEST = np.float32(8)
# Logarithms of the brightness up to which and from which a departure is a shade and is none.
_DEEP = (0.4, 0.8)
# Difference of chroma by lightness up to which two shades have one hue, and what a strong colour adds to it.
_SAME_HUE = (0.08, 0.1)


def related(materials: Materials) -> Floats:
    """How much each of K materials has a say about the usual colour of another one: (K, K), 1 on the diagonal.

    Only lighter and darker shades of one hue have: beige shorts, skin and a white shirt may be kin as well.
    """
    lab = cv2.cvtColor(np.ascontiguousarray(materials.colours, np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0]
    # Light scales lightness and chroma of one cloth nearly alike.
    chroma = lab[:, 1:] / np.maximum(lab[:, :1], 5)
    strength = np.linalg.norm(chroma, axis=1)
    apart = np.linalg.norm(chroma[:, None] - chroma, axis=-1)
    bright = np.log(np.maximum(materials.colours @ _LUMA, _DARKEST))
    shade = np.clip((_DEEP[1] - np.abs(bright[:, None] - bright)) / (_DEEP[1] - _DEEP[0]), 0, 1)
    same = _SAME_HUE[0] + _SAME_HUE[1] * np.maximum(strength[:, None], strength)
    return np.asarray(np.minimum(2 * materials.kinship, 1) * shade * np.clip(2 - apart / same, 0, 1), np.float32)


def calm_shades(seen: Evidence, belonging: Floats, materials: Materials, zone: NDArray[np.int64]) -> Floats:
    """Colours of trunk and limbs with their shadows and lights held back; head, hands and feet stay as they are.

    Args:
        seen: colours from the photo.
        belonging: (S, K) of these colours to the materials.
        materials: K of them; shades of one cloth have one usual brightness.
        zone: (S,) part of the person, -1 for what stays.

    Returns:
        (S, K, 3) what each vertex has to say about the colour of each material.
    """
    bright = np.log(np.maximum(seen.colour @ _LUMA, _DARKEST))
    cloth = belonging @ related(materials)
    result = np.repeat(seen.colour[:, None], belonging.shape[1], 1)
    for number in range(_ZONES):
        inside = np.flatnonzero((zone == number) & (seen.weight > 0))
        for kind in range(belonging.shape[1]):
            weight = seen.weight[inside] * cloth[inside, kind]
            if weight.sum() > _ENOUGH:
                away = bright[inside] - weighted_quantile(bright[inside, None], weight)
                calm = _MOST * np.tanh(away / _MOST) - away
                # What is much darker is something else, or a shadow whose hue is noise and would be garish in daylight.
                shade = np.clip((_DEEP[1] - np.abs(away)) / (_DEEP[1] - _DEEP[0]), 0, 1)
                result[inside, kind] = np.minimum(seen.colour[inside] * np.exp(shade * calm)[:, None], 255)
    return np.asarray(result, np.float32)
