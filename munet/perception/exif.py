"""What the camera wrote about a photo: how it was held and how long its lens was."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image
from PIL.ExifTags import IFD, Base

FULL_FRAME_DIAGONAL = math.hypot(36, 24)
_MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_PLAUSIBLE = (0.2, 40.0)


@dataclass(frozen=True)
class CameraFacts:
    """What EXIF says, where it says it.

    Attributes:
        orientation: 1 to 8 as EXIF numbers them.
        focal_35mm: focal length in millimetres on a sensor of 36 x 24 mm, 0 when unknown.
        focal_mm: focal length in millimetres, 0 when unknown.
        pixels_per_mm: density of the sensor's pixels along the stored picture's width, 0 when unknown.
        sensor_width: width in pixels that ``pixels_per_mm`` counts, 0 when unknown.
    """

    orientation: int = 1
    focal_35mm: float = 0.0
    focal_mm: float = 0.0
    pixels_per_mm: float = 0.0
    sensor_width: float = 0.0


def read_camera_facts(picture: Image.Image) -> CameraFacts:
    """Read what EXIF tells about the camera; damaged metadata counts as none."""
    try:
        exif = picture.getexif()
        details = dict(exif.get_ifd(IFD.Exif))
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError, OverflowError):
        return CameraFacts()
    orientation = _number(exif.get(Base.Orientation))
    unit = _MILLIMETRES.get(int(_number(details.get(Base.FocalPlaneResolutionUnit, 2))), 25.4)
    return CameraFacts(
        orientation=int(orientation) if 1 <= orientation <= 8 else 1,
        focal_35mm=_number(details.get(Base.FocalLengthIn35mmFilm)),
        focal_mm=_number(details.get(Base.FocalLength)),
        pixels_per_mm=_number(details.get(Base.FocalPlaneXResolution)) / unit,
        sensor_width=_number(details.get(Base.ExifImageWidth)),
    )


def focal_in_pixels(facts: CameraFacts, width: int, height: int) -> float | None:
    """Return the focal length in pixels of the stored picture, or None when EXIF does not tell it.

    Args:
        facts: what EXIF says.
        width: width of the stored picture, before it is turned upright.
        height: height of the stored picture.
    """
    if facts.focal_35mm > 0:
        focal = facts.focal_35mm / FULL_FRAME_DIAGONAL * math.hypot(width, height)
    else:
        resized = width / facts.sensor_width if facts.sensor_width > 0 else 1.0
        focal = facts.focal_mm * facts.pixels_per_mm * resized
    low, high = _PLAUSIBLE
    return focal if low <= focal / max(width, height) <= high else None


def _number(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0
