"""Atlas, mirror, regions, padding, grain and eyes on their own."""

from __future__ import annotations

import numpy as np
import pytest
from texture_figure import Scene, tube

from munet.errors import InvalidInputError
from munet.surface.result import ClothedSurface
from munet.texture.atlas import texels_of
from munet.texture.eyes import eye_angles, eye_colour
from munet.texture.grain import grain
from munet.texture.mirror import mirrored_vertices
from munet.texture.pad import pad_seams
from munet.texture.regions import edges_of, regions_of
from munet.texture.weave import weave


def test_texels_carry_uv_to_their_own_place(scene: Scene) -> None:
    surface = scene.surface
    flat = np.arange(3 * len(surface.faces), dtype=np.int32).reshape(-1, 3)
    texels = texels_of(flat, surface.uv, 128)
    uv = texels.carry(surface.uv.reshape(-1, 2))
    assert np.abs(uv[:, 0] * 128 - 0.5 - texels.index % 128).max() < 0.02
    assert np.abs((1 - uv[:, 1]) * 128 - 0.5 - texels.index // 128).max() < 0.02


def test_gather_of_a_constant_is_constant(scene: Scene) -> None:
    texels = texels_of(scene.surface.faces, scene.surface.uv, 256)
    colour = np.full((len(texels.index), 3), 7, np.float32)
    means, total = texels.gather(colour, np.ones(len(texels.index), np.float32), len(scene.surface.rest_vertices))
    assert np.allclose(means[total > 0], 7)
    assert np.isclose(total.sum(), len(texels.index), rtol=1e-5)


def test_uvs_of_other_faces_are_refused(scene: Scene) -> None:
    with pytest.raises(InvalidInputError):
        texels_of(scene.surface.faces, scene.surface.uv[:-1], 64)


def test_mirror_of_a_symmetric_shape_is_exact() -> None:
    vertices, faces, _ = tube(20, 40)
    mirrored = mirrored_vertices(vertices, faces)
    assert np.allclose(vertices[mirrored], vertices * [-1, 1, 1], atol=1e-5)
    assert np.array_equal(mirrored[mirrored], np.arange(len(vertices)))


def test_regions_find_head_scalp_and_eyes(scene: Scene) -> None:
    surface = scene.surface
    regions = regions_of(surface)
    assert not regions.eyes.any()
    assert np.array_equal(regions.head, surface.weights[:, 15] > 0.5)
    assert np.array_equal(regions.head, regions.scalp | regions.face)
    crown, nose = (
        surface.rest_vertices[:, 1].argmax(),
        np.argmax(np.where(regions.head, surface.rest_vertices[:, 2], -1)),
    )
    assert regions.scalp[crown]
    assert regions.face[nose]


def test_what_runs_around_the_trunk_leans_at_the_neck_only() -> None:
    vertices, faces, uv = tube(20, 40)
    height = vertices[:, 1]
    top = height.max()
    weights = np.zeros((len(vertices), 24), np.float32)
    weights[np.arange(len(vertices)), np.where(height > top - 0.1, 12, 9)] = 1
    surface = ClothedSurface(vertices, vertices, weights, faces, np.zeros((0, 4), np.int32), uv, 1.0)
    axis = regions_of(surface).axis
    assert np.allclose(np.linalg.norm(axis, axis=1), 1, atol=1e-6)
    low = height < top - 0.1 - 0.23
    assert low.any()
    assert (axis[low] == (0, 1, 0)).all()
    # Front and back of one border: the front is lower.
    neck = height > top - 0.1
    assert (axis[neck, 2] > 0.3).all()
    assert (axis[neck, 0] == 0).all()


def test_edges_of_a_closed_surface(scene: Scene) -> None:
    faces = scene.surface.faces
    edges = edges_of(faces)
    assert len(edges) == len(faces) * 3 // 2
    assert len(np.unique(edges, axis=0)) == len(edges)


def test_padding_copies_the_nearest_texel_and_keeps_the_islands() -> None:
    texture = np.zeros((64, 64, 3), np.uint8)
    covered = np.zeros((64, 64), np.bool_)
    covered[10:20, 10:20] = True
    covered[40:50, 40:50] = True
    texture[10:20, 10:20] = (200, 10, 10)
    texture[40:50, 40:50] = (10, 10, 200)
    padded = pad_seams(texture, covered, 6)
    assert np.array_equal(padded[covered], texture[covered])
    assert (padded[4:26, 12:18] == (200, 10, 10)).all()
    assert (padded[35:56, 42:48] == (10, 10, 200)).all()
    assert (padded[0, 63] == (105, 10, 105)).all()


def test_padding_of_an_empty_atlas_changes_nothing() -> None:
    texture = np.zeros((8, 8, 3), np.uint8)
    assert np.array_equal(pad_seams(texture, np.zeros((8, 8), np.bool_), 2), texture)


def test_grain_has_unit_variance_and_follows_its_seed() -> None:
    first = grain(512, 3)
    assert np.isclose(first.std(), 1, atol=0.1)
    assert abs(first.mean()) < 0.05
    assert np.array_equal(first, grain(512, 3))
    assert not np.array_equal(first, grain(512, 4))


def test_eyes_look_ahead() -> None:
    vertices, _, _ = tube(20, 40)
    eye = vertices * np.float32(0.012)
    both = np.concatenate([eye + np.array([0.03, 0, 0]), eye - np.array([0.03, 0, 0])]).astype(np.float32)
    angle = eye_angles(both, np.ones(len(both), np.bool_))
    ahead = both[:, 2] > 0.0119
    assert angle[ahead].max() < 0.2
    colour = eye_colour(np.array([0, 0.35, 1.2], np.float32))
    assert colour[0].max() < 40
    assert colour[1].max() < 100
    assert colour[2].min() > 180


def test_weave_keeps_direction_and_strength_of_what_is_seen() -> None:
    """Stripes of eight texels seen in one half: the made texture has them too, wherever it is laid."""
    generator = np.random.default_rng(0)
    stripes = np.sin(np.arange(1024) * 2 * np.pi / 8)[:, None] * np.ones(1024)
    detail = (0.1 * stripes + 0.01 * generator.standard_normal((1024, 1024))).astype(np.float32)
    trusted = np.zeros((1024, 1024), np.bool_)
    trusted[100:700, 100:500] = True
    detail[~trusted] = 9
    made = weave(1024, detail, trusted, 0)
    assert made is not None
    assert made.shape == (512, 512)
    assert 0.02 < made.std() < 0.12
    power = np.abs(np.fft.fft(made - made.mean(), axis=0)).mean(1)[:256]
    assert abs(int(power.argmax()) - 512 // 8) <= 4
    assert np.abs(np.diff(made, axis=1)).mean() < 0.5 * np.abs(np.diff(made, axis=0)).mean()


def test_weave_of_next_to_nothing_is_none() -> None:
    assert weave(512, np.zeros((512, 512), np.float32), np.zeros((512, 512), np.bool_), 0) is None
