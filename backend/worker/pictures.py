"""Texture and normal map as PNG files, for clients that only store them: made while nobody waits in Blender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..protocol.results import PICTURES, PNG

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .loop import WorkerJob

People = list[tuple[Mapping[str, Any], Mapping[str, Any]]]


def as_asked(people: People, job: WorkerJob) -> People:
    """Return arrays and facts of ``people`` with their pictures as the client of ``job`` asks for them.

    A form that is not known here is ignored, as everything unknown in a message: the pictures stay pixels.
    """
    if job.body.get("pictures") != PNG:
        return people
    files = _encoded([arrays[name] for arrays, _ in people for name in PICTURES if _has(arrays, name)])
    changed: People = []
    for arrays, facts in people:
        names = [name for name in PICTURES if _has(arrays, name)]
        kept = {name: array for name, array in arrays.items() if name not in names}
        changed.append((kept | {f"{name}_{PNG}": files.pop(0) for name in names}, facts))
    return changed


def _has(arrays: Mapping[str, Any], name: str) -> bool:
    return name in arrays and arrays[name].size > 0


def _encoded(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    with ThreadPoolExecutor(max(1, len(pictures)), "munet-pictures") as pool:
        return list(pool.map(encode_png, pictures))


def encode_png(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode sRGB pixels (H, W, 3), first row at the top, as the bytes (N,) of a PNG file.

    Run lengths of the differences between rows: of libpng's ways the fastest, and among the fast ones the smallest
    for photos on a plain ground.
    """
    import cv2

    way = (
        (cv2.IMWRITE_PNG_COMPRESSION, 1),
        (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
        (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
    )
    done, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [part for pair in way for part in pair])
    if not done:
        raise MemoryError("A picture could not be encoded.")
    return data.reshape(-1)
