"""Anchors, decoding, suppression and crops on made-up numbers."""

from __future__ import annotations

import numpy as np
import pytest

from munet.perception.crop import Crop, crop_from_keypoints, paste_crop, sample_continued, sample_crop
from munet.perception.detector import Detection, box_overlap, decode, make_anchors, weighted_nms
from munet.perception.duplicates import drop_repeated
from munet.perception.search import coarse_crops, fine_crops, near_crops


def test_anchors_follow_the_published_graph() -> None:
    anchors = make_anchors()
    assert anchors.shape == (2254, 2)
    np.testing.assert_allclose(anchors[0], (0.5 / 28, 0.5 / 28))
    np.testing.assert_allclose(anchors[2], (1.5 / 28, 0.5 / 28))
    np.testing.assert_allclose(anchors[1568], (0.5 / 14, 0.5 / 14))
    np.testing.assert_allclose(anchors[-1], (6.5 / 7, 6.5 / 7))


def test_decoding_undoes_the_encoding() -> None:
    anchors = make_anchors()
    box, keypoints = np.array([0.3, 0.2, 0.5, 0.6]), np.array([[0.4, 0.5], [0.4, 0.1], [0.45, 0.3], [0.45, 0.2]])
    raw, logits = np.zeros((2254, 12), np.float32), np.full(2254, -9.0, np.float32)
    raw[700, :2] = ((box[:2] + box[2:]) / 2 - anchors[700]) * 224
    raw[700, 2:4] = (box[2:] - box[:2]) * 224
    raw[700, 4:] = ((keypoints - anchors[700]) * 224).ravel()
    logits[700] = 2.0
    points, scores = decode(raw, logits, anchors, 0.5)
    np.testing.assert_allclose(points, np.concatenate([box.reshape(1, 2, 2), keypoints[None]], 1), atol=1e-6)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2))])


def test_overlap_of_boxes() -> None:
    box = np.array([0.0, 0, 2, 2])
    others = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])
    np.testing.assert_allclose(box_overlap(box, others), [1, 1 / 3, 0])


def test_suppression_merges_by_score_and_keeps_neighbours() -> None:
    same = np.zeros((6, 2))
    same[1] = 1
    points = np.stack([same, same + 0.1, same + 5])
    merged = weighted_nms(points, np.array([0.9, 0.6, 0.7]))
    assert [score for _, score in merged] == [0.9, 0.7]
    np.testing.assert_allclose(merged[0][0], same + 0.1 * 0.6 / 1.5)


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, np.pi])
def test_crop_round_trip(angle: float) -> None:
    crop = Crop((31.0, 17.5), 40.0, angle)
    points = np.random.default_rng(0).uniform(-20, 80, (50, 2))
    np.testing.assert_allclose(crop.to_image(crop.from_image(points)), points, atol=1e-9)
    matrix = crop.image_from_pixels(8)
    # The centre of pixel (2, 5) of the crop lies at ((2.5, 5.5) / 8) in crop units.
    expected = crop.to_image(np.array([2.5, 5.5]) / 8) - 0.5
    np.testing.assert_allclose(matrix @ (2, 5, 1), expected, atol=1e-9)


def test_crop_from_keypoints_stands_on_the_hips_and_points_to_the_head() -> None:
    crop = crop_from_keypoints(np.array([50.0, 60.0]), np.array([80.0, 60.0]), margin=1.0)
    assert crop.center == (50, 60)
    assert crop.side == pytest.approx(60)
    np.testing.assert_allclose(crop.to_image(np.array([0.5, 0.0])), (80, 60), atol=1e-9)


@pytest.mark.parametrize("side", [32.0, 200.0])
def test_sampling_an_upright_crop_is_cutting(side: float) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (256, 1, 3))
    pixels = sample_crop(ramp, Crop((128.0, 128.0), side), 32)
    centers = 128 - side / 2 + (np.arange(32) + 0.5) * side / 32 - 0.5
    np.testing.assert_allclose(pixels[16, 1:-1, 0], centers[1:-1], atol=1.5)


def test_sampling_is_black_outside_and_survives_crops_beside_the_image() -> None:
    white = np.full((10, 20, 3), 255, np.uint8)
    assert (sample_crop(white, Crop((100.0, 100.0), 50.0), 16) == 0).all()
    wide = sample_crop(white, Crop((10.0, 5.0), 400.0), 64)
    assert 0 < wide.mean() < 10


def test_pasting_inverts_sampling() -> None:
    grid = np.linspace(0, 1, 120, dtype=np.float32)
    image = np.outer(grid, grid)
    crop = Crop((60.0, 60.0), 80.0, 0.3)
    sampled = sample_crop(np.repeat((image * 255).astype(np.uint8)[..., None], 3, 2), crop, 80)[..., 0] / np.float32(
        255
    )
    back = paste_crop(sampled.astype(np.float32), crop, 120, 120)
    np.testing.assert_allclose(back[40:80, 40:80], image[40:80, 40:80], atol=0.02)
    assert back[0, 0] == 0


@pytest.mark.parametrize(("width", "height"), [(640, 480), (4000, 500), (300, 900), (5, 5)])
def test_search_covers_the_photo(width: int, height: int) -> None:
    whole = coarse_crops(width, height)[0]
    assert whole.side == max(width, height)
    seen = np.zeros((height, width), bool)
    for crop in fine_crops(width, height):
        left, top = (round(c - crop.side / 2) for c in crop.center)
        seen[max(0, top) : round(top + crop.side) + 1, max(0, left) : round(left + crop.side) + 1] = True
    assert seen.all()


def test_continued_crop_is_the_image_inside_and_its_blurred_edge_outside() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    image[:, :4] = (200, 100, 50)
    crop = Crop((20.0, 20.0), 80.0)
    plain, continued = sample_crop(image, crop, 80), sample_continued(image, crop, 80)
    np.testing.assert_array_equal(continued[21:59, 21:59], plain[21:59, 21:59])
    np.testing.assert_allclose(continued[40, 2].astype(int), (200, 100, 50), atol=1)


def test_one_person_of_many_crops_is_kept_once_and_neighbours_stay() -> None:
    def found(x: float, radius: float, score: float) -> Detection:
        keypoints = np.array([[x, 50.0], [x, 50.0 - radius], [x, 40.0], [x, 30.0]])
        return Detection(np.zeros(4), keypoints, score)

    again, person, child, neighbour = found(105, 48, 0.6), found(100, 40, 0.9), found(101, 20, 0.7), found(115, 40, 0.8)
    assert drop_repeated([again, person, child, neighbour]) == [person, neighbour, child]
    assert drop_repeated([]) == []


def test_the_squares_round_a_place_cover_it() -> None:
    crops = near_crops((200.0, 100.0), 60.0)
    corners = np.concatenate([crop.to_image(np.array([[0, 0], [1, 1.0]])) for crop in crops])
    assert (corners.min(0) <= [140, 40]).all()
    assert (corners.max(0) >= [260, 160]).all()
    assert all(60 < crop.side < 160 for crop in crops)
