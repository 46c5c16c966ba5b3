"""The EXIF orientation of a JPEG, and how to undo it. No bpy."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ORIENTATION_TAG = 0x0112
_APP1 = 0xE1
_START_OF_SCAN = 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that state the size."""


def _orientation_of_tiff(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(count):
        tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * entry)
        if tag == _ORIENTATION_TAG:
            return value if 1 <= value <= 8 else 1
    return 1


def exif_orientation(data: bytes) -> int:
    """Return the EXIF orientation (1 to 8) of the JPEG file ``data``; 1 for every other file."""
    if data[:2] != b"\xff\xd8":
        return 1
    position = 2
    try:
        while data[position] == 0xFF and data[position + 1] != _START_OF_SCAN:
            (length,) = struct.unpack_from(">H", data, position + 2)
            segment = data[position + 4 : position + 2 + length]
            if data[position + 1] == _APP1 and segment[:6] == b"Exif\0\0":
                return _orientation_of_tiff(segment[6:])
            position += 2 + length
    except (IndexError, struct.error):
        return 1
    return 1


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height as stored of the JPEG file ``data``, (0, 0) of every other file."""
    position = 2 if data[:2] == b"\xff\xd8" else len(data)
    while position + 9 <= len(data) and data[position] == 0xFF and data[position + 1] != _START_OF_SCAN:
        kind = data[position + 1]
        length, _bits, height, width = struct.unpack_from(">HBHH", data, position + 2)
        if kind in _FRAMES:
            return width, height
        position += 2 + length
    return 0, 0


def picture_size(data: bytes) -> tuple[int, int]:
    """Return width and height as stored of the JPEG or PNG file ``data``, (0, 0) of every other file."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    return jpeg_size(data)


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored pixels (H, W, C) of an EXIF ``orientation`` upright."""
    turns = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}.get(orientation, 0)
    turned = np.rot90(pixels, turns)
    return turned[:, ::-1] if orientation in {2, 4, 5, 7} else turned
