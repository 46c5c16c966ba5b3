"""Parts that overlap end beside each other: two balls, and people whose arms hang against the trunk."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from crossings import crossing_faces
from surface_scenes import CAMERA, inflation, make_fit, observe

from munet.body.model import BodyModel
from munet.fitting.result import BodyFit
from munet.settings import Settings
from munet.surface.anatomy import PARTS, Anatomy, with_pockets
from munet.surface.contacts import find_contacts, meeting_parts
from munet.surface.contour import Matches
from munet.surface.dress import dress
from munet.surface.operators import vertex_normals
from munet.surface.result import ClothedSurface
from munet.surface.separate import separated
from munet.surface.silhouette import draw, overlap
from munet.surface.unpose import blend

TORSO, ARM = list(PARTS).index("torso"), list(PARTS).index("left_upper_arm")
NO_OUTLINE = Matches(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(0), np.zeros(0))


class Balls:
    """Two balls of radius 0.1 m along x whose centres are ``apart`` metres from each other, trunk and upper arm."""

    def __init__(self, apart: float, anatomy: Anatomy, subdivisions: int = 3) -> None:
        ball = trimesh.creation.icosphere(subdivisions, 0.1)
        points, aside = np.array(ball.vertices), np.array([apart / 2, 0, 0])
        self.points = np.concatenate([points - aside, points + aside])
        self.faces = np.concatenate([ball.faces, ball.faces + len(points)]).astype(np.int64)
        part = np.repeat([TORSO, ARM], len(points))
        self.anatomy = replace(anatomy, part=part, locked=np.zeros(len(part)))

    def parted(self, outline: Matches = NO_OUTLINE, locked: np.ndarray | None = None) -> np.ndarray:
        """The points after the separation."""
        anatomy = self.anatomy if locked is None else replace(self.anatomy, locked=locked)
        skin = blend(np.eye(4)[None], np.ones((len(self.points), 1)))
        return separated(self.points, skin, self.faces, anatomy, outline)


@pytest.mark.parametrize("apart", [0.197, 0.16])
def test_overlapping_balls_part(anatomy: Anatomy, apart: float) -> None:
    balls = Balls(apart, anatomy)
    assert len(crossing_faces(balls.points, balls.faces)) > 0
    moved = balls.parted()
    assert len(crossing_faces(moved, balls.faces)) == 0
    assert np.abs(moved - balls.points).max() < 0.5 * (0.2 - apart) + 0.01
    first, second = np.split(moved, 2)
    assert first[:, 0].max() < 0.002
    assert second[:, 0].min() > -0.002


def test_balls_that_do_not_touch_stay(anatomy: Anatomy) -> None:
    balls = Balls(0.21, anatomy)
    np.testing.assert_array_equal(balls.parted(), balls.points)


def test_what_is_locked_stays_and_the_other_yields(anatomy: Anatomy) -> None:
    balls = Balls(0.18, anatomy)
    moved = balls.parted(locked=np.repeat([0.0, 1.0], len(balls.points) // 2))
    assert len(crossing_faces(moved, balls.faces)) == 0
    np.testing.assert_allclose(np.split(moved - balls.points, 2)[1], 0, atol=1e-9)


def test_the_outline_holds(anatomy: Anatomy) -> None:
    """Without the outline the whole ball yields, with it its far side stays and the near side becomes flat."""
    balls = Balls(0.16, anatomy, 2)
    far = np.nonzero(balls.points[:, 0] > 0.15)[0]
    outline = Matches(far, np.tile([1.0, 0, 0], (len(far), 1)), np.zeros(len(far)), np.ones(len(far)))
    free, held = balls.parted(), balls.parted(outline)
    assert len(crossing_faces(held, balls.faces)) == 0
    yielded, kept = (np.abs(moved - balls.points)[far, 0].mean() for moved in (free, held))
    assert kept < 0.3 * yielded


def test_contacts_know_depth_and_direction(anatomy: Anatomy) -> None:
    balls = Balls(0.18, anatomy)
    found = find_contacts(balls.points, vertex_normals(balls.points, balls.faces), balls.anatomy.part, 0.0)
    assert found.height.min() == pytest.approx(-0.02, abs=0.002)
    sign = np.where(found.first < len(balls.points) // 2, -1, 1)
    assert (found.normal[:, 0] * sign > 0.5).all()


def test_neighbours_meet_shallowly_and_no_part_meets_itself() -> None:
    deepest = {(first, second): depth for first, second, depth in meeting_parts()}
    assert deepest[TORSO, ARM] > 0.05
    assert deepest[ARM, list(PARTS).index("left_forearm")] < 0.04
    assert all(first != second and (second, first) in deepest for first, second in deepest)


def test_hands_in_pockets_may_be_inside(anatomy: Anatomy) -> None:
    left, both = (with_pockets(anatomy, np.array([True, right])) for right in (False, True))
    for side, wrist in ((0, 20), (1, 21)):
        hand = anatomy.folded[:, wrist] > 0.9
        assert (both.part[hand] == -1).all()
        assert (left.part[hand] == -1).all() == (side == 0)
    shoulder = anatomy.folded[:, [16, 17]].sum(1) > 0.9
    np.testing.assert_array_equal(both.part[shoulder], anatomy.part[shoulder])
    balls = Balls(0.18, anatomy)
    balls.anatomy = replace(balls.anatomy, part=np.where(balls.anatomy.part == ARM, -1, TORSO))
    np.testing.assert_array_equal(balls.parted(), balls.points)


@pytest.fixture(scope="module")
def hanging(model: BodyModel, anatomy: Anatomy) -> tuple[BodyFit, ClothedSurface, np.ndarray]:
    """Arms hang against the trunk, the legs stand together, and the clothes are wide."""
    fit = make_fit(model, left_shoulder=(0, 0, -1.42), right_shoulder=(0, 0, 1.42), left_hip=(0, 0, -0.06),
                   right_hip=(0, 0, 0.06))  # fmt: skip
    _, clothed = inflation(model, anatomy, fit.vertices_cam.astype(np.float64))
    mask = draw(CAMERA, clothed, model.faces.numpy()).astype(np.float32)
    return fit, dress(model, fit, observe(mask), Settings()), mask


def between_limbs(vertices: np.ndarray, faces: np.ndarray, anatomy: Anatomy) -> int:
    """Crossing pairs of faces of two parts, hands, feet and head left out."""
    kinds = ("torso", "left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm", "left_thigh", "right_thigh")
    wanted = np.isin(anatomy.part, [list(PARTS).index(kind) for kind in kinds]) & (anatomy.locked < 0.5)
    chosen = faces[wanted[faces].all(1)]
    part = anatomy.part[chosen[:, 0]]
    pairs = crossing_faces(vertices, chosen)
    return int((part[pairs[:, 0]] != part[pairs[:, 1]]).sum())


def test_hanging_arms_do_not_cross_the_trunk(
    model: BodyModel, anatomy: Anatomy, hanging: tuple[BodyFit, ClothedSurface, np.ndarray]
) -> None:
    """Neither in the photo's pose nor in the T-pose, though the body's own do."""
    fit, surface, mask = hanging
    faces = model.faces.numpy()
    assert between_limbs(fit.vertices_cam, faces, anatomy) > 40
    assert between_limbs(surface.vertices_cam, faces, anatomy) == 0
    assert between_limbs(surface.rest_vertices, faces, anatomy) == 0
    assert overlap(draw(CAMERA, surface.vertices_cam.astype(np.float64), faces), mask > 0.5) > 0.97


def test_armpits_have_no_spikes(
    model: BodyModel, anatomy: Anatomy, hanging: tuple[BodyFit, ClothedSurface, np.ndarray]
) -> None:
    """In the T-pose edges of trunk and upper arms are about as long as the body's, and no vertex leaves its ring."""
    rest, moved = model.template.numpy().astype(np.float64), hanging[1].rest_vertices.astype(np.float64)
    quads = model.quads.numpy()
    edges = np.unique(np.sort(np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)]), 1), axis=0)
    edges = edges[np.isin(anatomy.part, [TORSO, ARM, ARM + 1])[edges].all(1)]
    before, after = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (rest, moved))
    assert np.quantile((after + 0.004) / (before + 0.004), 0.999) < 2
    assert np.abs(moved - rest)[anatomy.part == ARM].max() < 0.08
