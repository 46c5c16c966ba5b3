"""Fine texture and tone of cloth that nobody sees."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from munet.texture.cloth import Cloth, draw_charts, lay_tile, make_tile
from munet.texture.materials import Materials, find_materials
from munet.texture.priors import Evidence
from munet.texture.regions import Regions
from munet.texture.sew import sew
from munet.texture.shadow import shadow_factor
from munet.texture.tone import toned
from munet.texture.vote import lit_cloth

Floats = NDArray[np.float32]


def _stripes(rows: int, columns: int, width: float) -> Floats:
    return np.repeat(np.sin(np.arange(rows) * 2 * np.pi / width)[:, None], columns, 1).astype(np.float32)


def _main_period(tile: Floats) -> float:
    """Pixels of the strongest wave down the columns."""
    power = np.abs(np.fft.rfft(tile - tile.mean(), axis=0)).mean(1)
    return len(tile) / int(power.argmax())


def test_a_sewn_tile_keeps_the_structure_and_repeats_without_a_seam() -> None:
    sheet = _stripes(200, 160, 10)
    tile = sew(sheet, np.ones(sheet.shape, np.bool_), 300, 0)
    assert tile is not None
    assert 0.5 < tile.std() / sheet.std() < 1.2
    assert abs(_main_period(tile) - 10) < 1
    inside, seam = np.abs(np.diff(tile, axis=0)), np.abs(tile[0] - tile[-1])
    assert seam.mean() < 2 * inside.mean()
    again = sew(sheet, np.ones(sheet.shape, np.bool_), 300, 0)
    assert np.array_equal(tile, again if again is not None else 0)


def test_nothing_is_sewn_from_scraps() -> None:
    sheet = _stripes(100, 100, 10)
    assert sew(sheet, np.zeros(sheet.shape, np.bool_), 300, 0) is None
    scraps = np.random.default_rng(0).random(sheet.shape) < 0.5
    assert sew(sheet, scraps, 300, 0) is None


def _plane(front: bool, zone: int) -> Cloth:
    """Half a metre of cloth that faces the front or the back."""
    x, y = np.meshgrid(np.linspace(0, 0.5, 400), np.linspace(0, 0.5, 400))
    rest = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], 1).astype(np.float32)
    normals = np.tile(np.array([0, 0, 1 if front else -1], np.float32), (x.size, 1))
    return Cloth(rest, normals, np.full(x.size, zone, np.int64))


def test_ribs_around_the_seen_front_go_on_at_their_true_size_behind() -> None:
    """Ribs 14 mm wide that run around the trunk."""
    front = _plane(front=True, zone=0)
    bright = 120 * (1 + 0.1 * np.sin(front.rest[:, 1] * 2 * np.pi / 0.014)).astype(np.float32)
    tile = make_tile(draw_charts(front, bright, np.zeros(len(bright), np.int8)), 0, 0)
    assert tile is not None
    behind = lay_tile(tile, _plane(front=False, zone=0)).reshape(400, 400)
    assert 0.02 < behind.std() < 0.09
    assert abs(_main_period(behind) * 0.5 / 400 - 0.014) < 0.0015
    # On an arm, which lies along x in the T-pose, they run around the arm.
    sleeve = lay_tile(tile, _plane(front=False, zone=1)).reshape(400, 400)
    assert abs(_main_period(np.ascontiguousarray(sleeve.T)) * 0.5 / 400 - 0.014) < 0.0015


def test_cloth_that_is_not_seen_has_no_tile() -> None:
    front = _plane(front=True, zone=0)
    charts = draw_charts(front, np.full(len(front.zone), 90, np.float32), np.zeros(len(front.zone), np.int8))
    assert make_tile(charts, 1, 0) is None
    assert make_tile(charts, 0, 0) is None


def _chain(count: int) -> csr_array:
    """Stiffness of a strip of vertices."""
    first = np.arange(count - 1)
    rows, columns = np.concatenate([first, first + 1]), np.concatenate([first + 1, first])
    joined = coo_array((np.full(2 * (count - 1), -1.0), (rows, columns)), shape=(count, count)).tocsr()
    return csr_array(joined - coo_array((joined.sum(1), (np.arange(count), np.arange(count))), shape=joined.shape))


def test_a_tone_meets_what_is_seen_and_fades_to_the_usual_one() -> None:
    """A strip of cloth 1 cm a vertex whose seen half ends in a dark fold."""
    seen = np.zeros(60, np.float32)
    seen[:20] = 1
    colour = np.full((60, 3), 160, np.float32)
    colour[15:20] = 120
    usual, part = np.full((1, 1, 3), 160, np.float32), np.zeros(60, np.int64)
    areas = np.full(60, 1e-4, np.float32)
    one = np.ones((60, 1), np.float32)
    tone = toned(Evidence(colour, seen), one, usual, usual[0, None].repeat(60, 0), part, _chain(60), areas)[:, 0]
    assert abs(tone[18, 0] - 120) < 8
    assert abs(tone[20, 0] - tone[19, 0]) < 8
    assert (np.diff(tone[20:, 0]) > -1e-3).all()
    assert tone[45:, 0].min() > 155


def test_heads_keep_their_colours() -> None:
    other = np.full((10, 1, 3), 70, np.float32)
    seen = Evidence(np.full((10, 3), 70, np.float32), np.ones(10, np.float32))
    part = np.full(10, -1, np.int64)
    usual, areas = np.full((1, 1, 3), 200, np.float32), np.full(10, 1e-4, np.float32)
    kept = toned(seen, np.ones((10, 1), np.float32), usual, other, part, _chain(10), areas)
    assert np.abs(kept - 70).max() < 1e-3


def test_deep_shadows_are_those_of_the_cloth_beside_them() -> None:
    navy, shade, red = (25, 40, 90), (12, 15, 30), (180, 30, 30)
    generator = np.random.default_rng(0)
    colours = np.repeat(np.array([navy, shade, red], np.float32), (500, 60, 500), 0)
    materials = find_materials(colours + generator.normal(0, 1, colours.shape), np.ones(len(colours), np.float32))
    kinds = materials.belonging(np.array([navy, shade, red], np.float32)).argmax(1)
    assert len(set(kinds)) == 3
    table = np.zeros((1, 2, len(materials.colours)))
    table[0, 0, kinds[0]], table[0, 0, kinds[1]], table[0, 1, kinds[2]] = 500, 60, 500
    lit = lit_cloth(table, materials)
    assert [lit[kind] for kind in kinds] == [kinds[0], kinds[0], kinds[2]]
    # As much black as navy is black cloth.
    table[0, 0, kinds[1]] = 500
    assert np.array_equal(lit_cloth(table, materials), np.arange(len(materials.colours)))


def test_broad_shadows_become_weaker_and_folds_and_heads_stay() -> None:
    """A strip of cloth 1 cm a vertex: a shadow 25 cm long, a fold one vertex wide, and a dark head at its end."""
    level = np.full(100, 150, np.float32)
    level[30:55] = 100
    level[75] = 100
    level[90:] = 60
    zone = np.zeros(100, np.int64)
    zone[90:] = -1
    none, up = np.zeros(100, np.bool_), np.tile(np.array([0, 1, 0], np.float32), (100, 1))
    values = {field.name: none for field in fields(Regions)} | {"zone": zone, "axis": up}
    seen = Evidence(np.repeat(level[:, None], 3, 1), np.ones(100, np.float32))
    materials = Materials(np.zeros((1, 3), np.float32), level[:1, None].repeat(3, 1), np.ones((1, 1), np.float32))
    factor = shadow_factor(seen, materials, Regions(**values), _chain(100), np.full(100, 1e-4, np.float32))
    evened = level * factor
    assert 115 < evened[38:48].min() < 135
    assert evened[75] / evened[74] < 0.72
    assert np.abs(evened[62:70] - 150).max() < 8
    assert np.abs(factor[90:] - 1).max() < 1e-6
    assert np.abs(np.diff(factor)).max() < 0.08
