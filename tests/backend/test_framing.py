"""Messages survive the wire; nothing that is broken gets through."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.protocol import Message, ProtocolError, VersionError, decode, encode, retarget
from backend.protocol.framing import DTYPES, MAX_FRAME_BYTES, MAX_HEADER_BYTES

NUMBERS = hnp.arrays(
    st.sampled_from(list(DTYPES.values())), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
)
TEXTS = hnp.arrays(np.dtype("U7"), hnp.array_shapes(max_dims=2, max_side=4))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def received(message: Message) -> Message:
    return decode([bytes(frame) for frame in encode(message)])


def header(**changes: Any) -> bytes:
    return json.dumps(
        {"v": [1, 0], "type": "ping", "id": "a", "token": "", "arrays": [], "body": {}} | changes
    ).encode()


@given(
    st.dictionaries(st.text(max_size=9), NUMBERS | TEXTS, max_size=4),
    st.dictionaries(st.text(max_size=9), JSON, max_size=3),
    st.text(max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_round_trip(arrays: dict[str, np.ndarray], body: dict[str, Any], message_id: str) -> None:
    back = received(Message("result", message_id, body, arrays, token="secret"))
    assert (back.type, back.id, back.body, back.token) == ("result", message_id, body, "secret")
    assert list(back.arrays) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)
        assert back.arrays[name].shape == array.shape
        assert back.arrays[name].dtype.kind == array.dtype.kind
        assert not back.arrays[name].flags.writeable


def test_foreign_layouts_travel() -> None:
    grid = np.arange(24, dtype=np.float32).reshape(4, 6)
    arrays = {"big": grid.astype(">f4"), "strided": grid[::2, ::-1], "fortran": np.asfortranarray(grid)}
    back = received(Message("result", arrays=arrays)).arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


def test_arrays_are_sent_without_a_copy() -> None:
    array = np.zeros((1000, 3), np.float32)
    frame = encode(Message("result", arrays={"a": array}))[1]
    assert np.shares_memory(np.frombuffer(frame, np.uint8), array)


@pytest.mark.parametrize(
    "array",
    [
        np.array([object()]),
        np.zeros(2, "c16"),
        np.zeros(2, [("a", "f4")]),
        np.array(["2026"], "M8[Y]"),
        np.array([b"x"]),
    ],
    ids=["object", "complex", "record", "date", "bytes"],
)
def test_other_element_types_do_not_travel(array: np.ndarray) -> None:
    with pytest.raises(ProtocolError, match="element type"):
        encode(Message("result", arrays={"a": array}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes"])
def test_values_outside_json_do_not_travel(value: object) -> None:
    with pytest.raises(ProtocolError, match="JSON"):
        encode(Message("result", body={"a": value}))


def entry(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "a", "dtype": "<f4", "shape": [2]} | changes]


BROKEN: dict[str, list[bytes]] = {
    "no frames": [],
    "empty header": [b""],
    "not text": [b"\xff\xfe\x00"],
    "utf-16": [header().decode().encode("utf-16")],
    "a list": [b"[]"],
    "deeply nested": [b"[" * 100_000],
    "huge number": [b'{"v":' + b"9" * 10_000 + b"}"],
    "too long": [b" " * (MAX_HEADER_BYTES + 1)],
    "type is a number": [header(type=3)],
    "id is a list": [header(id=[])],
    "token is null": [header(token=None)],
    "id is endless": [header(id="x" * 10_000)],
    "body is a list": [header(body=[])],
    "arrays is an object": [header(arrays={})],
    "array entry is a text": [header(arrays=["a"])],
    "too many arrays": [header(arrays=entry() * 2000)],
    "frame is missing": [header(arrays=entry())],
    "frame too many": [header(), b"1"],
    "frame too short": [header(arrays=entry()), b"1234567"],
    "frame too long": [header(arrays=entry()), b"123456789"],
    "twice": [header(arrays=entry() * 2), b"12345678", b"12345678"],
    "no name": [header(arrays=entry(name=None)), b"12345678"],
    "object array": [header(arrays=entry(dtype="|O")), b"12345678"],
    "record array": [header(arrays=entry(dtype="f4,f4")), b"12345678"],
    "big-endian": [header(arrays=entry(dtype=">f4")), b"12345678"],
    "no shape": [header(arrays=entry(shape=None)), b"12345678"],
    "negative shape": [header(arrays=entry(shape=[-1, -2])), b"12345678"],
    "fractional shape": [header(arrays=entry(shape=[2.0])), b"12345678"],
    "boolean shape": [header(arrays=entry(shape=[True, 2])), b"12345678"],
    "overflowing shape": [header(arrays=entry(shape=[2**32, 2**32])), b""],
    "overflowing empty shape": [header(arrays=entry(shape=[2**30] * 5 + [0])), b""],
    "too many dimensions": [header(arrays=entry(shape=[1] * 9)), b"1234"],
    "too large": [header(arrays=entry(shape=[MAX_FRAME_BYTES])), b""],
    "texts are missing": [header(arrays=entry(dtype="str"))],
    "texts are numbers": [header(arrays=entry(dtype="str", values=[1, 2]))],
    "too few texts": [header(arrays=entry(dtype="str", values=["a"]))],
}


@pytest.mark.parametrize("frames", BROKEN.values(), ids=BROKEN.keys())
def test_broken_messages_are_refused(frames: list[bytes]) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(frames)
    assert caught.value.title
    assert caught.value.detail or "missing" in caught.value.title or "no header" in caught.value.title


def test_the_error_carries_the_id_of_the_message() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode([header(id="job-7", arrays=entry())])
    assert caught.value.message_id == "job-7"


@pytest.mark.parametrize("version", [None, 1, "1.0", [], [2, 0], [0, 9], ["1", 0], [True, 0], [1], {}])
def test_other_versions_are_refused(version: object) -> None:
    with pytest.raises(VersionError) as caught:
        decode([header(v=version, id="x")])
    assert (caught.value.code, caught.value.message_id) == ("PROTOCOL_VERSION", "x")


def test_newer_minor_versions_and_unknown_fields_are_welcome() -> None:
    message = decode([header(v=[1, 7, "beta"], novelty={"a": 1}, body={"b": 2})])
    assert (message.minor, message.body) == (7, {"b": 2})


@given(st.lists(st.binary(max_size=60), max_size=4))
@settings(max_examples=300, deadline=None)
def test_noise_is_only_ever_a_protocol_error(frames: list[bytes]) -> None:
    with pytest.raises(ProtocolError):
        decode(frames)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_messages_never_crash_the_reader(data: st.DataObject) -> None:
    arrays = {"image": np.arange(6, dtype=np.uint8), "names": np.array(["a", "b"])}
    frames = [bytearray(frame) for frame in encode(Message("submit", "id", {"name": "x"}, arrays, token="t"))]
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(frames[0]) - 1))
        frames[0][place] = data.draw(st.integers(0, 255))
    try:
        message = decode([bytes(frame) for frame in frames])
    except ProtocolError:
        return
    assert isinstance(message.type, str)
    assert isinstance(message.body, dict)


def test_retarget_changes_only_the_name() -> None:
    original = Message("result", "job-1", {"a": 1}, {"x": np.ones(3, np.float32)}, token="secret")
    back = decode(retarget(encode(original), "client's own"))
    assert (back.id, back.token, back.body) == ("client's own", "", {"a": 1})
    np.testing.assert_array_equal(back.arrays["x"], np.ones(3))
