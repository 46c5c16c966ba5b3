"""Colours, patterns, lights, backgrounds and noise of one picture, drawn as plain numbers."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

PATTERNS = ("plain", "rings", "stripes", "checks", "blotches", "dots", "print")
SHAPES = 7
CLOUDS = (3, 6, 12, 32)
MASK_WAVES = 8
OCCLUDERS = 2
LIMBS: tuple[tuple[int, ...], ...] = (
    (13, 15, 17, 19, 21), (14, 16, 18, 20, 22), (15, 17, 19, 21), (16, 18, 20, 22),
    (25, 27, 29, 31), (26, 28, 30, 32), (27, 29, 31), (28, 30, 32),
)  # fmt: skip
"""Photo landmarks that are lost together: arms, forearms, legs, shins."""
_LIMB_LOSS, _POINT_LOSS = 0.04, 0.02
_NOISE = (0.002, 0.01)

# Fair to deep, sRGB; between neighbours any mixture.
_SKIN = np.array([[0.96, 0.82, 0.73], [0.89, 0.72, 0.60], [0.80, 0.61, 0.47], [0.64, 0.45, 0.33],
                  [0.46, 0.31, 0.23], [0.29, 0.20, 0.16]])  # fmt: skip
_HAIR = np.array([[0.06, 0.05, 0.05], [0.16, 0.10, 0.07], [0.30, 0.19, 0.11], [0.55, 0.40, 0.22],
                  [0.80, 0.68, 0.45], [0.48, 0.20, 0.09], [0.62, 0.61, 0.60]])  # fmt: skip


@dataclass(frozen=True)
class Looks:
    """What one picture looks like; colours are sRGB in [0, 1].

    Attributes:
        skin: (3,).
        hair: (3,).
        iris: (3,).
        colours: (S, 2, 3) two colours of the cloth in each slot.
        pattern: (S,) number in ``PATTERNS``.
        weave: (S, 4) period in metres, share of the second colour, phase, strength of the fabric's grain.
        ambient: (3,) light from everywhere.
        sun: (2, 3) direction towards the light (unit, camera frame) and its colour.
        sky: (3, 3) light that grows along each axis of the camera frame.
        gloss: () of skin and cloth.
        background: (4, 3) colours of the corners.
        clouds: (CLOUDS, 3, 32, 32) values in [-1, 1] of which a cloud uses its first rows and columns.
        cloud_strength: (CLOUDS + 2,) of each cloud, then the horizon and how hard the clouds are cut.
        shapes: (SHAPES, 9) centre, half sizes, angle, roundness and colour, in image units; half size 0 hides.
        occluders: (OCCLUDERS, 9) the same, in front of the person.
        exposure: (4,) gain of each channel and gamma.
        blur: () share of a blurred copy.
        grain: () deviation of the sensor's noise.
        noise: (33, 2) error of the landmarks in heights of the person.
        lost: (33,) 1 where a landmark is lost.
        mask_waves: (MASK_WAVES, 4) cycles per image in x and y, phase, strength in pixels of 256.
        seed: () int64 of the sensor's noise.
    """

    skin: Tensor
    hair: Tensor
    iris: Tensor
    colours: Tensor
    pattern: Tensor
    weave: Tensor
    ambient: Tensor
    sun: Tensor
    sky: Tensor
    gloss: Tensor
    background: Tensor
    clouds: Tensor
    cloud_strength: Tensor
    shapes: Tensor
    occluders: Tensor
    exposure: Tensor
    blur: Tensor
    grain: Tensor
    noise: Tensor
    lost: Tensor
    mask_waves: Tensor
    seed: Tensor


def draw_looks(random: np.random.Generator, slots: int) -> Looks:
    """Draw the looks of one picture."""
    return Looks(
        **_people(random),
        **_cloth(random, slots),
        **_lights(random),
        **_scenery(random),
        **_camera(random),
        **_mistakes(random),
    )


def _people(random: np.random.Generator) -> dict[str, Tensor]:
    iris = random.choice([[0.25, 0.15, 0.08], [0.35, 0.45, 0.55], [0.3, 0.4, 0.25]])
    jitter = random.normal(0, 0.015, 3)
    skin, hair = _mixture(random, _SKIN) + jitter, _mixture(random, _HAIR)
    return {"skin": _tensor(np.clip(skin, 0, 1)), "hair": _tensor(hair), "iris": _tensor(iris)}


def _mixture(random: np.random.Generator, palette: NDArray[Any]) -> NDArray[Any]:
    place = random.uniform(0, len(palette) - 1)
    low = int(place)
    share = place - low
    return np.asarray(palette[low] * (1 - share) + palette[min(low + 1, len(palette) - 1)] * share)


def _cloth(random: np.random.Generator, slots: int) -> dict[str, Tensor]:
    pattern = random.choice(len(PATTERNS), slots, p=[0.5, 0.09, 0.08, 0.08, 0.1, 0.05, 0.1])
    period = np.exp(random.uniform(np.log(0.02), np.log(0.13), slots))
    weave = np.stack([period, random.uniform(0.2, 0.6, slots), random.uniform(0, 1, slots),
                      random.uniform(0, 0.06, slots)], 1)  # fmt: skip
    colours = [[_dye(random), _dye(random)] for _ in range(slots)]
    return {"pattern": torch.from_numpy(pattern), "weave": _tensor(weave), "colours": _tensor(colours)}


def _dye(random: np.random.Generator) -> NDArray[Any]:
    """Return a colour of cloth: greys, navy and beige are far more common than bright dyes."""
    if random.random() < 0.35:
        return np.asarray(np.full(3, random.choice([0.05, 0.12, 0.3, 0.6, 0.88])) + random.normal(0, 0.02, 3)).clip(
            0, 1
        )
    saturation, value = random.beta(1.6, 2.2), random.uniform(0.12, 0.95)
    return np.array(colorsys.hsv_to_rgb(random.random(), saturation, value))


def _lights(random: np.random.Generator) -> dict[str, Tensor]:
    toward = random.normal(0, 1, 3) + np.array([0, -0.9, -0.6])
    toward /= np.linalg.norm(toward)
    warm = random.normal(0, 0.05)
    tint = np.array([1 + warm, 1.0, 1 - warm])
    strength = random.uniform(0.1, 0.75)
    return {
        "ambient": _tensor((0.92 - 0.5 * strength) * random.uniform(0.75, 1.0) * (2 - tint)),
        "sun": _tensor([toward, strength * 1.15 * tint]),
        "sky": _tensor(random.normal(0, 0.07, (3, 3)) + np.array([[0.0], [-0.1], [0.0]])),
        "gloss": _tensor(random.uniform(0, 0.12)),
    }


def _scenery(random: np.random.Generator) -> dict[str, Tensor]:
    grey = random.uniform(0.05, 0.95)
    base = grey + random.normal(0, min(random.exponential(0.07), 0.2), 3)
    corners = np.clip(base + random.normal(0, random.uniform(0.01, 0.2), (4, 3)), 0, 1)
    clouds = random.uniform(-1, 1, (len(CLOUDS), 1, 32, 32)) + random.normal(0, 0.1, (len(CLOUDS), 3, 32, 32))
    strength = random.exponential(random.exponential(0.06), len(CLOUDS)) * np.array([1, 0.8, 0.5, 0.3])
    hard = random.choice([0.0, 1.0], p=[0.85, 0.15])
    horizon = random.uniform(0.55, 0.95) if random.random() < 0.5 else 1.0
    shapes = _shapes(random, SHAPES, 0.6 if random.random() < 0.6 else 0.0, (0.02, 0.4))
    occluders = _shapes(random, OCCLUDERS, 0.12, (0.04, 0.22))
    return {"background": _tensor(corners), "clouds": _tensor(clouds),
            "cloud_strength": _tensor([*strength, horizon, hard]), "shapes": _tensor(shapes),
            "occluders": _tensor(occluders)}  # fmt: skip


def _shapes(random: np.random.Generator, count: int, share: float, size: tuple[float, float]) -> NDArray[Any]:
    shown = random.random((count, 1)) < share
    half = np.exp(random.uniform(np.log(size[0]), np.log(size[1]), (count, 2))) * shown
    angle = random.choice([0.0, 1.0], (count, 1), p=[0.6, 0.4]) * random.uniform(-1.5, 1.5, (count, 1))
    parts = [random.uniform(0, 1, (count, 2)), half, angle, random.integers(0, 2, (count, 1)),
             random.uniform(0.02, 0.95, (count, 1)) + random.normal(0, 0.12, (count, 3))]  # fmt: skip
    return np.concatenate(parts, 1)


def _camera(random: np.random.Generator) -> dict[str, Tensor]:
    return {
        "exposure": _tensor([*np.clip(random.normal(1, 0.04, 3) * random.normal(1.05, 0.1), 0.7, 1.4),
                             random.uniform(0.85, 1.15)]),
        "blur": _tensor(max(0.0, random.normal(0.1, 0.35))).clamp_max(1),
        "grain": _tensor(random.exponential(0.012)),
        "seed": torch.tensor(int(random.integers(1 << 60))),
    }  # fmt: skip


def _mistakes(random: np.random.Generator) -> dict[str, Tensor]:
    lost = random.random(33) < _POINT_LOSS
    for limb in LIMBS:
        lost[list(limb)] |= random.random() < _LIMB_LOSS
    waves = np.concatenate([random.normal(0, 1, (MASK_WAVES, 2)) * random.uniform(2, 20, (MASK_WAVES, 1)),
                            random.uniform(0, 2 * np.pi, (MASK_WAVES, 1)),
                            random.exponential(0.35, (MASK_WAVES, 1))], 1)  # fmt: skip
    noise = random.normal(0, random.uniform(*_NOISE), (33, 2))
    return {"noise": _tensor(noise), "lost": _tensor(lost), "mask_waves": _tensor(waves)}


def _tensor(values: ArrayLike) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
