"""Hidden hands, materials and the trust in pixels near outlines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from texture_figure import SIZE, Scene, surface_of, tube

from munet.geometry.camera import Camera
from munet.surface.result import ClothedSurface
from munet.texture.atlas import texels_of
from munet.texture.hands import doubtful_hands, stray_colours
from munet.texture.materials import find_materials
from munet.texture.regions import regions_of
from munet.texture.sample import Seen
from munet.texture.visibility import likeness_trust, look

CAMERA = Camera(430.0, (SIZE / 2, SIZE / 2), SIZE, SIZE)


def _with_hand(x: float) -> tuple[ClothedSurface, int]:
    """An ellipsoid with a small ball before it, or beside it, that hangs on the left wrist; vertices of the first."""
    vertices, faces, uv = tube(40, 50)
    body = surface_of(vertices * np.array([0.3, 0.9, 0.25], np.float32), faces, uv)
    ball, ball_faces, ball_uv = tube(12, 16)
    rest = ball * np.float32(0.08) + np.array([x, -0.2, 0.4], np.float32)
    weights = np.zeros((len(rest), 24), np.float32)
    weights[:, 20] = 1
    return ClothedSurface(
        np.concatenate([body.vertices_cam, rest * [1, -1, -1] + [0, 0, 3]]).astype(np.float32),
        np.concatenate([body.rest_vertices, rest]),
        np.concatenate([body.weights, weights]),
        np.concatenate([faces, ball_faces + len(vertices)]).astype(np.int32),
        body.quads,
        np.concatenate([uv * [0.8, 1], ball_uv * [0.18, 1] + [0.81, 0]]).astype(np.float32),
        1.0,
    ), len(vertices)


@pytest.mark.parametrize(
    ("x", "colour", "hidden"),
    [(0.05, (90, 90, 200), True), (0.05, (200, 150, 120), False), (0.6, (90, 90, 200), False)],
    ids=["over the clothes in their colour", "skin before the clothes", "beside the body"],
)
def test_hands_in_the_colour_of_the_clothes_behind_them(x: float, colour: tuple[int, ...], hidden: bool) -> None:
    surface, first = _with_hand(x)
    regions = regions_of(surface)
    texels = texels_of(surface.faces, surface.uv, 256)
    on_hand = texels.corners[:, 0] >= first
    colours = np.where(on_hand[:, None], colour, (90, 90, 200)).astype(np.float32)
    head = regions.head[texels.corners[:, 0]]
    colours[head] = (200, 150, 120)
    seen = Seen(colours, np.ones(len(colours), np.float32))
    found = doubtful_hands(seen, texels, surface, CAMERA, regions)
    assert found[first:].all() == hidden
    assert not found[:first].any()


def test_stray_colours_on_a_hand_are_found() -> None:
    surface, first = _with_hand(0.6)
    texels = texels_of(surface.faces, surface.uv, 256)
    on_hand = np.flatnonzero(texels.corners[:, 0] >= first)
    colours = np.full((len(texels.index), 3), (200, 150, 120), np.float32)
    colours[on_hand[:400]] = (20, 20, 90)
    seen = Seen(colours, np.ones(len(colours), np.float32))
    assert set(stray_colours(seen, texels, regions_of(surface))) == set(on_hand[:400])


def test_materials_are_the_colours_worn() -> None:
    generator = np.random.default_rng(0)
    worn = np.array([[220, 170, 140], [30, 60, 160], [240, 240, 235], [25, 25, 25]], np.float32)
    which = generator.integers(0, 4, 2000)
    colour = np.clip(worn[which] + generator.normal(0, 4, (2000, 3)), 0, 255).astype(np.float32)
    materials = find_materials(colour, np.ones(2000, np.float32))
    assert len(materials.colours) == 4
    belonging = materials.belonging(colour)
    assert np.allclose(belonging.sum(1), 1, atol=1e-5)
    nearest = materials.colours[belonging.argmax(1)]
    assert np.abs(nearest - worn[which]).max() < 8


def test_shading_does_not_split_a_material() -> None:
    shade = np.linspace(0.75, 1, 500, dtype=np.float32)[:, None]
    assert len(find_materials(np.array([[60, 90, 160]], np.float32) * shade, np.ones(500, np.float32)).colours) == 1


def _square() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Blue person in the left half of a green image, with a mask that reaches six pixels too far."""
    colours = np.full((200, 200, 3), (20, 200, 40), np.float32)
    colours[:, :100] = (30, 40, 220)
    mask = np.zeros((200, 200), np.float32)
    mask[:, :106] = 1
    return colours, mask


def test_pixels_like_the_background_are_doubted() -> None:
    trust = likeness_trust(*_square(), 600.0)
    assert trust[:, 100:106].max() < 0.1
    assert trust[:, :95].min() > 0.95


def test_nothing_is_doubted_where_background_and_person_look_alike() -> None:
    colours, mask = _square()
    assert likeness_trust(np.full_like(colours, 90), mask, 600.0)[:, :95].min() > 0.5


def test_the_photo_border_is_no_outline(scene: Scene) -> None:
    """A figure that fills the whole photo is trusted up to the border."""
    mask = np.ones((SIZE, SIZE), np.float32)
    close = replace(scene.surface, vertices_cam=scene.surface.vertices_cam * np.array([8, 8, 1], np.float32))
    nobody = np.zeros(len(close.vertices_cam), np.bool_)
    view = look(close.vertices_cam, close.faces, CAMERA, mask, scene.photo.image, nobody)
    assert view.trust[:, view.trust.shape[1] // 2].min() > 0.99


def test_shades_of_one_cloth_are_kin_and_two_cloths_are_not() -> None:
    shade = np.linspace(0.25, 1, 3000, dtype=np.float32)[:, None]
    one = find_materials(np.array([[230, 225, 220]], np.float32) * shade, np.ones(3000, np.float32))
    off_diagonal = one.kinship[np.arange(len(one.kinship) - 1), np.arange(1, len(one.kinship))]
    assert len(off_diagonal) == 0 or off_diagonal.min() > 0.3
    generator = np.random.default_rng(0)
    two = np.where(generator.random((3000, 1)) < 0.5, (235, 235, 235), (90, 90, 95)) + generator.normal(0, 5, (3000, 3))
    kinship = find_materials(np.clip(two, 0, 255).astype(np.float32), np.ones(3000, np.float32)).kinship
    assert kinship.shape == (2, 2)
    assert kinship[0, 1] < 0.1
