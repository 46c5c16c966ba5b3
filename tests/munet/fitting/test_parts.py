"""Start, camera, mask and evidence on their own."""

from __future__ import annotations

import numpy as np
import pytest

from munet.body.default import load_default_body
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.camera_start import place_body
from munet.fitting.evidence import INDEX, standing_on_feet, straight_knees
from munet.fitting.hands import relaxed_fingers
from munet.fitting.mask_field import make_mask_field, sample
from munet.fitting.prior import resting_pose
from munet.fitting.rig import JOINTS, MOVED, State, pose_points, pose_skeleton
from munet.fitting.so3 import exp_rotation
from munet.fitting.start import closed_form_start

BODY = make_body_points(load_default_body())
MARKS = BODY.rig.subset(BodyPoints.LANDMARKS)


def posed(turns: dict[int, tuple[float, float, float]]) -> State:
    rotations = np.tile(np.eye(3), (JOINTS, 1, 1))
    rotations[:MOVED] = exp_rotation(resting_pose())
    for joint, vector in turns.items():
        rotations[joint] = exp_rotation(np.array(vector))
    return State(rotations, np.zeros(10), np.array([0.0, 0.0, 4.0]), 7.0, np.zeros(2))


@pytest.mark.parametrize(
    "turns",
    [
        {},
        {0: (0.0, 1.2, 0.0)},
        {0: (0.0, 2.8, 0.1), 18: (0.2, -1.5, 0.0), 16: (0.3, -0.8, -0.6)},
        {1: (-1.2, 0.1, 0.1), 4: (1.4, 0.0, 0.0), 12: (0.1, 0.3, 0.0), 15: (0.1, 0.3, 0.1)},
    ],
)
def test_start_from_exact_landmarks_is_close(turns: dict[int, tuple[float, float, float]]) -> None:
    truth = posed(turns)
    points = pose_points(MARKS, truth)
    world = points - points[[23, 24]].mean(0)
    rotations = closed_form_start(MARKS.anchors.sum(1), world, BODY.rig.parents, np.ones(24, bool))
    found = State(rotations, truth.betas, truth.translation, truth.log_focal, truth.tilt)
    distance = np.linalg.norm(pose_skeleton(BODY.rig, found).heads - pose_skeleton(BODY.rig, truth).heads, axis=1)
    assert distance.mean() < 0.03
    assert distance.max() < 0.08


def test_placement_inverts_projection() -> None:
    points = pose_points(MARKS, posed({})) - [0, 0, 4.0]
    truth, center = np.array([0.3, -0.2, 5.0]), np.array([300.0, 400.0])
    moved = points + truth
    pixels = moved[:, :2] / moved[:, 2:] * 900 + center
    np.testing.assert_allclose(place_body(points, pixels, np.ones(33), 900.0, center), truth, atol=1e-9)


def test_mask_field_is_the_distance_to_the_outline() -> None:
    mask = np.zeros((200, 300), np.float32)
    mask[50:150, 100:200] = 1
    field = make_mask_field(mask, np.array([100, 50, 200, 150], np.float32), 40.0)
    assert field is not None
    distance, gradient, known = sample(field, np.array([[220.0, 100.0], [110.0, 100.0], [290.0, 100.0], [-5.0, 100.0]]))
    np.testing.assert_allclose(distance[:3], [20, -10, 90], atol=1.5)
    np.testing.assert_allclose(gradient[:3], [[1, 0], [-1, 0], [1, 0]], atol=0.1)
    assert known.tolist() == [True, True, True, False]


def test_empty_mask_has_no_field() -> None:
    assert make_mask_field(np.zeros((50, 50), np.float32), np.array([10, 10, 40, 40], np.float32), 5.0) is None


def test_knees_and_stance_are_read_from_the_picture() -> None:
    def pixels(turns: dict[int, tuple[float, float, float]]) -> np.ndarray:
        points = pose_points(MARKS, posed(turns))
        return points[:, :2] / points[:, 2:] * 1000

    seen = np.ones(24, bool)
    assert straight_knees(pixels({}), seen).min() == pytest.approx(1.0)
    side = {0: (0.0, 1.5, 0.0), 1: (-0.8, 0.0, 0.0), 4: (1.2, 0.0, 0.0)}
    left, right = straight_knees(pixels(side), seen)
    assert left == 0.0
    assert right == pytest.approx(1.0)
    assert standing_on_feet(pixels({}), seen) == pytest.approx(1.0)
    assert standing_on_feet(pixels({0: (0.0, 1.5, 0.0), 1: (-1.5, 0, 0), 2: (-1.5, 0, 0)}), seen) == 0.0
    assert not straight_knees(pixels({}), np.zeros(24, bool)).any()


def test_soles_are_flat_and_left_of_right() -> None:
    points = pose_points(BODY.rig.subset(BodyPoints.SOLES), posed({}))
    assert np.ptp(points[:, 1]) < 0.03
    assert points[:4, 0].min() > points[4:, 0].max()
    assert points[1, 2] < points[0, 2] - 0.15
    assert INDEX["nose"] == 0


def test_fingers_mirror_each_other() -> None:
    curl = relaxed_fingers(30)
    np.testing.assert_allclose(curl[15:], curl[:15] * [1, -1, -1])
    assert (curl[:12, 2] < 0).all()
    assert relaxed_fingers(0).shape == (0, 3)
