"""The photo's light and its shadows do not travel around a person."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from munet.texture.light import light_factor
from munet.texture.materials import Materials, find_materials
from munet.texture.priors import Evidence
from munet.texture.regions import Regions
from munet.texture.shades import calm_shades, related

Floats = NDArray[np.float32]
COUNT = 1200
GREY, BLUE = np.array([150, 150, 150], np.float32), np.array([40, 70, 160], np.float32)


def _regions(zone: NDArray[np.int64]) -> Regions:
    nothing = np.zeros(len(zone), np.bool_)
    up = np.tile(np.array([0, 1, 0], np.float32), (len(zone), 1))
    return Regions(*[nothing] * 9, zone, up)


def _half_sphere() -> Floats:
    """Normals that turn to the camera."""
    normals = np.random.default_rng(0).standard_normal((COUNT, 3)).astype(np.float32)
    normals[:, 2] = -np.abs(normals[:, 2])
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.float32)


def _factor(colour: Floats, normals: Floats, zone: NDArray[np.int64], weight: Floats | None = None) -> Floats:
    seen = Evidence(colour, np.ones(len(colour), np.float32) if weight is None else weight)
    areas = np.ones(len(colour), np.float32)
    return light_factor(seen, find_materials(seen.colour, seen.weight), _regions(zone), normals, areas)


def _unevenness(colour: Floats) -> float:
    return float(np.log(colour.mean(1)).std())


def test_light_from_one_side_becomes_even() -> None:
    normals = _half_sphere()
    trunk = np.zeros(COUNT, np.int64)
    lit = GREY * (1 + 0.35 * normals[:, :1])
    factor = _factor(lit, normals, trunk)
    assert _unevenness(lit * factor[:, None]) < 0.45 * _unevenness(lit)
    assert np.log(factor).mean() == pytest.approx(0, abs=0.03)
    from_the_other_side = _factor(lit, normals * np.array([-1, 1, 1], np.float32), trunk)
    assert np.abs(from_the_other_side - factor).max() < 1e-4


def test_even_light_changes_nothing() -> None:
    normals = _half_sphere()
    zone = np.where(normals[:, 1] > 0, 3, 0)
    two = np.where(zone[:, None] > 0, BLUE, GREY)
    assert np.abs(_factor(two, normals, zone) - 1).max() < 0.01


def test_light_is_bounded_and_nothing_seen_is_no_light() -> None:
    normals = _half_sphere()
    trunk = np.zeros(COUNT, np.int64)
    harsh = GREY * np.where(normals[:, :1] > 0, 1.6, 0.1).astype(np.float32)
    factor = _factor(harsh, normals, trunk)
    assert factor.max() < 1.36
    assert factor.min() > 0.74
    assert (_factor(harsh, normals, trunk, np.zeros(COUNT, np.float32)) == 1).all()


def test_shadows_are_held_back_where_colours_spread() -> None:
    zone = np.zeros(COUNT, np.int64)
    zone[:100] = -1
    colour = BLUE * (1 - 0.4 * np.random.default_rng(1).random((COUNT, 1), np.float32) ** 2)
    seen = Evidence(colour, np.ones(COUNT, np.float32))
    materials = find_materials(seen.colour, seen.weight)
    kinds = materials.belonging(seen.colour)
    calm = (calm_shades(seen, kinds, materials, zone) * kinds[..., None]).sum(1)
    assert np.abs(calm[:100] - colour[:100]).max() < 0.01
    assert _unevenness(calm[100:]) < 0.6 * _unevenness(colour[100:])
    assert np.log(calm[100:].mean(1) / np.median(colour[100:].mean(1))).min() > -0.14
    hue = calm / calm.sum(1, keepdims=True)
    assert np.abs(hue - BLUE / BLUE.sum()).max() < 0.01


def _materials(*colours: tuple[int, int, int]) -> Materials:
    """Materials that are all kin."""
    rgb = np.array(colours, np.float32)
    return Materials(rgb, rgb, np.full((len(rgb), len(rgb)), 0.6, np.float32))


def test_only_shades_of_one_hue_say_what_a_cloth_usually_looks_like() -> None:
    red = related(_materials((159, 4, 11), (112, 15, 20)))
    assert red.min() > 0.5
    assert (related(_materials((150, 155, 168), (110, 115, 130))) > 0.5).all()
    others = related(_materials((200, 185, 160), (190, 140, 110), (238, 238, 238)))
    assert np.abs(others - np.eye(3)).max() < 0.1
