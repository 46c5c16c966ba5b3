"""Read a photo file: any common kind of picture, upright, in sRGB, at a bounded size."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from pathlib import PurePath

import numpy as np
from PIL import Image, UnidentifiedImageError

from munet.errors import ImageUnreadableError
from munet.notes import Note
from munet.perception.colour import to_srgb
from munet.perception.exif import CameraFacts, focal_in_pixels, read_camera_facts
from munet.perception.foreign import Foreign, foreign_kind, raw_of_camera
from munet.perception.observation import Photo

WORKING_LONG_SIDE = 2560
_TINY = 256
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FORMATS = (
    "JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "AVIF", "JPEG2000", "DIB", "ICNS", "ICO", "PCX", "PSD", "SGI",
    "TGA",
)  # fmt: skip
"""What is decoded, the usual first. Pillow knows more, but runs other programs for some of it."""
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


def read_photo(data: bytes, name: str) -> Photo:
    """Decode the bytes of a picture file.

    The picture is turned upright by its EXIF orientation, converted to sRGB, laid on grey where it is transparent,
    and reduced so that its long side is at most ``WORKING_LONG_SIDE`` pixels.

    Args:
        data: content of the file (JPEG, PNG, WebP, TIFF and what else Pillow decodes).
        name: file name, for messages and results; folders are dropped.

    Raises:
        ImageUnreadableError: the bytes are no picture, or a damaged or an excessively large one.
    """
    base = PurePath(name.replace("\\", "/")).name
    if not data:
        raise ImageUnreadableError(f"{base} is empty.", detail="The file holds 0 bytes.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _decode(data, base)
    except Image.DecompressionBombError as error:
        raise ImageUnreadableError(
            f"{base} is too large.", detail=f"{error}.", hint="Reduce the picture to at most 100 megapixels."
        ) from error
    except _DECODING_ERRORS as error:
        if isinstance(error, UnidentifiedImageError):
            raise _unreadable(base, foreign_kind(data)) from error
        raise ImageUnreadableError(
            f"{base} can not be read as a picture.", detail=f"The decoder says: {error}."
        ) from error


def begins_as_picture(data: bytes) -> bool:
    """Return whether the file's first bytes are those of a picture; nothing is decoded, so the rest may be damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            Image.open(io.BytesIO(data), formats=FORMATS).close()
    except (Image.DecompressionBombError, *_DECODING_ERRORS):
        return False
    return True


def _decode(data: bytes, name: str) -> Photo:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if (raw := raw_of_camera(picture)) is not None:
            raise _unreadable(name, raw)
        facts = read_camera_facts(picture)
        stored = picture.size
        size = _working_size(stored)
        # JPEG can be decoded at 1/2, 1/4 or 1/8, which bounds time and memory for huge photos.
        picture.draft(picture.mode, size)
        image = _turn_upright(to_srgb(picture, size), facts)
    original = stored if facts.orientation < 5 else stored[::-1]
    scale = max(size) / max(stored)
    focal = focal_in_pixels(facts, *stored)
    return Photo(
        image=np.ascontiguousarray(np.asarray(image, np.uint8)),
        original_size=(original[0], original[1]),
        scale=scale,
        focal=None if focal is None else focal * scale,
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        warnings=_size_warnings(stored, size),
    )


def _working_size(stored: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, WORKING_LONG_SIDE / max(stored))
    return max(1, round(stored[0] * scale)), max(1, round(stored[1] * scale))


def _turn_upright(picture: Image.Image, facts: CameraFacts) -> Image.Image:
    if facts.orientation not in _UPRIGHT:
        return picture
    return picture.transpose(_UPRIGHT[facts.orientation])


def _size_warnings(stored: tuple[int, int], size: tuple[int, int]) -> tuple[str, ...]:
    megapixels = stored[0] * stored[1] / 1e6
    if max(stored) > 2 * WORKING_LONG_SIDE:
        text = f"The photo was reduced from {megapixels:.0f} megapixels to {size[0]} x {size[1]}."
        return (Note(text, "PHOTO_REDUCED", megapixels=round(megapixels), width=size[0], height=size[1]),)
    if max(stored) < _TINY:
        text = f"The photo has only {stored[0]} x {stored[1]} pixels: shape and texture will be coarse."
        return (Note(text, "PHOTO_TINY", width=stored[0], height=stored[1]),)
    return ()


def _unreadable(name: str, foreign: Foreign | None) -> ImageUnreadableError:
    title = f"{name} can not be read as a picture."
    if foreign is None:
        return ImageUnreadableError(title, detail="It is no picture format that is known here.")
    return ImageUnreadableError(title, detail=f"It is {foreign.kind}.", hint=foreign.hint)
