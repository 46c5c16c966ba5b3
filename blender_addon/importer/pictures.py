"""Texture and normal map of a person: PNG files from the backend, or pixels from older ones and from files. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend.protocol.results import PICTURES, PNG
from .png import check_png, decode_png, encode_png

Array = NDArray[Any]
_NOTHING = np.zeros(0, np.uint8)


def check_pictures(arrays: Mapping[str, Array]) -> None:
    """Check that there is a texture, and all pictures that are files.

    Raises:
        ValueError: what is wrong.
    """
    if PICTURES[0] not in arrays and f"{PICTURES[0]}_{PNG}" not in arrays:
        raise ValueError("The array texture is missing.")
    for name in (f"{picture}_{PNG}" for picture in PICTURES if f"{picture}_{PNG}" in arrays):
        try:
            check_png(_file(arrays[name]))
        except ValueError as error:
            raise ValueError(f"{name}: {error}.") from error


def _file(data: Array) -> memoryview:
    if data.dtype != np.uint8:
        raise ValueError(f"expected bytes, found {data.dtype}")
    return memoryview(np.ascontiguousarray(data).reshape(-1))


def files_of(arrays: Mapping[str, Array]) -> tuple[Future[bytes], Future[bytes]]:
    """Return texture and normal map as files; of pixels they are made in a thread. Without one it has no bytes."""
    beside = ThreadPoolExecutor(1)
    texture, folds = (_begun(beside, arrays, name) for name in PICTURES)
    beside.shutdown(wait=False)
    return texture, folds


def _begun(beside: ThreadPoolExecutor, arrays: Mapping[str, Array], name: str) -> Future[bytes]:
    data, pixels = arrays.get(f"{name}_{PNG}", _NOTHING), arrays.get(name, _NOTHING)
    if pixels.size and not data.size:
        return beside.submit(encode_png, pixels)
    ready: Future[bytes] = Future()
    ready.set_result(data.tobytes())
    return ready


def with_pixels(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return ``arrays`` with pixels in place of picture files, as docs/result-format.md wants them in files.

    Raises:
        ValueError: a picture can not be read.
    """
    found = {name: decode_png(_file(arrays[f"{name}_{PNG}"])) for name in PICTURES if f"{name}_{PNG}" in arrays}
    files = {f"{name}_{PNG}" for name in found}
    return {**{name: array for name, array in arrays.items() if name not in files}, **found}
