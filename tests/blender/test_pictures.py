"""Pictures of a result as PNG files: from the backend's encoder to the extension, which needs no Blender for that."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import synthetic
from PIL import Image

from backend.worker.pictures import encode_png

Extension = Callable[[str], ModuleType]


def test_the_backends_pictures_are_read_back(extension: Extension) -> None:
    codec, pictures = extension("importer.png"), extension("importer.pictures")
    pixels = np.random.default_rng(0).integers(0, 256, (37, 51, 3), dtype=np.uint8)
    for data in (encode_png(pixels).tobytes(), codec.encode_png(pixels)):
        assert codec.check_png(memoryview(data))[:2] == (51, 37)
        assert np.array_equal(codec.decode_png(memoryview(data)), pixels)
    arrays, facts = synthetic.random_person(0)
    sent = {name: array for name, array in arrays.items() if name != "texture"}
    sent |= {"texture_png": encode_png(arrays["texture"]), "normal_map_png": encode_png(pixels[:32, :32].copy())}
    character = extension("importer.character").read_character(sent, facts)
    files = [file.result() for file in pictures.files_of(character.arrays)]
    assert files == [sent["texture_png"].tobytes(), sent["normal_map_png"].tobytes()]
    kept = pictures.with_pixels(sent)
    assert kept.keys() == {*arrays, "normal_map"}
    assert np.array_equal(kept["texture"], arrays["texture"])
    assert np.array_equal(kept["normal_map"], pixels[:32, :32])


def _png(size: tuple[int, int], mode: str = "RGB", **how: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG", **how)
    return stream.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _claiming(width: int, height: int, rows: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "begin"),
        (b"\xff\xd8\xff", "begin"),
        (_png((4, 4))[:-5], "cut off|damaged"),
        (_png((4, 4)) + b"more", "follows"),
        (_png((4, 4)).replace(b"IDAT", b"IDAX"), "damaged"),
        (_png((4, 4), "RGBA"), "8 bits RGB"),
        (_png((4, 4), "L"), "8 bits RGB"),
        (_claiming(1 << 20, 4, b""), "at most"),
        (_claiming(0, 4, b""), "at most"),
        (b"\x89PNG\r\n\x1a\n" + _chunk(b"IEND", b""), "no picture"),
    ],
)
def test_files_that_are_not_such_pictures_are_refused(extension: Extension, data: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        extension("importer.png").check_png(memoryview(data))
    arrays, facts = synthetic.random_person(0)
    arrays["texture_png"] = np.frombuffer(data, np.uint8)
    with pytest.raises(extension("errors").AddonError, match=word) as caught:
        extension("importer.character").read_character(arrays, facts)
    assert caught.value.code == "BAD_RESULT"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (_claiming(4, 4, bytes(10**7)), "4 x 4"),
        (_claiming(4, 4, bytes(12)), "4 x 4"),
        (_claiming(1, 1, b"\x04abc"), "filter"),
        (_claiming(1, 1, b"").replace(zlib.compress(b""), b"12345678"), "damaged"),
    ],
)
def test_pixels_are_never_more_than_stated(extension: Extension, data: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        extension("importer.png").decode_png(memoryview(data))
