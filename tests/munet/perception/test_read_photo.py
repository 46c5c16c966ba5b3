"""Reading every kind of picture file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin, features
from PIL.ExifTags import IFD, Base

from munet.errors import ImageUnreadableError
from munet.perception.photo import WORKING_LONG_SIDE, begins_as_picture, read_photo

SIZE = (60, 40)


def scene(size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture without symmetry: red grows to the right, green downwards, a blue corner at the top left."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(40, 220, width)[None]
    pixels[..., 1] = np.linspace(30, 200, height)[:, None]
    pixels[: height // 3, : width // 4, 2] = 255
    return Image.fromarray(pixels)


def encode(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_exif_orientations_give_the_same_upright_picture(orientation: int) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = scene() if undo is None else scene().transpose(undo)
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    photo = read_photo(encode(stored, exif=exif), "a.png")
    np.testing.assert_array_equal(photo.image, np.asarray(scene()))
    assert photo.original_size == SIZE
    assert photo.scale == 1


def test_alpha_is_laid_on_grey() -> None:
    picture = scene().convert("RGBA")
    alpha = np.full(SIZE[::-1], 255, np.uint8)
    alpha[:, :10] = 0
    picture.putalpha(Image.fromarray(alpha))
    photo = read_photo(encode(picture), "a.png")
    assert (photo.image[:, :10] == 128).all()
    np.testing.assert_array_equal(photo.image[:, 10:], np.asarray(scene())[:, 10:])


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "PA"])
def test_modes_with_fewer_colours(mode: str) -> None:
    picture = scene().convert("LA").convert("PA") if mode == "PA" else scene().convert(mode)
    photo = read_photo(encode(picture, "TIFF" if mode == "PA" else "PNG"), "a.png")
    expected = np.asarray(picture.convert("RGB"))
    np.testing.assert_allclose(photo.image.astype(int), expected.astype(int), atol=1)


def test_palette_with_a_transparent_entry() -> None:
    picture = scene().convert("P")
    photo = read_photo(encode(picture, "GIF", transparency=picture.getpixel((0, 0))), "a.gif")
    assert tuple(photo.image[0, 0]) == (128, 128, 128)


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    grey = (np.asarray(scene().convert("L")).astype(np.uint16)) * 257
    photo = read_photo(encode(Image.fromarray(grey)), "a.png")
    np.testing.assert_array_equal(photo.image[..., 0], grey // 257)


def test_dark_sixteen_bit_grey_is_not_brightened() -> None:
    photo = read_photo(encode(Image.fromarray(np.full((20, 20), 200, np.uint16))), "a.png")
    assert photo.image.max() <= 1


def test_floating_point_tiff() -> None:
    photo = read_photo(encode(Image.fromarray(np.full((20, 20), 0.5, np.float32)), "TIFF"), "a.tif")
    assert (photo.image == 128).all()


def test_cmyk_jpeg() -> None:
    photo = read_photo(encode(scene().convert("CMYK"), "JPEG", quality=98), "a.jpg")
    np.testing.assert_allclose(photo.image.astype(int), np.asarray(scene()).astype(int), atol=30)
    assert np.abs(photo.image.astype(int) - np.asarray(scene()).astype(int)).mean() < 4


def test_colour_profile_is_honoured_and_a_broken_one_ignored() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = read_photo(encode(scene(), icc_profile=own), "a.png").image
    np.testing.assert_allclose(same.astype(int), np.asarray(scene()).astype(int), atol=2)
    broken = read_photo(encode(scene(), icc_profile=b"no profile" * 20), "a.png").image
    np.testing.assert_array_equal(broken, np.asarray(scene()))


def test_large_photo_is_reduced_with_a_scale_that_maps_back() -> None:
    photo = read_photo(encode(scene((6000, 1500)), "JPEG"), "pano.jpg")
    assert photo.image.shape == (WORKING_LONG_SIDE // 4, WORKING_LONG_SIDE, 3)
    assert photo.original_size == (6000, 1500)
    assert photo.scale == pytest.approx(WORKING_LONG_SIDE / 6000)
    np.testing.assert_allclose(photo.image[300, 1280, 0], 130, atol=3)


def test_hundred_megapixels_are_read_with_a_warning() -> None:
    photo = read_photo(encode(Image.new("L", (10000, 10000), 77), "JPEG"), "huge.jpg")
    assert photo.image.shape == (WORKING_LONG_SIDE, WORKING_LONG_SIDE, 3)
    assert (photo.image == 77).all()
    assert "100 megapixels" in photo.warnings[0]


def test_decompression_bomb_is_refused() -> None:
    with pytest.raises(ImageUnreadableError, match="too large"):
        read_photo(encode(Image.new("1", (15000, 15000)), compress_level=1), "bomb.png")


@pytest.mark.parametrize("side", [1, 2, 8])
def test_tiny_pictures_are_read_with_a_warning(side: int) -> None:
    photo = read_photo(encode(scene((side, side))), "tiny.png")
    assert photo.image.shape == (side, side, 3)
    assert photo.warnings


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"this is a text, not a picture",
        encode(scene())[:60],
        encode(scene((600, 400)), "JPEG")[:2000],
        b"\xff\xd8\xff",
    ],
    ids=["empty", "text", "cut png", "cut jpeg", "jpeg head"],
)
def test_what_is_no_picture_is_said_clearly(data: bytes) -> None:
    with pytest.raises(ImageUnreadableError, match=r"holiday\.jpg") as caught:
        read_photo(data, "C:\\photos\\holiday.jpg")
    assert caught.value.hint


def raw_photo() -> bytes:
    """Return a TIFF whose only readable picture is a thumbnail, as DNG and NEF files begin."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254], tags[330] = 1, 8
    stream = io.BytesIO()
    scene((32, 24)).save(stream, "TIFF", tiffinfo=tags)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "kind", "fix"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(99), "Apple's HEIC", "Export it as JPEG"),
        (b"\0\0\0\x18ftypisom" + bytes(99), "a video", "--sequence"),
        (b"RIFF\0\0\0\0AVI LIST", "a video", "--sequence"),
        (raw_photo(), "raw file", "Develop it"),
        (b"%PDF-1.7\n", "a page or a drawing", "Save the photo in it"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "a page or a drawing", "Save the"),
        (b"<?xml version='1.0'?><svg/>", "a page or a drawing", "Save the photo in it"),
    ],
    ids=["heic", "mp4", "avi", "raw", "pdf", "eps", "svg"],
)
def test_what_people_take_for_a_photo_is_named_with_its_fix(data: bytes, kind: str, fix: str) -> None:
    with pytest.raises(ImageUnreadableError, match=kind) as caught:
        read_photo(data, "holiday")
    assert fix in caught.value.hint


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "JPEG2000", "GIF", "TGA"])
def test_less_common_formats_are_read(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    photo = read_photo(encode(scene(), kind), "photo")
    assert np.abs(photo.image.astype(float) - np.asarray(scene(), float)).mean() < 6.0


def test_the_beginning_tells_a_picture_from_anything_else() -> None:
    whole = encode(scene((600, 400)), "JPEG")
    assert begins_as_picture(whole)
    assert begins_as_picture(whole[: len(whole) // 2])
    assert not begins_as_picture(b"")
    assert not begins_as_picture(b"this is not a picture")


def exif_of(**details: float) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif).update({getattr(Base, name).value: value for name, value in details.items()})
    return exif


def test_focal_length_from_35mm_equivalent() -> None:
    data = encode(scene((3600, 2400)), "JPEG", exif=exif_of(FocalLengthIn35mmFilm=50))
    photo = read_photo(data, "a.jpg")
    assert photo.focal == pytest.approx(50 / 36 * 3600 * photo.scale, rel=1e-6)


def test_focal_length_from_the_sensors_resolution() -> None:
    # 24 mm lens, 4000 pixels over 22.5 mm, later resized to half.
    exif = exif_of(FocalLength=24.0, FocalPlaneXResolution=4000 / 2.25, FocalPlaneResolutionUnit=3, ExifImageWidth=4000)
    photo = read_photo(encode(scene((2000, 1500)), "JPEG", exif=exif), "a.jpg")
    assert photo.focal == pytest.approx(24 / 22.5 * 2000, rel=1e-3)


@pytest.mark.parametrize("details", [{}, {"FocalLengthIn35mmFilm": 0}, {"FocalLength": 5.0}])
def test_unknown_focal_length_is_none(details: dict[str, float]) -> None:
    assert read_photo(encode(scene(), "JPEG", exif=exif_of(**details)), "a.jpg").focal is None
