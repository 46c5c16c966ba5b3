"""Striped hats and things in front of a person."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from texture_figure import Scene

from munet.texture.atlas import Texels, texels_of
from munet.texture.bands import find_bands
from munet.texture.foreign import covered_arms, thing_materials
from munet.texture.materials import Materials, find_materials
from munet.texture.priors import Evidence
from munet.texture.regions import Regions, regions_of
from munet.texture.sample import Seen

RED, BLACK = (200, 30, 30), (15, 15, 20)


def _head(scene: Scene) -> tuple[Texels, Regions, NDArray[np.float32]]:
    surface = scene.surface
    texels = texels_of(surface.faces, surface.uv, 512)
    return texels, regions_of(surface), texels.carry(surface.rest_vertices)


def test_stripes_around_a_hat_are_carried_on_to_the_back(scene: Scene) -> None:
    """Tilted stripes seen on the front half only."""
    texels, regions, points = _head(scene)
    light = np.sin((points[:, 1] + 0.2 * points[:, 2]) * 2 * np.pi / 0.06) > 0
    colour = np.where(light[:, None], 235, 15) * np.ones(3, np.float32)
    seen = Seen(colour.astype(np.float32), (points[:, 2] > 0.05).astype(np.float32))
    bands = find_bands(seen, texels, regions, scene.surface.rest_vertices)
    assert bands is not None
    stripes, on_hat = bands.at(points)
    behind = on_hat & (points[:, 2] < -0.05) & regions.scalp[texels.corners[:, 0]]
    assert behind.sum() > 1000
    assert (np.abs(stripes - colour)[behind].max(1) < 90).mean() > 0.75


@pytest.mark.parametrize("kind", ["plain", "hair above a forehead", "noise"])
def test_hair_and_plain_hats_have_no_stripes(scene: Scene, kind: str) -> None:
    texels, regions, points = _head(scene)
    level = {
        "plain": np.full(len(points), 60.0),
        "hair above a forehead": np.where(points[:, 1] > 0.75, 20.0, 190.0),
        "noise": np.random.default_rng(0).uniform(0, 255, len(points)),
    }[kind]
    colour = np.repeat(level[:, None], 3, 1).astype(np.float32)
    seen = Seen(colour, (points[:, 2] > 0).astype(np.float32))
    assert find_bands(seen, texels, regions, scene.surface.rest_vertices) is None


def _arms(
    left: NDArray[np.bool_], right: NDArray[np.bool_]
) -> tuple[Evidence, Materials, Regions, NDArray[np.float32]]:
    """Two arms along x in red; black where ``left`` and ``right`` say so for 60 places from shoulder to wrist."""
    reach = np.repeat(np.linspace(0.2, 0.7, 60), 6)
    points = np.concatenate([reach, -reach])[:, None] * np.array([1, 0, 0])
    black = np.concatenate([np.repeat(left, 6), np.repeat(right, 6)])
    generator = np.random.default_rng(0)
    colour = np.where(black[:, None], BLACK, RED) + generator.normal(0, 2, (len(points), 3))
    evidence = Evidence(np.clip(colour, 0, 255).astype(np.float32), np.ones(len(points), np.float32))
    none = np.zeros(len(points), np.bool_)
    zone = np.where(points[:, 0] > 0, 1, 2)
    axis = np.tile(np.array([1, 0, 0], np.float32), (len(points), 1))
    regions = Regions(none, none, none, none, none, none, none, none, none, zone, axis)
    return evidence, find_materials(evidence.colour, evidence.weight), regions, points.astype(np.float32)


def test_an_arm_unlike_the_other_one_is_covered() -> None:
    far = np.arange(60) >= 30
    evidence, materials, regions, points = _arms(far, np.zeros(60, np.bool_))
    covered = covered_arms(evidence, materials, regions, points)
    assert not covered[points[:, 0] < 0].any()
    assert covered[points[:, 0] > 0.5].all()
    assert not covered[(points[:, 0] > 0) & (points[:, 0] < 0.4)].any()
    its = thing_materials(evidence, materials, covered, regions)
    assert np.array_equal(materials.colours[its].mean(1) < 60, [True])


def test_sleeves_and_gloves_on_both_arms_cover_nothing() -> None:
    far = np.arange(60) >= 30
    evidence, materials, regions, points = _arms(far, far)
    assert not covered_arms(evidence, materials, regions, points).any()
    short = np.arange(60) >= 56
    evidence, materials, regions, points = _arms(short, np.zeros(60, np.bool_))
    assert not covered_arms(evidence, materials, regions, points).any()
