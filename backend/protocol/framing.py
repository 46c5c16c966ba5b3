"""Messages to frames and back: a JSON header, then one raw frame per array. Nothing is ever unpickled."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ProtocolError, VersionError
from .version import MAJOR, MINOR

Array = NDArray[Any]
Frame = bytes | memoryview

DTYPES = {
    name: np.dtype(name)
    for name in ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")
}
"""The element types that may travel, by their name on the wire."""

MAX_HEADER_BYTES = 4 << 20
MAX_ARRAYS = 1024
MAX_DIMENSIONS = 8
MAX_FRAME_BYTES = 1 << 30
MAX_STRINGS = 1 << 16
MAX_TEXT = 4096


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        type: one of the names in ``messages``.
        id: of the request it belongs to; chosen by the client.
        body: everything that is not an array, ready for JSON.
        arrays: arrays by name; received ones are read-only views of the received frames.
        token: the secret of the run file (client to backend only).
        minor: minor version of the sender.
    """

    type: str
    id: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    token: str = ""
    minor: int = MINOR


def encode(message: Message) -> list[Frame]:
    """Turn ``message`` into frames; large arrays are not copied.

    Raises:
        ProtocolError: an element type, a size or a value can not travel.
    """
    entries, frames = [], []
    for name, array in message.arrays.items():
        entry, frame = _pack_array(name, np.asarray(array))
        entries.append(entry)
        frames.extend(frame)
    header = {
        "v": [MAJOR, message.minor],
        "type": message.type,
        "id": message.id,
        "token": message.token,
        "arrays": entries,
        "body": message.body,
    }
    return [_dump(header), *frames]


def decode(frames: Sequence[Frame]) -> Message:
    """Turn received frames into a message, checking everything that is used later.

    Raises:
        VersionError: the sender speaks another major version.
        ProtocolError: anything else is wrong; ``message_id`` is set where it was readable.
    """
    header = _load(frames)
    message_id = _text(header, "id", "")
    try:
        return Message(
            type=_text(header, "type", message_id),
            id=message_id,
            body=_object(header.get("body", {}), "body"),
            arrays=_unpack_arrays(header.get("arrays", []), frames[1:]),
            token=_text(header, "token", message_id),
            minor=header["v"][1],
        )
    except ProtocolError as error:
        error.message_id = message_id
        raise


def retarget(frames: Sequence[Frame], message_id: str) -> list[Frame]:
    """Give already encoded ``frames`` another id and no token, without touching the arrays."""
    header = _load(frames)
    return [_dump({**header, "id": message_id, "token": ""}), *frames[1:]]


def _dump(header: Mapping[str, Any]) -> bytes:
    try:
        data = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ProtocolError("A message can not be written as JSON.", detail=str(error)) from error
    if len(data) > MAX_HEADER_BYTES:
        raise ProtocolError("A message is too long.", detail=f"{len(data)} bytes, at most {MAX_HEADER_BYTES}.")
    return data


def _load(frames: Sequence[Frame]) -> dict[str, Any]:
    if not frames:
        raise ProtocolError("A message has no header.")
    if len(frames[0]) > MAX_HEADER_BYTES:
        raise ProtocolError("A header is too long.", detail=f"{len(frames[0])} bytes, at most {MAX_HEADER_BYTES}.")
    try:
        header = _object(json.loads(bytes(frames[0]).decode("utf-8")), "header")
    except (ValueError, RecursionError) as error:
        raise ProtocolError("A header is not JSON.", detail=str(error)[:MAX_TEXT]) from error
    _check_version(header)
    return header


def _check_version(header: dict[str, Any]) -> None:
    version = header.get("v")
    known = isinstance(version, list) and len(version) >= 2 and all(type(part) is int for part in version[:2])
    if not known or version[0] != MAJOR:  # type: ignore[index]
        message_id = header.get("id")
        raise VersionError(version, MAJOR, message_id=message_id if isinstance(message_id, str) else "")


def _text(header: dict[str, Any], key: str, message_id: str) -> str:
    value = header.get(key, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        detail = f"'{key}' must be a text of at most {MAX_TEXT} characters."
        raise ProtocolError("A header field is wrong.", detail=detail, message_id=message_id)
    return value


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProtocolError(
            "A message is malformed.", detail=f"The {what} must be an object, not {type(value).__name__}."
        )
    return value


def _pack_array(name: str, array: Array) -> tuple[dict[str, Any], list[Frame]]:
    if array.dtype.kind == "U":
        values = array.reshape(-1).tolist()
        return {"name": name, "dtype": "str", "shape": list(array.shape), "values": values}, []
    little = array.dtype.newbyteorder("<")
    if little.str not in DTYPES:
        raise ProtocolError("An array can not travel.", detail=f"'{name}' has the element type {array.dtype}.")
    if array.nbytes > MAX_FRAME_BYTES:
        raise ProtocolError("An array is too large.", detail=f"'{name}' has {array.nbytes} bytes.")
    flat = np.ascontiguousarray(array, dtype=little).reshape(-1)
    frame: Frame = flat.view(np.uint8).data if flat.size else b""
    return {"name": name, "dtype": little.str, "shape": list(array.shape)}, [frame]


def _unpack_arrays(entries: object, frames: Sequence[Frame]) -> dict[str, Array]:
    if not isinstance(entries, list) or len(entries) > MAX_ARRAYS:
        raise ProtocolError("A message is malformed.", detail=f"'arrays' must be a list of at most {MAX_ARRAYS}.")
    arrays: dict[str, Array] = {}
    rest = list(frames)
    for entry in entries:
        name, array = _unpack_array(_object(entry, "array entry"), rest)
        if name in arrays:
            raise ProtocolError("An array occurs twice.", detail=f"'{name}'.")
        arrays[name] = array
    if rest:
        raise ProtocolError("A message has too many frames.", detail=f"{len(rest)} more than arrays.")
    return arrays


def _unpack_array(entry: dict[str, Any], rest: list[Frame]) -> tuple[str, Array]:
    """Read one array, taking its frame off the front of ``rest``."""
    name, kind = entry.get("name"), entry.get("dtype")
    if not isinstance(name, str) or not isinstance(kind, str) or len(name) > MAX_TEXT:
        raise ProtocolError("A message is malformed.", detail="An array needs a name and an element type.")
    shape = _shape(name, entry.get("shape"))
    if kind == "str":
        return name, _strings(name, shape, entry.get("values"))
    if kind not in DTYPES:
        raise ProtocolError("An array has an unknown element type.", detail=f"'{name}': {kind[:40]!r}.")
    if not rest:
        raise ProtocolError("A frame is missing.", detail=f"For the array '{name}'.")
    frame, dtype = rest.pop(0), DTYPES[kind]
    expected = math.prod(shape) * dtype.itemsize
    if len(frame) != expected or expected > MAX_FRAME_BYTES:
        detail = f"'{name}' has {len(frame)} bytes, its shape needs {expected}."
        raise ProtocolError("An array has the wrong size.", detail=detail)
    array = np.frombuffer(frame, dtype=dtype).reshape(shape) if expected else np.empty(shape, dtype)
    array.flags.writeable = False
    return name, array


def _shape(name: str, value: object) -> tuple[int, ...]:
    sizes = value if isinstance(value, list) and len(value) <= MAX_DIMENSIONS else [-1]
    plain = all(type(size) is int and size >= 0 for size in sizes)
    # Zeros are left out of the bound because NumPy refuses overflowing shapes even of empty arrays.
    if not plain or math.prod(size or 1 for size in sizes) > MAX_FRAME_BYTES:
        raise ProtocolError("An array has a wrong shape.", detail=f"'{name}'.")
    return tuple(sizes)


def _strings(name: str, shape: tuple[int, ...], values: object) -> Array:
    known = isinstance(values, list) and len(values) == math.prod(shape) <= MAX_STRINGS
    if not known or not all(isinstance(value, str) and len(value) <= MAX_TEXT for value in values):  # type: ignore[attr-defined]
        raise ProtocolError("A list of texts is wrong.", detail=f"'{name}'.")
    array = np.asarray(values, dtype=np.str_).reshape(shape)
    array.flags.writeable = False
    return array
