"""A PNG writer on zlib: Blender packs the bytes as they are, which no loop over float pixels can match. No bpy."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SUB_FILTER = 1


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
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.data, 1)
    chunks = ((b"IHDR", header), (b"sRGB", b"\0"), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, payload) for kind, payload in chunks)


def encoded_beside(texture: NDArray[Any], folds: NDArray[Any] | None) -> tuple[Future[bytes], Future[bytes]]:
    """Begin to encode a texture and its normal map in a thread; without a normal map it gives no bytes."""
    beside = ThreadPoolExecutor(1)
    encoded = beside.submit(encode_png, texture), beside.submit(_encoded, folds)
    beside.shutdown(wait=False)
    return encoded


def _encoded(picture: NDArray[Any] | None) -> bytes:
    return encode_png(picture) if picture is not None and picture.size else b""
