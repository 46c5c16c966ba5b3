"""The real networks on the example photos."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from munet.errors import InvalidInputError, ModelMissingError
from munet.models.store import ModelStore
from munet.perception.observation import LANDMARK_NAMES, PersonObservation, Photo
from munet.perception.people import Perceiver
from munet.perception.photo import read_photo

See = Callable[[str], tuple[Photo, list[PersonObservation]]]
STANDING = ("standing-jacket.jpg", "standing-phone.jpg")
ALL = (*STANDING, "skier.jpg", "astronaut.png")


def at(name: str) -> int:
    return LANDMARK_NAMES.index(name)


@pytest.mark.parametrize("name", ALL)
def test_one_person_with_the_promised_shapes(see: See, name: str) -> None:
    photo, people = see(name)
    height, width = photo.image.shape[:2]
    assert len(people) == 1
    found = people[0]
    shapes = [found.box.shape, found.landmarks_image.shape, found.landmarks_world.shape, found.visibility.shape]
    assert shapes == [(4,), (33, 2), (33, 3), (33,)]
    assert found.mask.shape == (height, width)
    for values in (found.box, found.landmarks_image, found.landmarks_world, found.visibility, found.mask):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert 0 <= found.mask.min() <= found.mask.max() <= 1
    assert 0 <= found.visibility.min() <= found.visibility.max() <= 1
    left, top, right, bottom = found.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@pytest.mark.parametrize("name", ALL)
def test_seen_landmarks_lie_in_the_mask(see: See, name: str) -> None:
    _, (found,) = see(name)
    inner = [at(f"{side}_{joint}") for side in ("left", "right") for joint in ("eye", "shoulder", "hip", "knee")]
    seen = [i for i in (0, *inner) if found.visibility[i] > 0.8]
    columns, rows = found.landmarks_image[seen].astype(int).T
    assert (found.mask[rows, columns] > 0.9).all()


@pytest.mark.parametrize(
    ("name", "nose", "left_foot", "share"),
    [
        ("standing-jacket.jpg", (850, 410), (1290, 2440), 0.245),
        ("standing-phone.jpg", (860, 705), (1310, 2350), 0.165),
        ("skier.jpg", (364, 82), (447, 385), 0.101),
    ],
)
def test_landmarks_and_mask_are_where_the_eye_sees_them(
    see: See, name: str, nose: tuple[int, int], left_foot: tuple[int, int], share: float
) -> None:
    _, (found,) = see(name)
    height = found.box[3] - found.box[1]
    assert np.linalg.norm(found.landmarks_image[0] - nose) < 0.03 * height
    assert np.linalg.norm(found.landmarks_image[at("left_foot_index")] - left_foot) < 0.03 * height
    assert (found.mask > 0.5).mean() == pytest.approx(share, rel=0.12)


def test_world_landmarks_are_metric_and_in_camera_axes(see: See) -> None:
    for name in STANDING:
        _, (found,) = see(name)
        world = found.landmarks_world
        # y down: the head is above the feet; x right: the person's left is at the viewer's right.
        assert world[at("nose"), 1] < world[at("left_hip"), 1] < world[at("left_ankle"), 1]
        assert world[at("left_shoulder"), 0] > world[at("right_shoulder"), 0]
        # z forward: the nose is nearer to the camera than the ears.
        assert world[at("nose"), 2] < min(world[at("left_ear"), 2], world[at("right_ear"), 2])
        assert 1.2 < world[:, 1].max() - world[:, 1].min() < 1.9
        np.testing.assert_allclose((world[at("left_hip")] + world[at("right_hip")]) / 2, 0, atol=0.03)


def test_cropped_person_rests_the_legs(see: See) -> None:
    _, (found,) = see("astronaut.png")
    assert found.warnings == ("The legs lie outside the photo: they will rest.",)
    legs = [i for i, name in enumerate(LANDMARK_NAMES) if any(w in name for w in ("knee", "ankle", "heel", "foot"))]
    assert (found.visibility[legs] == 0).all()
    assert found.visibility[at("nose")] > 0.9


def test_other_objects_are_not_in_the_mask(see: See) -> None:
    _, (astronaut,) = see("astronaut.png")
    assert astronaut.mask[400:500, 360:480].mean() < 0.05, "the helmet beside the person"
    assert astronaut.mask[20:260, 370:460].mean() < 0.02, "the model rocket"
    assert astronaut.mask[:250, :80].mean() < 0.05, "the flag"
    _, (skier,) = see("skier.jpg")
    assert skier.mask[250:320, 505:640].max() < 0.5, "the pole"
    assert skier.mask[230:320, 295:340].max() < 0.5, "the other pole"


def test_turned_photo_gives_the_same_landmarks(see: See, perceiver: Perceiver) -> None:
    photo, (upright,) = see("skier.jpg")
    picture = Image.fromarray(photo.image).transpose(Image.Transpose.ROTATE_90)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    (turned,) = perceiver.find_people(read_photo(stream.getvalue(), "turned.png"))
    width = photo.image.shape[1]
    back = np.stack([width - turned.landmarks_image[:, 1], turned.landmarks_image[:, 0]], 1)
    error = np.linalg.norm(back - upright.landmarks_image, axis=1)
    height = upright.box[3] - upright.box[1]
    assert np.median(error) < 0.02 * height
    turned_mask = np.rot90(turned.mask, -1) > 0.5
    straight = upright.mask > 0.5
    assert (turned_mask & straight).sum() / (turned_mask | straight).sum() > 0.93
    world = np.stack([-turned.landmarks_world[:, 1], turned.landmarks_world[:, 0], turned.landmarks_world[:, 2]], 1)
    assert np.median(np.linalg.norm(world - upright.landmarks_world, axis=1)) < 0.06


def test_two_people_largest_first_with_masks_apart(see: See, perceiver: Perceiver) -> None:
    jacket, _ = see("standing-jacket.jpg")
    phone, _ = see("standing-phone.jpg")
    large = Image.fromarray(jacket.image).resize((424, 632))
    small = Image.fromarray(phone.image).resize((360, 536))
    canvas = Image.new("RGB", (800, 632), (120, 130, 120))
    canvas.paste(large, (0, 0))
    canvas.paste(small, (440, 60))
    stream = io.BytesIO()
    canvas.save(stream, "PNG")
    photo = read_photo(stream.getvalue(), "two.png")
    first, second = perceiver.find_people(photo)
    assert first.box[2] < 424 < second.box[0]
    assert first.box[3] - first.box[1] > second.box[3] - second.box[1]
    assert not ((first.mask > 0.5) & (second.mask > 0.5)).any()


def test_who_stands_behind_somebody_is_found_too(see: See, perceiver: Perceiver) -> None:
    canvas = Image.new("RGB", (640, 640), (120, 130, 120))
    for name, left in (("standing-jacket.jpg", 120), ("standing-phone.jpg", 270)):
        photo, (person,) = see(name)
        place = tuple(int(value) for value in person.box)
        size = (round(600 * (place[2] - place[0]) / (place[3] - place[1])), 600)
        cut = Image.fromarray(photo.image).crop(place).resize(size)
        canvas.paste(cut, (left, 20), Image.fromarray((person.mask * 255).astype(np.uint8)).crop(place).resize(size))
    photo = Photo(np.asarray(canvas), (640, 640), 1.0, None, "behind.png", "")
    first, second = sorted(perceiver.find_people(photo, max_persons=2), key=lambda person: person.box[0])
    assert abs(first.landmarks_image[0, 0] - second.landmarks_image[0, 0]) > 60
    assert not ((first.mask > 0.5) & (second.mask > 0.5)).any()
    assert second.mask[20:300, 300:400].mean() > 2 * first.mask[20:300, 300:400].mean()
    assert len(perceiver.find_landmarks(photo, max_persons=1)) == 1


def test_small_person_in_a_large_photo_is_found(see: See, perceiver: Perceiver) -> None:
    photo, _ = see("standing-phone.jpg")
    small = Image.fromarray(photo.image).resize((150, 224))
    canvas = Image.new("RGB", (1600, 1200), (150, 160, 150))
    canvas.paste(small, (1200, 800))
    stream = io.BytesIO()
    canvas.save(stream, "PNG")
    people = perceiver.find_people(read_photo(stream.getvalue(), "far.png"), max_persons=1)
    assert len(people) == 1
    assert 1200 < people[0].box[0] < people[0].box[2] < 1350


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (640, 480)])
def test_nobody_in_noise(perceiver: Perceiver, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*size[::-1], 3)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    assert perceiver.find_people(read_photo(stream.getvalue(), "noise.png")) == []


def test_same_photo_gives_the_same_numbers(see: See, perceiver: Perceiver) -> None:
    photo, (first,) = see("skier.jpg")
    (again,) = perceiver.find_people(photo)
    np.testing.assert_array_equal(first.landmarks_image, again.landmarks_image)
    np.testing.assert_allclose(first.mask, again.mask, atol=1e-5)


def test_max_persons_is_checked(see: See, perceiver: Perceiver) -> None:
    photo, _ = see("skier.jpg")
    with pytest.raises(InvalidInputError, match="found 0"):
        perceiver.find_people(photo, max_persons=0)


def test_missing_models_are_named_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"pose_detection\.tflite is missing") as caught:
        Perceiver(ModelStore(tmp_path))
    assert "--fetch-models" in caught.value.hint
