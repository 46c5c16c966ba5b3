"""Joint and vertex errors against scipy, known answers and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from munet.errors import InvalidInputError
from munet.evaluation.alignment import procrustes, scale_and_translation
from munet.evaluation.body_metrics import mpjpe, pa_mpjpe, pa_pve, pck, pve, pve_t_sc, root_point


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    truth = random.normal(size=(24, 3))
    return truth + 0.05 * random.normal(size=(24, 3)), truth


def test_procrustes_is_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, truth = pair
    normed_truth, moved, disparity = scipy_procrustes(truth, prediction)
    ours = procrustes(prediction, normed_truth).apply(prediction)
    assert np.allclose(ours, moved, atol=1e-12)
    assert np.isclose(((ours - normed_truth) ** 2).sum(), disparity)


def test_procrustes_rotation_is_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, truth = pair
    wanted, _ = Rotation.align_vectors(truth - truth.mean(0), prediction - prediction.mean(0))
    assert np.allclose(procrustes(prediction, truth).rotation, wanted.as_matrix(), atol=1e-9)


def test_procrustes_never_reflects(pair: tuple[np.ndarray, np.ndarray]) -> None:
    _, truth = pair
    mirrored = truth * [-1, 1, 1]
    found = procrustes(mirrored, truth)
    assert np.isclose(np.linalg.det(found.rotation), 1)
    assert pa_mpjpe(mirrored, truth) > 100


def test_procrustes_of_flat_points() -> None:
    truth = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [1, 1, 0]])
    turned = Rotation.from_euler("xyz", [0.3, 1.0, -0.4]).apply(truth) * 3 + 1
    assert pa_mpjpe(turned, truth) < 1e-9


def test_mpjpe_of_known_shift() -> None:
    truth = np.zeros((4, 3)) + np.arange(4)[:, None]
    moved = truth.copy()
    moved[3, 0] += 0.008
    assert np.isclose(mpjpe(moved, truth, (0,)), 2.0)
    moved_root = truth.copy()
    moved_root[0, 0] += 0.010
    assert np.isclose(mpjpe(moved_root, truth, (0,)), 7.5), "a wrong root is charged to all others"
    assert np.isclose(mpjpe(moved_root, truth, (0, 1)), (5 + 5 + 5 + 5) / 4)


def test_mpjpe_ignores_place_and_nothing_else(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, truth = pair
    wanted = mpjpe(prediction, truth, (0,))
    assert np.isclose(mpjpe(prediction + np.array([4.0, -2.0, 9.0]), truth, (0,)), wanted)
    assert mpjpe(prediction * 1.1, truth, (0,)) > wanted
    turned = Rotation.from_euler("y", 20, degrees=True).apply(prediction)
    assert mpjpe(turned, truth, (0,)) > wanted


def test_pa_mpjpe_ignores_similarities(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, truth = pair
    moved = 2.5 * Rotation.from_euler("xyz", [1, 2, 3]).apply(prediction) + [1.0, 2.0, 3.0]
    assert np.isclose(pa_mpjpe(moved, truth), pa_mpjpe(prediction, truth))
    assert pa_mpjpe(moved, truth) <= mpjpe(moved, truth, (0,))
    assert np.isclose(pa_pve(moved, truth), pa_mpjpe(prediction, truth))


def test_pve_lays_roots_on_each_other(pair: tuple[np.ndarray, np.ndarray]) -> None:
    _, truth = pair
    assert np.isclose(pve(truth + 3, truth, np.full(3, 3.0), np.zeros(3)), 0)
    assert np.isclose(pve(truth + np.array([0.02, 0, 0]), truth, np.zeros(3), np.zeros(3)), 20)


def test_pve_t_sc_ignores_size_and_place_but_not_rotation(pair: tuple[np.ndarray, np.ndarray]) -> None:
    _, truth = pair
    assert pve_t_sc(truth * 0.8 + 2, truth) < 1e-9
    assert pve_t_sc(truth * [1, 1.1, 1], truth) > 1
    assert pve_t_sc(Rotation.from_euler("y", 0.2).apply(truth), truth) > 1
    assert np.isclose(scale_and_translation(truth * 0.8, truth).scale, 1.25)


def test_pck_counts_shares_of_the_box() -> None:
    truth = np.zeros((4, 2))
    prediction = np.array([[0, 0], [4.9, 0], [0, 5.0], [5.1, 0]])
    box = np.array([10.0, 0, 60, 100])
    assert pck(prediction, truth, box) == 0.75
    assert pck(prediction, truth, box, visible=np.array([True, False, False, True])) == 0.5
    assert pck(prediction, truth, box, share=0.01) == 0.25


@pytest.mark.parametrize("bad", [np.zeros((3, 2)), np.zeros((0, 3)), np.full((24, 3), np.nan), np.zeros((23, 3))])
def test_bad_joints_are_refused(bad: np.ndarray, pair: tuple[np.ndarray, np.ndarray]) -> None:
    for metric in (lambda: mpjpe(bad, pair[1], (0,)), lambda: pa_mpjpe(bad, pair[1]), lambda: pve_t_sc(bad, pair[1])):
        with pytest.raises(InvalidInputError, match="expected"):
            metric()


def test_points_without_size_are_refused(pair: tuple[np.ndarray, np.ndarray]) -> None:
    for metric in (pa_mpjpe, pve_t_sc):
        with pytest.raises(InvalidInputError, match="no size"):
            metric(np.ones((24, 3)), pair[1])


@pytest.mark.parametrize("root", [(), (24,), (-1,)])
def test_bad_roots_are_refused(root: tuple[int, ...], pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(InvalidInputError, match="root"):
        root_point(pair[0], root)


def test_bad_pixels_are_refused() -> None:
    points = np.zeros((3, 2))
    with pytest.raises(InvalidInputError):
        pck(points, np.zeros((4, 2)), np.array([0, 0, 1, 1]))
    with pytest.raises(InvalidInputError, match="box"):
        pck(points, points, np.zeros(4))
    with pytest.raises(InvalidInputError, match="0 joints"):
        pck(points, points, np.array([0, 0, 1, 1]), visible=np.zeros(3, bool))
