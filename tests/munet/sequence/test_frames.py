"""Frames of videos and of numbered pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from munet.errors import ImageUnreadableError, InvalidInputError
from munet.sequence.frames import clip_paths, frame_photo, open_frames
from munet.sequence.settings import ClipSettings


def picture(shade: int) -> np.ndarray:
    return np.full((96, 128, 3), (shade, 100, 40), np.uint8)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 12.5, (128, 96))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no video")
    for shade in range(0, 200, 20):
        writer.write(picture(shade))
    writer.release()
    return path


def test_a_video_is_read_in_order_and_in_colour(video: Path) -> None:
    frames = open_frames([video])
    assert (frames.fps, frames.count, frames.name) == (12.5, 10, "clip.mp4")
    read = list(frames.read(ClipSettings(first=2, last=8, step=3)))
    assert [number for number, _ in read] == [2, 5, 8]
    blues = [photo.image[48, 64, 2] for _, photo in read]
    assert np.allclose(blues, [40, 100, 160], atol=12)
    assert np.allclose(read[0][1].image[48, 64, :2], [40, 100], atol=12)
    assert len(list(frames.read(ClipSettings()))) == 10


def test_pictures_keep_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for index, path in enumerate(paths):
        cv2.imwrite(str(path), picture(40 * index))
    read = list(open_frames(paths).read(ClipSettings(step=2)))
    assert [(number, int(photo.image[0, 0, 2])) for number, photo in read] == [(0, 0), (2, 80)]


def test_what_is_no_clip_says_so(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.mp4"
    wrong.write_bytes(b"no video at all")
    for path in (wrong, tmp_path / "gone.mov"):
        with pytest.raises(ImageUnreadableError, match=path.name):
            open_frames([path])
    with pytest.raises(ImageUnreadableError, match=r"gone\.png"):
        list(open_frames([tmp_path / "gone.png"]).read(ClipSettings()))
    with pytest.raises(InvalidInputError):
        open_frames([])


def test_large_frames_are_reduced() -> None:
    photo = frame_photo(np.zeros((100, 5120, 3), np.uint8), "wide")
    assert photo.image.shape == (50, 2560, 3)
    assert photo.original_size == (5120, 100)
    assert photo.scale == 0.5


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for name in ("walk10.png", "walk2.PNG", "walk1.png", ".walk0.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in clip_paths(tmp_path)] == ["walk1.png", "walk2.PNG", "walk10.png"]
    assert clip_paths(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    for wrong in (tmp_path / "gone.mp4", tmp_path / "empty"):
        with pytest.raises(InvalidInputError, match="no clip"):
            clip_paths(wrong)
