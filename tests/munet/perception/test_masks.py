"""Parts of the masks on made-up pictures."""

from __future__ import annotations

import cv2
import numpy as np

from munet.perception.beside import paint_out, without_covered
from munet.perception.cleanup import fill_holes, keep_person
from munet.perception.crop import Crop
from munet.perception.cropping import describe_cropping
from munet.perception.duplicates import drop_duplicates, landmark_similarity
from munet.perception.gaps import find_gaps
from munet.perception.guided import guided_upsample
from munet.perception.landmarks import Landmarks, mirror_order, refine_with_heat
from munet.perception.matting import matting_laplacian, solve_matte
from munet.perception.observation import LANDMARK_NAMES
from munet.perception.separation import separate_masks


def two_colours() -> tuple[np.ndarray, np.ndarray]:
    """A noisy orange disc on noisy blue, and its true mask."""
    truth = np.zeros((80, 80), np.uint8)
    cv2.circle(truth, (40, 40), 22, 1, -1)
    noise = np.random.default_rng(1).normal(0, 4, (80, 80, 3))
    image = np.where(truth[..., None] > 0, (220, 120, 30), (30, 60, 160)) + noise
    return np.clip(image, 0, 255).astype(np.uint8), truth


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_matting_lays_a_displaced_mask_on_the_edges() -> None:
    image, truth = two_colours()
    rough = np.zeros((80, 80), np.float32)
    cv2.circle(rough, (43, 42), 22, 1.0, -1)
    unknown = cv2.dilate(rough, np.ones((13, 13))) - cv2.erode(rough, np.ones((13, 13))) > 0
    matte = solve_matte(image, cv2.GaussianBlur(rough, (0, 0), 3), unknown, trust=0.002)
    assert overlap(rough > 0.5, truth > 0) < 0.86
    assert overlap(matte > 0.5, truth > 0) > 0.97


def test_matting_laplacian_annihilates_constants_and_colours() -> None:
    image, _ = two_colours()
    image = image[:20, :20].astype(np.float64) / 255
    laplacian = matting_laplacian(image, np.ones((20, 20), bool))
    np.testing.assert_allclose(laplacian @ np.ones(400), 0, atol=1e-4)
    # Opacity that is linear in colour costs (almost) nothing: the model behind the method.
    linear = image.reshape(-1, 3) @ (0.3, -0.5, 0.9)
    random = np.random.default_rng(0).uniform(size=400)
    assert linear @ (laplacian @ linear) < 1e-3 * (random @ (laplacian @ random))


def test_matte_without_unknown_pixels_is_the_prior() -> None:
    image, truth = two_colours()
    np.testing.assert_array_equal(solve_matte(image, truth, np.zeros((80, 80), bool)), truth)


def test_guided_upsampling_follows_the_large_photo() -> None:
    image, truth = two_colours()
    large = cv2.resize(image, (320, 320), interpolation=cv2.INTER_NEAREST)
    mask = guided_upsample(truth.astype(np.float32), image, large)
    expected = cv2.resize(truth, (320, 320), interpolation=cv2.INTER_NEAREST)
    assert overlap(mask > 0.5, expected > 0) > 0.99


def test_small_holes_are_filled_and_gaps_stay() -> None:
    mask = np.zeros((60, 60), np.float32)
    mask[10:50, 10:50] = 1
    mask[15:17, 15:17] = 0
    mask[30:45, 30:45] = 0
    mask[25:27, 48:] = 0
    mask[40:42, 20:22] = 0
    gaps = np.zeros((60, 60), bool)
    gaps[40, 20] = True
    filled = fill_holes(mask, 10, gaps)
    assert (filled[40:42, 20:22] == 0).all()
    assert (filled[15:17, 15:17] == 1).all()
    assert (filled[30:45, 30:45] == 0).all()
    assert (filled[25:27, 48:] == 0).all()


def test_gap_in_the_backgrounds_colour_is_found_and_a_badge_is_not() -> None:
    image = np.full((80, 80, 3), (60, 160, 40), np.uint8)
    image[10:70, 20:60] = (40, 50, 140)
    image[30:50, 38:42] = (60, 160, 40)
    image[55:60, 30:50] = (230, 230, 230)
    rough = np.zeros((80, 80), np.float32)
    rough[10:70, 20:60] = 1
    rough[28:52, 36:44] = 0.8
    salient = np.where((image == (60, 160, 40)).all(-1), np.float32(0.2), np.float32(1))
    gaps = find_gaps(image, rough, salient, cell=3)
    expected = np.zeros((80, 80), bool)
    expected[30:50, 38:42] = True
    np.testing.assert_array_equal(gaps, expected)


def test_loose_bits_go_and_parts_with_landmarks_stay() -> None:
    mask = np.zeros((60, 60), np.float32)
    mask[5:30, 20:40] = 1
    mask[35:55, 20:40] = 1
    mask[2:6, 50:56] = 1
    kept = keep_person(mask, np.array([[30.0, 10.0], [30.0, 50.0]]), smallest=20)
    assert kept[40, 30] == 1
    assert kept[3, 52] == 0


def test_contested_pixels_go_to_the_nearest_person() -> None:
    masks = [np.zeros((50, 90), np.float32) for _ in range(2)]
    masks[0][:, :55], masks[1][:, 35:] = 1, 1
    bones = [np.full((33, 2), (20.0, 25.0)), np.full((33, 2), (70.0, 25.0))]
    first, second = separate_masks(masks, bones, [np.ones(33), np.ones(33)])
    assert not ((first > 0.5) & (second > 0.5)).any()
    assert ((first > 0.5) | (second > 0.5)).all()
    assert first[25, 40] == 1
    assert second[25, 50] == 1


def test_painting_out_takes_the_colours_around_and_spares_the_rest() -> None:
    image = np.full((90, 160, 3), 50, np.uint8)
    image[:, 80:] = 200
    image[20:70, 60:100] = (255, 0, 0)
    covered = np.zeros((90, 160), np.bool_)
    covered[18:72, 58:102] = True
    painted = paint_out(image, covered)
    np.testing.assert_array_equal(painted[~covered], image[~covered])
    assert np.ptp(painted[covered].astype(int), axis=1).max() <= 2
    assert painted[45, 62, 0] < painted[45, 98, 0]


def test_what_lies_behind_others_is_trusted_less() -> None:
    points = np.column_stack([np.linspace(-20.0, 120.0, 33), np.full(33, 30.0)])
    crop = Crop((50.0, 30.0), 100.0)
    found = Landmarks(points, np.zeros((33, 3)), np.full(33, 0.9), 1.0, crop, crop, np.zeros((8, 8), np.float32))
    covered = np.zeros((60, 100), np.bool_)
    covered[:, 50:] = True
    seen = without_covered(found, covered).visibility
    behind = (points[:, 0] >= 50) & (points[:, 0] < 100)
    assert (seen[behind] < 0.5 * found.visibility[behind]).all()
    np.testing.assert_array_equal(seen[~behind], found.visibility[~behind])


def test_heat_map_pulls_a_landmark_to_its_peak() -> None:
    heat = np.full((64, 64, 1), -10, np.float32)
    heat[20, 30, 0] = 3
    refined = refine_with_heat(np.array([[31.4 / 64, 18.2 / 64]]), heat)
    np.testing.assert_allclose(refined * 64, [[30, 20]], atol=0.05)
    far = np.array([[0.9, 0.9], [1.4, -0.3]])
    np.testing.assert_array_equal(refine_with_heat(far, np.repeat(heat, 2, 2)), far)


def test_mirror_swaps_sides_and_is_its_own_inverse() -> None:
    order = mirror_order()
    np.testing.assert_array_equal(order[order], np.arange(33))
    assert LANDMARK_NAMES[order[LANDMARK_NAMES.index("left_knee")]] == "right_knee"
    assert order[0] == 0


def person(points: np.ndarray, presence: float = 1.0) -> Landmarks:
    crop = Crop((0.0, 0.0), 1.0)
    return Landmarks(points, np.zeros((33, 3)), np.ones(33), presence, crop, crop, np.zeros((4, 4), np.float32))


def test_duplicates_go_and_neighbours_stay() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (33, 2))
    same, beside = person(points + 2, 0.9), person(points + np.array([80, 0]))
    kept = drop_duplicates([same, person(points), beside])
    assert [p.presence for p in kept] == [1.0, 1.0]
    assert landmark_similarity(same, kept[0]) > 0.9


def test_cropped_parts_are_named() -> None:
    points = np.full((33, 2), 50.0)
    assert describe_cropping(points, 100, 100) == ()
    points[25:] = (50, 140)
    assert describe_cropping(points, 100, 100) == ("The legs lie outside the photo: they will rest.",)
    points[25:27] = 50
    assert "feet" in describe_cropping(points, 100, 100)[0]
