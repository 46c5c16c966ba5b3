"""PNG files on zlib: Blender packs their bytes as they are, which no loop over float pixels can match. No bpy."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_EDGE = 16384
"""Pixels along an edge of a picture that is taken; bounds the memory that a few bytes can ask for."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBBBBB")
_RGB = (8, 2, 0, 0, 0)
_NO_FILTER, _SUB_FILTER, _UP_FILTER = 0, 1, 2


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def encode_png(pixels: NDArray[Any]) -> bytes:
    """Encode sRGB pixels (H, W, 3) uint8, first row at the top, as a PNG file."""
    height, width, _ = pixels.shape
    rows = np.empty((height, 1 + width * 3), dtype=np.uint8)
    rows[:, 0] = _SUB_FILTER
    flat = pixels.reshape(height, -1)
    rows[:, 1:4] = flat[:, :3]
    np.subtract(flat[:, 3:], flat[:, :-3], out=rows[:, 4:])
    header = _HEADER.pack(width, height, *_RGB)
    body = zlib.compress(rows.data, 1)
    chunks = ((b"IHDR", header), (b"sRGB", b"\0"), (b"IDAT", body), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, payload) for kind, payload in chunks)


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield kind and content of each chunk up to the end of the file.

    Raises:
        ValueError: a chunk is cut off or damaged, or something follows the last one.
    """
    place, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if place + _FRAME.size > len(data):
            raise ValueError("the file is cut off")
        length, kind = _FRAME.unpack_from(data, place)
        body = data[place + _FRAME.size : place + _FRAME.size + length]
        place += _FRAME.size + length + 4
        if place > len(data) or data[place - 4 : place] != struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
            raise ValueError("a chunk is damaged")
        yield kind, body
    if place != len(data):
        raise ValueError("something follows its end")


def check_png(data: memoryview) -> tuple[int, int, list[memoryview]]:
    """Return width, height and the compressed parts of a PNG file; nothing is decompressed.

    Raises:
        ValueError: it is damaged, of another kind than 8 bits RGB without interlacing, or larger than MAX_EDGE.
    """
    if data[: len(_SIGNATURE)] != _SIGNATURE:
        raise ValueError("it does not begin as a PNG file")
    chunks = list(_chunks(data))
    parts = [body for kind, body in chunks if kind == b"IDAT"]
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != _HEADER.size or not parts:
        raise ValueError("it has no picture")
    width, height, *kind = _HEADER.unpack(chunks[0][1])
    if tuple(kind) != _RGB:
        raise ValueError(f"expected 8 bits RGB without interlacing {_RGB}, found {tuple(kind)}")
    if not 0 < width <= MAX_EDGE or not 0 < height <= MAX_EDGE:
        raise ValueError(f"expected at most {MAX_EDGE} pixels along an edge, found {width} x {height}")
    return width, height, parts


def decode_png(data: memoryview) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) of a PNG file whose rows have no filter or those of the differences left or up.

    The backend's pictures are such files; undoing the other filters needs a loop over pixels.

    Raises:
        ValueError: as :func:`check_png`; another filter; more or fewer pixels than stated.
    """
    width, height, parts = check_png(data)
    size = height * (1 + 3 * width)
    try:
        raw = zlib.decompressobj().decompress(b"".join(parts), size + 1)
    except zlib.error as error:
        raise ValueError(f"its pixels can not be decompressed: {error}") from error
    if len(raw) != size:
        raise ValueError(f"it does not hold {width} x {height} pixels")
    rows = np.frombuffer(raw, np.uint8).reshape(height, 1 + 3 * width)
    if not np.isin(rows[:, 0], (_NO_FILTER, _SUB_FILTER, _UP_FILTER)).all():
        raise ValueError("its rows have another filter than the differences left or up")
    pixels = rows[:, 1:].reshape(height, width, 3).copy()
    for index, kind in enumerate(rows[:, 0].tolist()):
        if kind == _SUB_FILTER:
            np.cumsum(pixels[index], axis=0, dtype=np.uint8, out=pixels[index])
        elif kind == _UP_FILTER and index:
            pixels[index] += pixels[index - 1]
    return pixels
