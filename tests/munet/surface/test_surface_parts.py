"""The pieces of dressing, each against a known answer or an independent implementation."""

import cv2
import numpy as np
import pytest
import torch
import trimesh
from crossings import crossing_faces
from scipy.spatial.transform import Rotation
from surface_scenes import CAMERA, make_fit

from munet.body.model import BodyModel
from munet.geometry.camera import Camera
from munet.render.projection import project
from munet.render.rasteriser import rasterise
from munet.surface.anatomy import Anatomy, bone_interpolation, fold_fingers, with_cut_off_limbs
from munet.surface.clearance import FAR_METRES, clearance
from munet.surface.cloth import cover
from munet.surface.contour import Reach, find_matches
from munet.surface.operators import (
    neighbourhood_minimum,
    smoother,
    soften_field,
    vertex_areas,
    vertex_normals,
)
from munet.surface.shoes import shod_feet
from munet.surface.silhouette import View, draw, make_view, overlap, rim_vertices, sketch, without_thin_things
from munet.surface.solve import prepare_mesh
from munet.surface.unpose import blend, limit_influences, loosen_weights
from munet.surface.wrinkles import follow_normals

SMALL_CAMERA = Camera(300.0, (100.0, 100.0), 200, 200)


@pytest.fixture(scope="module")
def ball() -> tuple[np.ndarray, np.ndarray]:
    """A ball of radius 0.2 m at 2 m: its outline is a circle of about 30 pixels."""
    mesh = trimesh.creation.icosphere(4, 0.2)
    return np.array(mesh.vertices) + np.array([0, 0, 2]), np.array(mesh.faces, np.int64)


def disc(radius: float, center: tuple[float, float] = (100, 100)) -> np.ndarray:
    y, x = np.mgrid[:200, :200] + 0.5
    return np.clip(radius + 0.5 - np.hypot(x - center[0], y - center[1]), 0, 1).astype(np.float32)


def match_ball(  # noqa: ANN201
    ball: tuple[np.ndarray, np.ndarray], mask: np.ndarray, outward: float = 0.1, hands: np.ndarray | None = None
):
    vertices, faces = ball
    view = View(SMALL_CAMERA, mask, (True, True, True, True))
    own = draw(SMALL_CAMERA, vertices, faces)
    hands = np.zeros(len(vertices), bool) if hands is None else hands
    reach = Reach(np.full(len(vertices), outward), np.full(len(vertices), 0.08), hands, ~hands)
    return find_matches(view, own, vertices, faces, vertex_normals(vertices, faces), reach)


def test_areas_and_normals_agree_with_trimesh(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert vertex_areas(vertices, faces).sum() == pytest.approx(mesh.area)
    cosines = np.einsum("vi,vi->v", vertex_normals(vertices, faces), unit_rows(vertices - [0, 0, 2]))
    assert cosines.min() > 0.999


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_smoothing_keeps_what_is_constant_and_damps_noise(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    mesh = prepare_mesh(vertices, faces)
    smooth = smoother(mesh.laplace, mesh.areas, 0.03)
    np.testing.assert_allclose(smooth(np.full(len(vertices), 3.0)), 3.0, atol=1e-8)
    noise = np.random.default_rng(1).normal(size=len(vertices))
    assert smooth(noise).std() < 0.3 * noise.std()
    assert soften_field(mesh.laplace, noise, 5).std() < 0.6 * noise.std()
    low = neighbourhood_minimum(mesh.pairs, noise, 1)
    assert (low <= noise).all()
    np.testing.assert_array_equal(np.unique(low), np.intersect1d(low, noise))


def test_a_bigger_disc_asks_for_the_difference_of_the_radii(ball: tuple[np.ndarray, np.ndarray]) -> None:
    own_radius = np.sqrt(draw(SMALL_CAMERA, *ball).sum() / np.pi)
    matches = match_ball(ball, disc(own_radius + 6))
    assert len(matches.vertex) > 30
    np.testing.assert_allclose(matches.distance * 300 / 2, 6, atol=1.5)
    assert matches.weight.min() > 0.9
    smaller = match_ball(ball, disc(own_radius - 5))
    np.testing.assert_allclose(smaller.distance * 300 / 2, -5, atol=1.5)


def test_too_far_boundaries_and_the_photos_border_match_nothing(ball: tuple[np.ndarray, np.ndarray]) -> None:
    assert len(match_ball(ball, disc(80), outward=0.1).vertex) == 0
    assert len(match_ball(ball, np.ones((200, 200), np.float32), outward=1.0).vertex) == 0
    assert len(match_ball(ball, np.zeros((200, 200), np.float32)).vertex) == 0


def test_what_a_hand_holds_is_nobody_elses_outline(ball: tuple[np.ndarray, np.ndarray]) -> None:
    hands = ball[0][:, 0] > 0.17
    everywhere, elsewhere = match_ball(ball, disc(33)), match_ball(ball, disc(33), hands=hands)
    side = ball[0][everywhere.vertex, 0]
    assert set(everywhere.vertex[side < 0.0]) <= set(elsewhere.vertex)
    near = (ball[0][:, 0] > 0.15) & ~hands
    assert near[everywhere.vertex].any()
    assert not near[elsewhere.vertex].any()
    assert hands[elsewhere.vertex].any()


def test_drawing_the_facing_half_draws_everything(model: BodyModel) -> None:
    vertices, faces = make_fit(model).vertices_cam.astype(np.float64), model.faces.numpy()
    matrix, points = torch.from_numpy(CAMERA.matrix), torch.from_numpy(vertices.astype(np.float32))
    whole = rasterise(project(matrix, points)[None], model.faces, CAMERA.height, CAMERA.width).mask[0].numpy()
    assert np.count_nonzero(draw(CAMERA, vertices, faces) != whole) <= 3
    rough = sketch(CAMERA, vertices, faces)
    assert not (whole & ~rough).any()
    assert not (rough & ~(cv2.dilate(whole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)).any()


def test_rim_of_a_ball_is_a_circle(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    rim = vertices[rim_vertices(vertices, faces)]
    assert np.abs(np.linalg.norm(rim[:, :2], axis=1) - 0.2).max() < 0.01


def test_overlap_of_known_boxes() -> None:
    first, second = np.zeros((2, 10, 10), np.bool_)
    first[:, :6], second[:, 4:] = True, True
    assert overlap(first, second) == pytest.approx(0.2)
    assert overlap(first & second & False, first & False) == 1


def test_view_scales_the_person_to_the_working_size(ball: tuple[np.ndarray, np.ndarray]) -> None:
    view = make_view(SMALL_CAMERA, disc(40), ball[0])
    assert max(view.mask.shape) == 640
    assert view.border == (False, False, False, False)
    drawn = draw(view.camera, *ball)
    small = draw(SMALL_CAMERA, *ball)
    factor = view.camera.focal / SMALL_CAMERA.focal
    assert drawn.sum() == pytest.approx(small.sum() * factor**2, rel=0.03)


def test_poles_leave_the_mask(ball: tuple[np.ndarray, np.ndarray]) -> None:
    mask = disc(35)
    mask[98:101] = 1
    view = View(SMALL_CAMERA, mask, (False, False, False, False))
    clean = without_thin_things(view, *ball).mask
    assert clean[99, 10] == 0
    assert overlap(clean > 0.5, disc(35) > 0.5) > 0.97


def test_parallel_plates_meet_halfway() -> None:
    x, y = (a.ravel() for a in np.meshgrid(np.linspace(0, 0.2, 9), np.linspace(0, 0.2, 9)))
    low, high = np.stack([x, y, 0 * x], 1), np.stack([x, y, 0 * x + 0.1], 1)
    up = np.tile([0.0, 0, 1], (len(x), 1))
    points, limb = np.concatenate([low, high]), np.repeat([0, 1], len(x))
    assert np.allclose(clearance(points, np.concatenate([up, -up]), limb), (0.1 - 0.012) / 2)
    assert np.allclose(clearance(points, np.concatenate([-up, up]), limb), FAR_METRES)


def test_unposing_is_exact_and_turns_offsets_with_the_bones() -> None:
    turn = Rotation.from_euler("z", 70, degrees=True).as_matrix()
    transforms = np.tile(np.eye(4), (2, 1, 1))
    transforms[1, :3, :3] = turn
    skin = blend(transforms, np.array([[1.0, 0], [0, 1], [0.5, 0.5]]))
    offsets = skin.rest_offset(np.tile(turn @ [1.0, 0, 0], (3, 1)))
    np.testing.assert_allclose(offsets[1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), 1, atol=1e-12)
    half = Rotation.from_euler("z", 35, degrees=True).as_matrix()
    np.testing.assert_allclose(offsets[2], half.T @ turn @ [1, 0, 0], atol=1e-12)


def test_at_most_four_influences() -> None:
    weights = np.random.default_rng(0).random((200, 9))
    weights[0] = 1 / 9
    kept = limit_influences(weights)
    assert np.count_nonzero(kept, axis=1).max() == 4
    np.testing.assert_allclose(kept.sum(1), 1)
    largest = np.argmax(weights, axis=1)
    assert (kept[np.arange(200), largest] == kept.max(1)).all()


def test_only_loose_weights_soften(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    weights = np.stack([vertices[:, 0] > 0, vertices[:, 0] <= 0], 1).astype(np.float64)
    mesh = prepare_mesh(vertices, faces)
    np.testing.assert_allclose(loosen_weights(mesh, weights, np.zeros(len(vertices))), weights)
    loose = loosen_weights(mesh, weights, np.full(len(vertices), 0.1))
    near = np.abs(vertices[:, 0]) < 0.01
    assert np.abs(loose[near, 0] - 0.5).max() < 0.2
    np.testing.assert_allclose(loose.sum(1), 1)


def test_cloth_lies_on_the_shoulders(model: BodyModel, anatomy: Anatomy) -> None:
    rest, joints = model.template.numpy(), model.joint_template.numpy()
    upward = vertex_normals(rest.astype(np.float64), model.faces.numpy())[:, 1] > 0.8
    upward &= anatomy.folded[:, [9, 13, 16]].sum(1) > 0.8
    between = (rest[:, 0] > joints[13, 0]) & (rest[:, 0] < joints[16, 0])
    assert (upward & between).sum() > 10
    assert anatomy.outward[upward & between].max() < 0.05


def test_anatomy_locks_face_hands_and_eyes(model: BodyModel, anatomy: Anatomy) -> None:
    template = model.template.numpy()
    fingers = model.weights.numpy()[:, 24:].sum(1) > 0.9
    assert (anatomy.locked[fingers] == 1).all()
    assert (anatomy.locked[model.parts.numpy() > 0] == 1).all()
    nose = model.landmarks.to_dense()[0].argmax()
    assert anatomy.locked[nose] > 0.99
    crown = template[:, 1].argmax()
    assert anatomy.locked[crown] == 0
    assert anatomy.outward[crown] > 0.1
    assert (anatomy.outward[anatomy.locked == 1] == 0).all()


def test_fingers_fold_into_the_wrists(model: BodyModel) -> None:
    folded = fold_fingers(model.weights.numpy().astype(np.float64))
    np.testing.assert_allclose(folded.sum(1), 1, atol=1e-6)
    left = model.template.numpy()[:, 0] > 0
    assert folded[left, 21].sum() == 0
    carried = bone_interpolation(folded, model.template.numpy(), model.joint_template.numpy())
    np.testing.assert_allclose(carried.sum(1), 1, atol=1e-6)


def test_shoes_close_the_toes_and_touch_nothing_else(model: BodyModel, anatomy: Anatomy) -> None:
    rest, faces = model.template.numpy().astype(np.float64), model.faces.numpy()
    mesh = prepare_mesh(rest, faces)
    shoes = shod_feet(rest, mesh.pairs, anatomy.folded, model.joint_template.numpy().astype(np.float64))
    assert np.abs(shoes - rest)[anatomy.feet < 0.5].max() == 0
    feet = faces[(anatomy.feet[faces] > 0.9).all(1)]
    assert len(crossing_faces(shoes, feet)) <= len(crossing_faces(rest, feet))
    assert np.abs(shoes - rest).max() < 0.06
    toes = anatomy.folded[:, 10] > 0.5
    assert shoes[toes, 2].max() == pytest.approx(rest[toes, 2].max() + 0.004, abs=0.006)


def test_normals_bring_folds_back(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    outward = vertex_normals(vertices, faces)
    wave = 0.003 * np.sin(vertices[:, 1] * 2 * np.pi / 0.12)
    wanted = vertex_normals(vertices + wave[:, None] * outward, faces)
    free = np.zeros(len(vertices))
    moved = follow_normals(prepare_mesh(vertices, faces), vertices, outward, wanted, free)
    along = np.einsum("vi,vi->v", moved - vertices, outward)
    assert np.corrcoef(along, wave)[0, 1] > 0.9
    still = follow_normals(prepare_mesh(vertices, faces), vertices, outward, wanted, free + 1)
    assert np.abs(still - vertices).max() < 1e-4


def test_nothing_stands_far_off_legs_that_leave_the_photo(anatomy: Anatomy) -> None:
    seen = np.ones(24, bool)
    np.testing.assert_allclose(with_cut_off_limbs(anatomy, seen).outward, anatomy.outward, atol=1e-6)
    seen[[4, 5, 7, 8, 10, 11]] = False
    limited = with_cut_off_limbs(anatomy, seen).outward
    hips = anatomy.folded[:, [0, 1, 2]].sum(1) > 0.999
    arms = anatomy.folded[:, 16:20].sum(1) > 0.999
    assert limited[hips].max() < 0.05 < anatomy.outward[hips].min()
    np.testing.assert_allclose(limited[arms], anatomy.outward[arms], atol=1e-6)
    assert seen.sum() == 18


def test_relief_that_fades_takes_no_thickness_with_it(model: BodyModel, anatomy: Anatomy) -> None:
    rest, joints = (a.numpy().astype(np.float64) for a in (model.template, model.joint_template))
    faces = model.faces.numpy().astype(np.int64)
    mesh = prepare_mesh(rest, faces)
    covered = cover(mesh, faces, rest, joints, anatomy, np.full(len(rest), 0.02), 0.0)
    lost = np.einsum("vi,vi->v", rest - covered, vertex_normals(rest, faces))
    for limb in ([1, 2], [3, 6, 9]):
        here = mesh.areas * (anatomy.folded[:, limb].sum(1) > 0.9)
        assert abs(lost @ here / here.sum()) < 0.003
