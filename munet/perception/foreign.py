"""Files that are no picture this project can read, though people take them for one: what they are, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

_HEAD = 1024
_SUBFILE_TYPE, _REDUCED, _SUB_IMAGES, _DNG_VERSION = 254, 1, 330, 50706


@dataclass(frozen=True)
class Foreign:
    """What a file is, as the end of "It is ...", and how its user gets a picture of it."""

    kind: str
    hint: str


_HEIF = Foreign(
    "a picture in Apple's HEIC format, which is not read here",
    "Export it as JPEG; an iPhone takes JPEG with Settings > Camera > Formats > Most Compatible.",
)
_VIDEO = Foreign(
    "a video",
    "Use --sequence, or Reconstruct Video or Sequence in the extension; for one picture save a frame as PNG.",
)
_RAW = Foreign("a camera's raw file", "Develop it to JPEG, TIFF or PNG with the camera's program and use that.")
_DRAWING = Foreign("a page or a drawing, not a photo", "Save the photo in it as JPEG or PNG and use that.")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BY_BRAND = {**dict.fromkeys(_HEIF_BRANDS, _HEIF), b"crx ": _RAW, b"avif": None, b"avis": None}
"""What a file of ISO's media format is by its brand; a damaged AVIF is nothing foreign."""
_STARTS = (
    (b"%PDF", _DRAWING),
    (b"%!PS", _DRAWING),
    (b"\xc5\xd0\xd3\xc6", _DRAWING),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIU\x00", _RAW),
)


def foreign_kind(data: bytes) -> Foreign | None:
    """Tell by its first bytes what a file is that is no readable picture; None where nobody knows."""
    head = data[:_HEAD]
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _BY_BRAND.get(brand, _VIDEO)
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return _VIDEO
    if b"<svg" in head.lower():
        return _DRAWING
    return next((kind for start, kind in _STARTS if head.startswith(start)), None)


def raw_of_camera(picture: Image.Image) -> Foreign | None:
    """Recognise DNG, NEF, ARW and their like, which open as a TIFF of their thumbnail."""
    tags = getattr(picture, "tag_v2", None)
    if tags is None:
        return None
    thumbnail = _SUB_IMAGES in tags and int(tags.get(_SUBFILE_TYPE, 0)) & _REDUCED
    return _RAW if thumbnail or _DNG_VERSION in tags else None
