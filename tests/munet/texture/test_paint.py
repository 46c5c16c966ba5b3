"""Painting a figure from a render of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from texture_figure import BACKGROUND, Scene, checker, photograph, surface_of, tube

from munet.errors import InvalidInputError
from munet.settings import Settings
from munet.texture.atlas import texels_of
from munet.texture.paint import paint
from munet.texture.sample import project_vertices, sample_photo
from munet.texture.visibility import look

SETTINGS = Settings(texture_size=512)


def _paint(scene: Scene, settings: Settings = SETTINGS) -> NDArray[np.uint8]:
    return paint(scene.surface, scene.fit, scene.photo, scene.observation, settings)


def _seen_weight(scene: Scene, size: int = 512) -> NDArray[np.float32]:
    surface = scene.surface
    texels = texels_of(surface.faces, surface.uv, size)
    nowhere = np.zeros(len(surface.vertices_cam), np.bool_)
    mask, image = scene.observation.mask, scene.photo.image
    view = look(surface.vertices_cam, surface.faces, scene.fit.camera, mask, image, nowhere)
    seen = sample_photo(texels, project_vertices(surface.vertices_cam, surface.faces, view), view, scene.photo.image)
    weight = np.zeros(size * size, np.float32)
    weight[texels.index] = seen.weight
    return weight.reshape(size, size)


def test_seen_texels_get_their_colour_back(scene: Scene) -> None:
    weight = _seen_weight(scene)
    assert 0.25 < (weight > 0.9).mean() < 0.5
    error = np.abs(_paint(scene).astype(int) - scene.texture).max(-1)[weight > 0.9]
    # Squares are 20 photo pixels wide at most: only their borders are blurred by the photo.
    assert np.median(error) <= 1
    assert (error > 40).mean() < 0.15


def test_only_the_front_is_seen(scene: Scene) -> None:
    weight = _seen_weight(scene)
    assert weight[:, :100].max() == 0
    assert weight[:, -100:].max() == 0
    assert weight[200:300, 240:270].min() > 0.99


def _magenta(texture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How much redder and bluer than green each texel is."""
    values = texture.astype(float)
    return np.asarray(np.minimum(values[..., 0], values[..., 2]) - values[..., 1])


def test_no_background_bleeds_in(scene: Scene) -> None:
    grey = np.full_like(scene.texture, 128)
    figure = photograph(scene.surface, grey)
    assert (figure.photo.image == BACKGROUND).all(-1).mean() > 0.5
    texture = _paint(figure)
    assert _magenta(texture).max() < 12
    assert np.abs(texture.astype(int) - 128).max() < 40


def test_no_background_bleeds_in_when_the_surface_is_too_wide(scene: Scene) -> None:
    grey = photograph(scene.surface, np.full_like(scene.texture, 128))
    wide = replace(scene.surface, vertices_cam=scene.surface.vertices_cam * np.array([1.1, 1, 1], np.float32))
    assert _magenta(paint(wide, grey.fit, grey.photo, grey.observation, SETTINGS)).max() < 12


def test_the_same_input_gives_the_same_texture(scene: Scene) -> None:
    assert np.array_equal(_paint(scene), _paint(scene))


def test_texture_has_the_size_of_the_settings(scene: Scene) -> None:
    assert _paint(scene, Settings(texture_size=256)).shape == (256, 256, 3)


def test_a_person_in_front_is_not_painted_on(scene: Scene) -> None:
    """A red ball before the green figure: with its surface given none of its red is used."""
    figure = photograph(scene.surface, np.full_like(scene.texture, 128))
    vertices, faces, uv = tube(30, 40)
    ball = surface_of(vertices * np.float32(0.12), faces, uv)
    ball = replace(ball, vertices_cam=ball.vertices_cam - np.array([0, 0, 1], np.float32))
    front = photograph(ball, np.full((64, 64, 3), (255, 0, 0), np.uint8))
    hidden = front.observation.mask > 0.5
    image = np.where(hidden[..., None], front.photo.image, figure.photo.image)
    photo = replace(figure.photo, image=image)
    texture = paint(figure.surface, figure.fit, photo, figure.observation, SETTINGS, [(ball, figure.fit)])
    redness = texture[..., 0].astype(int) - texture[..., 1]
    assert redness.max() < 15


def test_a_person_in_front_may_have_another_camera(scene: Scene) -> None:
    """Twice the focal length and twice the distance show the ball at the same place: it still hides what it hid."""
    figure = photograph(scene.surface, np.full_like(scene.texture, 128))
    vertices, faces, uv = tube(30, 40)
    ball = surface_of(vertices * np.float32(0.12), faces, uv)
    near = ball.vertices_cam - np.array([0, 0, 1], np.float32)
    their_fit = replace(figure.fit, camera=replace(figure.fit.camera, focal=2 * figure.fit.camera.focal))
    args = (figure.surface, figure.fit, figure.photo, figure.observation, SETTINGS)
    same = paint(*args, [(replace(ball, vertices_cam=near), figure.fit)])
    other = paint(*args, [(replace(ball, vertices_cam=near * np.array([1, 1, 2], np.float32)), their_fit)])
    assert np.abs(same.astype(int) - other).mean() < 0.05


def test_the_back_of_the_head_takes_hair_not_face(scene: Scene) -> None:
    """Skin on the face, black on the crown: the back of the head becomes black."""
    texture = np.full_like(scene.texture, 120)
    head_rows = slice(0, 120)
    texture[head_rows] = (225, 170, 140)
    texture[:40] = (20, 20, 20)
    painted = _paint(photograph(scene.surface, texture)).astype(int)
    back = painted[60:75, 20:60]
    assert back.mean() < 70
    front = painted[60:75, 240:270]
    assert front.mean() > 150


def test_borders_of_clothes_go_on_around_the_back(scene: Scene) -> None:
    texture = np.full_like(scene.texture, 200)
    texture[256:] = 40
    painted = _paint(photograph(scene.surface, texture)).astype(int)
    assert painted[200:215, 15:40].mean() > 170
    assert painted[300:315, 15:40].mean() < 70


def test_mask_of_another_size_is_refused(scene: Scene) -> None:
    small = replace(scene.observation, mask=scene.observation.mask[:10])
    with pytest.raises(InvalidInputError):
        paint(scene.surface, scene.fit, scene.photo, small, SETTINGS)


def test_a_surface_that_is_not_in_the_photo_still_gets_colours(scene: Scene) -> None:
    nowhere = replace(scene.observation, mask=np.zeros_like(scene.observation.mask))
    texture = paint(scene.surface, scene.fit, scene.photo, nowhere, SETTINGS)
    assert texture.shape == (512, 512, 3)
    assert texture.std() < 40


def test_checker_fixture_has_no_magenta() -> None:
    assert _magenta(checker(64, 4)).max() < 0


def test_a_panel_on_one_side_does_not_flood_the_back(scene: Scene) -> None:
    """A white panel under the left arm of a red figure stays at its side."""
    texture = np.full_like(scene.texture, (200, 20, 20))
    texture[200:300, 280:390] = (240, 240, 240)
    painted = _paint(photograph(scene.surface, texture)).astype(int)
    # The photo shows the panel, the middle of the back (the seam of the figure) is red.
    assert painted[240:260, 300:330, 1].mean() > 180
    assert painted[240:260, 15:60, 1].mean() < 60
    assert painted[240:260, 455:495, 1].mean() < 60
