"""A clip on its way to the worker: named files and files that travel, and everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.client.clips import read_clip
from backend.protocol import BackendError
from backend.worker.clip import clip_files, read_clip_settings
from backend.worker.loop import WorkerJob
from munet.errors import InvalidInputError


def job(image: bytes, **body: object) -> WorkerJob:
    return WorkerJob("clip", image, {}, "sequence", dict(body))


def two_files(folder: Path) -> list[Path]:
    paths = [folder / "one.jpg", folder / "two words.png"]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_files_that_travel_arrive_in_order_and_are_removed(tmp_path: Path) -> None:
    data, files = read_clip(two_files(tmp_path))
    with clip_files(job(data, files=[list(entry) for entry in files])) as paths:
        assert [path.read_bytes() for path in paths] == [b"one.jpg", b"two words.png"]
        assert [path.suffix for path in paths] == [".jpg", ".png"]
        assert paths == sorted(paths)
    assert not any(path.exists() for path in paths)


def test_named_files_are_read_where_they_are(tmp_path: Path) -> None:
    named = two_files(tmp_path)
    with clip_files(job("\n".join(map(str, named)).encode())) as paths:
        assert paths == named
    with pytest.raises(InvalidInputError, match="missing"), clip_files(job(str(tmp_path / "gone.mp4").encode())):
        pass
    with pytest.raises(InvalidInputError, match="malformed"), clip_files(job(b"\xff\xfe")):
        pass


@pytest.mark.parametrize("files", [[["a.jpg", 3]], [["a.jpg", "4"]], [["a.jpg"]], "a.jpg", [["a.jpg", 5], ["b", -1]]])
def test_sizes_must_fit(files: object) -> None:
    with pytest.raises(InvalidInputError, match="malformed"), clip_files(job(b"1234", files=files)):
        pass


def test_a_path_can_not_leave_the_temporary_folder() -> None:
    with clip_files(job(b"1234", files=[["../../etc/evil.png", 4]])) as paths:
        assert paths[0].name == "000000.png"


def test_settings_are_checked() -> None:
    assert read_clip_settings({"step": 2, "unknown": 1}).step == 2
    for wrong in ({"step": 0}, {"smoothing": 2.0}, {"fps": "fast"}, {"person": True}, []):
        with pytest.raises(InvalidInputError):
            read_clip_settings(wrong)


def test_unreadable_empty_and_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.jpg").touch()
    for path in (tmp_path / "gone.jpg", tmp_path / "empty.jpg"):
        with pytest.raises(BackendError) as caught:
            read_clip([path])
        assert caught.value.code == "INVALID_INPUT"
    monkeypatch.setattr("backend.protocol.messages.MAX_IMAGE_BYTES", 10)
    with pytest.raises(BackendError, match="too large"):
        read_clip(two_files(tmp_path))
