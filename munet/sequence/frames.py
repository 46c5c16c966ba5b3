"""The frames of a clip, one at a time: pictures in order, or a video."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.errors import ImageUnreadableError, InvalidInputError
from munet.perception.observation import Photo
from munet.perception.photo import WORKING_LONG_SIDE, read_photo
from munet.sequence.settings import MOST_FRAMES, ClipSettings

PICTURE_FPS = 24.0
PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
_HINT = "Save it as MP4 (H.264), or as numbered pictures."


class Frames(Protocol):
    """A clip that can be read from its beginning as often as needed.

    Attributes:
        name: for messages and results.
        fps: frames a second that the file states.
        count: how many frames it says to have; 0 if it does not say.
    """

    name: str
    fps: float
    count: int

    def read(self, settings: ClipSettings) -> Iterator[tuple[int, Photo]]:
        """Yield the number in the file and the picture of each frame that ``settings`` use."""


def clip_paths(path: Path) -> list[Path]:
    """Return the files of a clip: a video itself, or the pictures of a folder, by name and number.

    Raises:
        InvalidInputError: there is no such file or folder, or the folder holds no pictures.
    """
    if path.is_file():
        return [path]
    names = path.iterdir() if path.is_dir() else ()
    pictures = [name for name in names if name.suffix.lower() in PICTURE_ENDINGS and not name.name.startswith(".")]
    if not pictures:
        detail = f"{path} holds no pictures." if path.is_dir() else f"{path} does not exist."
        raise InvalidInputError("This is no clip.", detail=detail, hint="Name a video, or a folder of pictures.")
    return sorted(pictures, key=_by_number)


def _by_number(path: Path) -> tuple[tuple[int, str], ...]:
    """Compare names as people do: 2 comes before 10."""
    parts = re.findall(r"\d+|\D+", path.stem)
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in parts)


def open_frames(paths: Sequence[Path]) -> Frames:
    """Open one video, or pictures in the order of ``paths``.

    Raises:
        InvalidInputError: there is no path, or too many.
        ImageUnreadableError: the file is no video that can be decoded.
    """
    if not 0 < len(paths) <= MOST_FRAMES:
        raise InvalidInputError(
            "These frames can not be used.", detail=f"expected 1 to {MOST_FRAMES} files, found {len(paths)}"
        )
    if len(paths) == 1 and paths[0].suffix.lower() not in PICTURE_ENDINGS:
        return VideoFrames(paths[0])
    return PictureFrames(paths)


class PictureFrames:
    """Numbered pictures."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Take the files ``paths`` in this order."""
        self.name, self.fps, self.count = paths[0].parent.name or paths[0].stem, PICTURE_FPS, len(paths)
        self._paths = tuple(paths)

    def read(self, settings: ClipSettings) -> Iterator[tuple[int, Photo]]:
        """Yield number and picture.

        Raises:
            ImageUnreadableError: a file can not be read or is no picture.
        """
        for index, path in enumerate(self._paths):
            if not settings.uses(index):
                continue
            try:
                data = path.read_bytes()
            except OSError as error:
                raise ImageUnreadableError(f"{path.name} can not be read.", detail=f"{error.strerror}.") from error
            yield index, read_photo(data, path.name)


class VideoFrames:
    """A video file, decoded by OpenCV."""

    def __init__(self, path: Path) -> None:
        """Open the file ``path``.

        Raises:
            ImageUnreadableError: it is no video that can be decoded.
        """
        self.name, self._path = path.name, path
        video = self._open()
        self.fps = float(video.get(cv2.CAP_PROP_FPS)) or PICTURE_FPS
        self.count = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        video.release()

    def _open(self) -> cv2.VideoCapture:
        video = cv2.VideoCapture(str(self._path))
        if not video.isOpened():
            reason = "It is no video that is known here." if self._path.is_file() else "There is no such file."
            raise ImageUnreadableError(f"{self.name} can not be read as a video.", detail=reason, hint=_HINT)
        return video

    def read(self, settings: ClipSettings) -> Iterator[tuple[int, Photo]]:
        """Yield number and picture; frames between the used ones are not decoded."""
        video, index = self._open(), 0
        try:
            while video.grab():
                if settings.uses(index):
                    done, pixels = video.retrieve()
                    if done:
                        colours = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
                        yield index, frame_photo(colours, self.name)
                if settings.last and index >= settings.last:
                    return
                index += 1
        finally:
            video.release()


def frame_photo(pixels: NDArray[np.uint8], name: str) -> Photo:
    """Return decoded pixels (H, W, 3) uint8 sRGB as a photo at working resolution; its focal length is unknown."""
    height, width = pixels.shape[:2]
    scale = min(1.0, WORKING_LONG_SIDE / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Photo(np.ascontiguousarray(pixels), (width, height), scale, None, name, "")
